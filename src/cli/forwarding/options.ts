/**
 * Options of the forwarding service, for `stt forward` and `stt listen`.
 *
 * @module
 */
import type { ConnectionOptions } from "../../connection/config.ts";
import type { Arguments, OptionSpec } from "../args.ts";
import type { CommandContext } from "../command.ts";
import { RejectLog } from "../reject_log.ts";
import { ForwardPolicy } from "./forward_session.ts";
import { AllowList } from "./rules.ts";

/** All streams of a session together may hold so much unread (the most that the session's window can be). */
const SESSION_BYTES = 16_777_216;
const MAX_STREAM_BYTES = 8_388_608;
/** Requests to listen, and refusals on their way. */
const OTHER_STREAMS = 16;
const DEFAULT_CONNECTIONS = 32;
const MAX_CONNECTIONS = 4096;

export const ALLOW_BIND_OPTION: OptionSpec = {
  name: "allow-bind",
  value: "[BIND:]PORT",
  multiple: true,
  help: "ports that a peer's -R may have listened on here (BIND: 127.0.0.1)",
};

export const CONNECTIONS_OPTION: OptionSpec = {
  name: "connections",
  value: "N",
  help: `forwarded connections of a session at once (default ${DEFAULT_CONNECTIONS})`,
};

/** What a listener allows: nothing by default. `allow`: the option's name. @throws {UsageError} */
export function policyOf(args: Arguments, allow: string, connections: number): ForwardPolicy {
  const bind = new AllowList(args.texts("allow-bind"), "127.0.0.1");
  return new ForwardPolicy(new AllowList(args.texts(allow)), bind, connections);
}

export function connectionsOf(args: Arguments): number {
  return args.integer("connections", 1, MAX_CONNECTIONS) ?? DEFAULT_CONNECTIONS;
}

/**
 * A connection whose program does not read holds its window's worth of the session's credit, which returns in steps of
 * half of the session's window (SPEC 8.4). So the windows of all of them together are no more than that half: those that
 * are read never wait for those that are not.
 */
export function forwardLimits(connections: number): ConnectionOptions {
  const window = Math.min(MAX_STREAM_BYTES, Math.floor(SESSION_BYTES / 2 / connections));
  return {
    maxStreams: connections + OTHER_STREAMS,
    maxData: SESSION_BYTES,
    maxStreamData: window,
    maxStreamWindow: window,
    sendBuffer: Math.min(window, 262_144),
  };
}

/** One line for each connection that was not carried, and far fewer under a flood. */
export function failureLog({ report, io }: CommandContext): RejectLog {
  return new RejectLog(report, () => io.now(), {
    event: "not-forwarded",
    verb: "did not forward to",
    things: "connections",
  });
}
