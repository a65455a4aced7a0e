import {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
  transportParameters,
} from "../connection/config.ts";
import { Connection } from "../connection/connection.ts";
import type { PeerFacts } from "../connection/events.ts";
import { type SeedKeys, seedKeys, staticKey } from "../crypto/key_schedule.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Acceptor } from "../handshake/acceptor.ts";
import type { AcceptorConfig, InitiatorConfig } from "../handshake/types.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { KeyLog } from "../session/key_log.ts";
import { ConnectionPair } from "./connection_pair.ts";
import { FakeClock } from "./fake_clock.ts";
import { Prng } from "./prng.ts";
import { seededProvider } from "./seeded_provider.ts";
import type { Side } from "./simulated_link.ts";
import { SimulatedPipe, type SimulatedPipeOptions } from "./simulated_pipe.ts";
import { TrafficTap } from "./traffic_tap.ts";

/** Options of {@link pair}. Everything has a default: `pair()` is two nodes that agree. */
export interface PairOptions {
  /** Seed of every chance: keys, nonces and the cutting of bytes. Default 1. */
  readonly seed?: number;
  /** Delay, rate and cutting of the bytes. */
  readonly pipe?: SimulatedPipeOptions;
  /** Options of both connections. */
  readonly options?: ConnectionOptions;
  /** What is different at `a`, which dials. */
  readonly dial?: ConnectionOptions;
  /** What is different at `b`, which answers. */
  readonly answer?: ConnectionOptions;
  /** Seed that `a` dials with. Default: 32 bytes that `b` knows. */
  readonly sharedSeed?: Uint8Array;
  /** Seeds that `b` listens with. Default: the seed of `a`. */
  readonly listenerSeeds?: readonly Uint8Array[];
  /** What `b` says to the peer. Default: yes. `undefined` leaves it to the caller (`b.accept`, `b.refuse`). */
  readonly accept?: ((peer: PeerFacts) => boolean | undefined) | undefined;
  /** Further settings of the handshake of `a`: `suites`, `pairKey`, `expect` and the like. */
  readonly initiator?: Partial<InitiatorConfig>;
  /** Further settings of the handshake of `b`. */
  readonly acceptor?: Partial<AcceptorConfig>;
  /** Cryptography to use; its randomness is replaced by the seed's. Default `node:crypto`. */
  readonly provider?: CryptoProvider;
  /** Who hears what each side does. Default: nobody. */
  readonly tracers?: Partial<Record<Side, Tracer>>;
  /** A clock for what the side that dials measures of itself. Default: nothing is measured. */
  readonly profile?: () => number;
  /** Gets the keys of the side that dials. Default: nobody. */
  readonly keyLog?: KeyLog;
}

/**
 * Two connections joined by a {@link SimulatedPipe} in virtual time: `a` dials, `b` answers. Nothing happens until the
 * pair is run.
 *
 * @throws {SttError} CONFIG for options that are out of limits.
 *
 * @example
 * ```ts
 * import { pair } from "@seigr/stt/testing";
 * const run = pair({ pipe: { delayMs: 20 } }).establish();
 * console.log(run.a.state, run.b.state, run.clock.nowMs); // "established" "established" 80
 * ```
 */
export function pair(options: PairOptions = {}): ConnectionPair {
  const prng = new Prng(options.seed ?? 1);
  const tap = new TrafficTap(seededProvider(options.provider ?? nodeProvider(), prng));
  const { provider } = tap;
  const clock = new FakeClock();
  const shared = options.sharedSeed ?? prng.bytes(32);
  const dialLimits = connectionLimits({ ...options.options, ...options.dial });
  const answerLimits = connectionLimits({ ...options.options, ...options.answer });
  const common = (limits: ConnectionLimits) => ({
    provider,
    staticKey: staticKey(provider, prng.bytes(32)),
    parameters: transportParameters(limits),
    suites: [1, 2],
    timeoutMs: 10_000,
    unixOffsetMs: clock.unixOffsetMs,
  });
  const seedsOf = (seed: Uint8Array): SeedKeys => seedKeys(provider, seed);
  const acceptor = new Acceptor({
    ...common(answerLimits),
    seeds: (options.listenerSeeds ?? [shared]).map(seedsOf),
    ...options.acceptor,
  }, clock.nowMs);
  const handshake: InitiatorConfig = {
    ...common(dialLimits),
    reliable: true,
    seedKeys: seedsOf(shared),
    ...options.initiator,
  };
  return new ConnectionPair({
    clock,
    acceptor,
    tap,
    pipe: new SimulatedPipe({ seed: prng.u32(), ...options.pipe }),
    messages: (options.pipe?.chunking ?? "whole") === "whole",
    a: Connection.dial({
      provider,
      limits: dialLimits,
      handshake,
      tracer: options.tracers?.a,
      keyLog: options.keyLog,
      profile: options.profile,
    }, clock.nowMs),
    b: Connection.answer({
      provider,
      limits: answerLimits,
      acceptor,
      tracer: options.tracers?.b,
      from: { host: "10.0.0.1", port: 40_001 },
    }, clock.nowMs),
    accept: "accept" in options ? options.accept : () => true,
  });
}
