/**
 * Dialling for the commands that do.
 *
 * @module
 */
import { wipe } from "../crypto/secret.ts";
import { connect } from "../endpoint/connect.ts";
import type { ConnectOptions, EndpointOptions } from "../endpoint/options.ts";
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

/** Where to dial and with which secrets, taken once: a command may dial again. */
export class Dialler {
  readonly #address: string;
  /** Where dials are told of; a command may open a screen after the secrets were asked for. */
  context: CommandContext;
  readonly #options: ConnectOptions & { readonly seed: Uint8Array };
  readonly #timeoutMs: number;

  private constructor(
    address: string,
    context: CommandContext,
    options: ConnectOptions & { readonly seed: Uint8Array },
    timeoutMs: number,
  ) {
    this.#address = address;
    this.context = context;
    this.#options = options;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Reads the options, the files that they name, and the seed.
   *
   * @param stdinTaken Standard input is a file to send: the seed cannot come from there.
   * @param limits In place of what all commands share.
   */
  static async prepare(
    address: string,
    args: Arguments,
    context: CommandContext,
    defaultApp: string,
    stdinTaken = false,
    limits: Partial<EndpointOptions> = {},
  ): Promise<Dialler> {
    const expected = args.nodeIds("expect");
    if (expected.length > 1) throw new UsageError("only `stt listen` takes several --expect");
    const { timeoutMs, ...options } = await endpointOptions(args, context, defaultApp);
    const ca = await pemOf(args, "ca");
    const seed = await sharedSeed(args, context, stdinTaken);
    return new Dialler(address, context, {
      ...options,
      ...limits,
      seed,
      ...(expected[0] === undefined ? {} : { expect: expected[0] }),
      transport: { ...(ca === undefined ? {} : { ca }), native: args.flag("native") },
    }, timeoutMs);
  }

  /** @param early As in `connect`: what it sends saves a round trip. */
  async dial(signal: AbortSignal, early?: (peer: Peer) => void): Promise<Dialled> {
    const { io, report } = this.context;
    const address = this.#address;
    let cool: () => void = () => undefined;
    try {
      const started = io.now();
      if (address.startsWith("udp:")) {
        cool = warmUp(() => io.now(), WARM_UP_BYTES, WARM_UP_AFTER_MS, report.warnOf);
      }
      const peer = await connect(address, {
        ...this.#options,
        signal,
        ...(early === undefined ? {} : { early }),
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
      return { peer, timeoutMs: this.#timeoutMs };
    } finally {
      cool();
    }
  }

  /** Overwrites the secrets: there will be no further dial. */
  close(): void {
    const { seed, nodeSeed } = this.#options;
    wipe(seed);
    if (nodeSeed instanceof Uint8Array) wipe(nodeSeed);
  }
}

/** Dials once, as the options say. */
export async function dial(
  address: string,
  args: Arguments,
  context: CommandContext,
  defaultApp: string,
  more: Pick<ConnectOptions, "profile"> = {},
): Promise<Dialled> {
  const dialler = await Dialler.prepare(address, args, context, defaultApp, false, more);
  try {
    return await dialler.dial(context.signal);
  } finally {
    dialler.close();
  }
}
