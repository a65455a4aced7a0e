/**
 * What this project tests itself with, for tests of your own: a seeded bad network, a reliable pipe and a clock, all in
 * virtual time. A run depends on its seed alone, so a failing seed is the whole bug report.
 *
 * @module
 */
export { FakeClock } from "./fake_clock.ts";
export { Prng } from "./prng.ts";
export {
  type BurstLoss,
  type LinkAddress,
  type LinkDatagram,
  type LinkOptions,
  type LinkRules,
  type LinkStats,
  type Side,
  SimulatedLink,
  type SimulatedLinkOptions,
} from "./simulated_link.ts";
export {
  type Chunking,
  type PipeOptions,
  SimulatedPipe,
  type SimulatedPipeOptions,
} from "./simulated_pipe.ts";
export { ConnectionPair, type ConnectionPairParts } from "./connection_pair.ts";
export { pair, type PairOptions } from "./pair.ts";
export { seededProvider } from "./seeded_provider.ts";
export { type TrafficSecrets, TrafficTap } from "./traffic_tap.ts";
export {
  type StorageProviderCase,
  storageProviderCases,
  type StorageProviderSource,
} from "./storage_cases.ts";
