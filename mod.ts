/**
 * STT: encrypted, multiplexed sessions between two nodes that share a seed, over WebSocket, TCP or memory.
 *
 * This module loads by plain URL: its static imports are relative or `node:` ones. The parts have entry points of their
 * own: `/codec`, `/crypto`, `/core` (the connection without I/O), `/noble` (cryptography for browsers), `/testing`.
 *
 * @module
 */

export {
  type ErrorCode,
  errorCodeOf,
  type ErrorEntry,
  ERRORS,
  SttError,
  type SttErrorDetails,
} from "./src/errors.ts";

export {
  type DecodedFrame,
  type DecodedValue,
  decodeExactFrame,
  decodeFrame,
  decodeValue,
  decodeVarint,
  encodeFrame,
  encodeValue,
  encodeVarint,
  Float,
  type Frame,
  FrameAssembler,
  type FrameDecodeOptions,
  fromBase64Url,
  fromHex,
  type SttValue,
  toBase64Url,
  toHex,
  type ValueDecodeOptions,
} from "./src/codec/mod.ts";

export {
  type AeadKey,
  type AeadName,
  type CryptoProvider,
  nodeProvider,
  parseSeed,
  type ScryptParameters,
  Secret,
  SEED_MIN_BYTES,
  seedFromBase64Url,
  seedFromHex,
  type X25519PrivateKey,
} from "./src/crypto/mod.ts";

export * from "./src/endpoint/mod.ts";
export {
  readSeedFile,
  type SeedFile,
  seedFromFile,
  writeSeedFile,
} from "./src/endpoint/seed_file.ts";

export type {
  AnyTransport,
  DatagramTarget,
  DatagramTransport,
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
  TransportListener,
  TransportSink,
} from "./src/transport/transport.ts";
export type {
  DatagramSink,
  DatagramSocket,
  OpenDatagramOptions,
} from "./src/transport/udp/datagram_socket.ts";
export type { WebFile } from "./src/transport/web_files.ts";
export type { ResolvedHost } from "./src/transport/udp/resolve_host.ts";
export type { CongestionControlName } from "./src/connection/congestion/controller.ts";

export type { CloseFacts, Datagram } from "./src/connection/events.ts";
export type { ConnectionLimits, ConnectionOptions } from "./src/connection/config.ts";
export type { ConnectionStats } from "./src/connection/stats.ts";
export type { RttStats } from "./src/connection/ping_set.ts";
export type { StreamInfo, StreamSegment, StreamStats } from "./src/streams/types.ts";
export type { WeightedClass, WeightedStats } from "./src/streams/weighted_stats.ts";

// What public types refer to; the entry point for the classes is "@seigr/stt/core".
export type * from "./src/connection/mod.ts";
export type * from "./src/observe/trace_event.ts";
export type { SessionStart, Tracer, TracerFactory } from "./src/observe/tracer.ts";
export type { KeyLog, KeyLogEntry } from "./src/session/key_log.ts";
