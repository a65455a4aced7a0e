/**
 * What sessions say on channels of `node:diagnostics_channel`, for tools that are not part of the program. The module is
 * asked of the runtime when the first session starts, never imported: browsers have none.
 *
 * @module
 */
import type { CloseFacts } from "../connection/events.ts";
import type { SttError } from "../errors.ts";
import type { PeerInfo } from "./peer_info.ts";

/** Names of the channels, and what their messages hold. */
export interface DiagnosticMessages {
  /** A session stands. */
  readonly "stt:session:open": { readonly info: PeerInfo };
  /** It has ended. */
  readonly "stt:session:close": { readonly info: PeerInfo; readonly facts: CloseFacts };
  /** The peer opened a stream. */
  readonly "stt:stream": { readonly info: PeerInfo; readonly id: number; readonly mode: string };
  /** New keys are in use in one direction. */
  readonly "stt:rekey": {
    readonly info: PeerInfo;
    readonly direction: "send" | "receive";
    readonly epoch: number;
  };
  /** UDP: the peer was followed to another address. */
  readonly "stt:migrated": { readonly info: PeerInfo; readonly from: string; readonly to: string };
  /** A transport connection to a listener ended before a session stood. */
  readonly "stt:rejected": { readonly remoteAddress: string; readonly error: SttError };
}

interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: unknown): void;
}

interface Runtime {
  readonly process?: {
    getBuiltinModule?(name: string): { channel(name: string): Channel } | undefined;
  };
}

const CHANNELS: Map<string, Channel | undefined> = new Map();

function channelOf(name: string): Channel | undefined {
  if (CHANNELS.has(name)) return CHANNELS.get(name);
  const { process } = globalThis as Runtime;
  const channel = process?.getBuiltinModule?.("node:diagnostics_channel")?.channel(name);
  CHANNELS.set(name, channel);
  return channel;
}

/** Tells the channel's subscribers, if there are any; only then is the message made. */
export function publish<Name extends keyof DiagnosticMessages>(
  name: Name,
  message: () => DiagnosticMessages[Name],
): void {
  const channel = channelOf(name);
  if (channel?.hasSubscribers === true) channel.publish(message());
}
