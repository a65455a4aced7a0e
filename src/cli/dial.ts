/**
 * Dialling for the commands that do.
 *
 * @module
 */
import { wipe } from "../crypto/secret.ts";
import { connect } from "../endpoint/connect.ts";
import type { Peer } from "../endpoint/peer.ts";
import type { Arguments } from "./args.ts";
import type { CommandContext } from "./command.ts";
import { UsageError } from "./exit_codes.ts";
import { endpointOptions, pemOf } from "./options.ts";
import { sharedSeed } from "./seed_source.ts";
import { formatDuration } from "./text.ts";
import { warmUp } from "./warm_up.ts";

/** An answer that takes longer leaves time to warm up; a near peer has answered by then. */
const WARM_UP_AFTER_MS = 15;
const WARM_UP_BYTES = 524_288;

/** An open session, and how long a silent peer may stay silent. */
export interface Dialled {
  readonly peer: Peer;
  readonly timeoutMs: number;
}

const SUITE_NAMES: Readonly<Record<number, string>> = {
  1: "x25519-chacha20poly1305",
  2: "x25519-aes256gcm",
};

/** A suite as people know it. */
export function suiteName(suite: number): string {
  return SUITE_NAMES[suite] ?? `suite ${suite}`;
}

/** What a command does beside dialling. */
export interface DialHooks {
  /** Standard input is a file to send: the seed cannot come from there. */
  readonly stdinTaken?: boolean;
  /** As in `connect`: what it sends saves a round trip. */
  readonly early?: (peer: Peer) => void;
}

/** Dials as the options say. */
export async function dial(
  address: string,
  args: Arguments,
  context: CommandContext,
  defaultApp: string,
  { stdinTaken = false, early }: DialHooks = {},
): Promise<Dialled> {
  const { io, report, signal } = context;
  const expected = args.nodeIds("expect");
  if (expected.length > 1) throw new UsageError("only `stt listen` takes several --expect");
  const { timeoutMs, ...options } = await endpointOptions(args, context, defaultApp);
  const ca = await pemOf(args, "ca");
  const seed = await sharedSeed(args, context, stdinTaken);
  let cool: () => void = () => undefined;
  try {
    const started = io.now();
    if (address.startsWith("udp:")) {
      cool = warmUp(() => io.now(), WARM_UP_BYTES, WARM_UP_AFTER_MS, report.warnOf);
    }
    const peer = await connect(address, {
      ...options,
      seed,
      signal,
      ...(expected[0] === undefined ? {} : { expect: expected[0] }),
      ...(early === undefined ? {} : { early }),
      transport: { ...(ca === undefined ? {} : { ca }), native: args.flag("native") },
    });
    cool();
    const handshakeMs = io.now() - started;
    const { id, suite, pinned } = peer.info;
    report.event(
      "connected",
      { address, nodeId: id, suite: suiteName(suite), pinned, handshakeMs },
      `connected to ${address} in ${formatDuration(handshakeMs)}, ${suiteName(suite)}\n` +
        `node id ${id}${pinned ? " (as expected)" : ""}`,
    );
    return { peer, timeoutMs };
  } finally {
    cool();
    wipe(seed);
    if (options.nodeSeed instanceof Uint8Array) wipe(options.nodeSeed);
  }
}
