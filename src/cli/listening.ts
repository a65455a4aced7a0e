/**
 * Listening for the commands that do.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { ConnectionOptions } from "../connection/config.ts";
import { wipe } from "../crypto/secret.ts";
import { listen, type Listener } from "../endpoint/listener.ts";
import type { PeerInfo } from "../endpoint/peer_info.ts";
import type { WebFile } from "../transport/web_files.ts";
import type { Arguments } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { endpointOptions, pemOf } from "./options.ts";
import { RejectLog } from "./reject_log.ts";
import { sharedSeeds } from "./seed_source.ts";

/** What a command asks of its listener besides the options of the user. */
export interface ListenerWishes {
  /** What it announces without `--app`; "" takes peers of every application. */
  readonly app: string;
  /** Refuses a peer that has passed `--expect`. */
  readonly accept?: (peer: PeerInfo) => boolean;
  /** Limits in place of those that all commands share. */
  readonly limits?: ConnectionOptions;
  /** Standard input is taken: no seed is asked for. */
  readonly stdinTaken?: boolean;
  /** Files for browsers, beside the WebSocket. */
  readonly webFiles?: ReadonlyMap<string, WebFile>;
}

/** A listener that has been announced, and how it ends. */
export interface OpenListener {
  readonly listener: Listener;
  close(): Promise<void>;
}

/** Listens as the options say, says where, and reports who is turned away. */
export async function openListener(
  address: string,
  args: Arguments,
  context: CommandContext,
  wishes: ListenerWishes,
): Promise<OpenListener> {
  const listener = await open(address, args, context, wishes);
  const { report, io } = context;
  const rejects = new RejectLog(report, () => io.now());
  listener.on("rejected", ({ remoteAddress, error }) => rejects.record(remoteAddress, error));
  listener.on("error", report.warnOf);
  const nodeId = toHex(listener.nodeId);
  report.event(
    "listening",
    { address: listener.address, nodeId },
    `listening on ${listener.address}\nnode id ${nodeId}`,
  );
  return {
    listener,
    async close(): Promise<void> {
      await listener.close();
      rejects.close();
    },
  };
}

async function open(
  address: string,
  args: Arguments,
  context: CommandContext,
  { app, accept = () => true, limits = {}, stdinTaken = false, webFiles }: ListenerWishes,
): Promise<Listener> {
  const { timeoutMs: _, ...options } = await endpointOptions(args, context, app);
  const cert = await pemOf(args, "cert");
  const key = await pemOf(args, "key");
  const expected = args.nodeIds("expect");
  const seeds = await sharedSeeds(args, context, stdinTaken);
  try {
    context.signal.throwIfAborted();
    return await listen(address, {
      ...options,
      ...limits,
      seeds,
      accept: (peer) => (expected.length === 0 || expected.includes(peer.id)) && accept(peer),
      transport: {
        native: args.flag("native"),
        ...(webFiles === undefined ? {} : { webFiles }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
      },
    });
  } finally {
    wipe(...seeds);
    if (options.nodeSeed instanceof Uint8Array) wipe(options.nodeSeed);
  }
}
