/**
 * The streams of a connection, from its limits.
 *
 * @module
 */
import { StreamSet } from "../streams/stream_set.ts";
import { type ConnectionLimits, receiveBurst } from "./config.ts";
import type { Profile } from "./profile.ts";
import type { PathOptions } from "./session_core.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** `path` is set where packets can be lost. */
export function streamsOf(
  role: "initiator" | "responder",
  limits: ConnectionLimits,
  path: PathOptions | undefined,
  trace: ConnectionTrace | undefined,
  profile: Profile | undefined,
): StreamSet {
  return new StreamSet({
    role,
    reliable: path === undefined,
    local: limits,
    maxMessageSize: limits.maxMessageSize,
    sendBuffer: limits.sendBuffer,
    maxSessionWindow: limits.maxSessionWindow,
    maxStreamWindow: limits.maxStreamWindow,
    burst: receiveBurst(path?.receiveBuffer ?? Infinity),
    ...(trace === undefined
      ? {}
      : { opened: (id: number, kind: number) => trace.streamOpened(id, kind) }),
    ...(profile === undefined ? {} : {
      written: (id: number, end: number) => profile.written(id, end),
      handedOut: (id: number, end: number) => profile.handedOut(id, end),
    }),
  });
}
