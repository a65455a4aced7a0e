/**
 * The sans-IO core: one session as a pure state machine, for people who bring their own transport and event loop.
 *
 * @module
 */
export { Connection } from "./connection.ts";
export type { AnswerConfig, ConnectionBase, ConnectionState, DialConfig } from "./roles.ts";
export { Acceptor } from "../handshake/acceptor.ts";
export type { AcceptorCounters } from "../handshake/acceptor.ts";
export type * from "../handshake/types.ts";
export {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
  transportParameters,
} from "./config.ts";
export type { CloseFacts, ConnectionEvent, CustomFrame, Datagram, PeerFacts } from "./events.ts";
export type { ConnectionStats } from "./stats.ts";
export type { PathAddress } from "./recovery/path.ts";
export type { PathOptions } from "./session_core.ts";
export type { ProfileStats } from "./profile.ts";
export type { HistogramSnapshot } from "../observe/histogram.ts";
export type { RttStats } from "./ping_set.ts";
export type { TransmissionConfig, TransmissionStats } from "./transmission.ts";
export { StreamSet } from "../streams/stream_set.ts";
export { StreamChunk } from "../streams/types.ts";
export type {
  ChunkRef,
  StreamEvent,
  StreamInfo,
  StreamLimits,
  StreamRecord,
  StreamSegment,
  StreamSetConfig,
  StreamStats,
} from "../streams/types.ts";
export type { WeightedClass, WeightedStats } from "../streams/weighted_stats.ts";
export type { SeedKeys, SessionSecrets } from "../crypto/key_schedule.ts";
export type { Tracer } from "../observe/tracer.ts";
export type * from "../observe/trace_event.ts";
export type { KeyLog, KeyLogEntry } from "../session/key_log.ts";
