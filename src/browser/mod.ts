/**
 * STT in a browser: dial a listener, and everything that comes of a session. Nothing of Deno or Node is imported here,
 * and cryptography is that of `@noble/*`.
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
} from "../errors.ts";
export { fromHex, toHex } from "../codec/hex.ts";
export { fromBase64Url, toBase64Url } from "../codec/base64url.ts";
export type {
  AeadKey,
  AeadName,
  CryptoProvider,
  ScryptParameters,
  X25519PrivateKey,
} from "../crypto/provider.ts";
export { parseSeed, SEED_MIN_BYTES, seedFromBase64Url, seedFromHex } from "../crypto/seeds.ts";
export { nobleProvider, type NobleProviderOptions } from "../crypto/noble_provider.ts";
export { generateSeed, seedFromPassphrase } from "./seeds.ts";

export { connect, type ConnectOptions } from "./connect.ts";
export { webSocketTransport } from "./websocket_transport.ts";
export { receiveFile, type ReceiveFileOptions, receiveFiles } from "./receive_files.ts";
export type { FileOutcome, ReceivedFile } from "./receive_files.ts";
export type { FileSink } from "./file_sink.ts";
export { sendFile, type SendFileOptions } from "./send_file.ts";
export { checkFileName } from "../endpoint/files/file_name.ts";
export type { FileProgress } from "../endpoint/files/progress.ts";
export { declineFile, type TakeOptions } from "../endpoint/files/receive_transfer.ts";
export { FILE_REFUSALS, type RefusalEntry, type RefusalName } from "../endpoint/files/refusals.ts";
export type { SentFile, TransferOptions } from "../endpoint/files/send_transfer.ts";
export { type FileOffer, FILES_APP } from "../endpoint/files/wire.ts";

export { type Clock, systemClock } from "../endpoint/clock.ts";
export { EventReader, type EventReaderOptions, type NamedEvent } from "../endpoint/event_reader.ts";
export type { FrameEvent } from "../endpoint/frame_handlers.ts";
export type { Message } from "../endpoint/incoming.ts";
export type {
  ConnectOptions as RuntimeConnectOptions,
  EndpointOptions,
  SeedInput,
} from "../endpoint/options.ts";
export {
  type AcceptStreamOptions,
  type CloseOptions,
  type OpenStreamOptions,
  Peer,
} from "../endpoint/peer.ts";
export type { PeerEvents } from "../endpoint/peer_events.ts";
export type { PeerInfo } from "../endpoint/peer_info.ts";
export { isTransient, type ReconnectPolicy } from "../endpoint/reconnect_policy.ts";
export {
  type ReconnectEvent,
  reconnecting,
  type ReconnectOptions,
} from "../endpoint/reconnecting.ts";
export {
  publish,
  subscribe,
  type SubscribeOptions,
  SubscriptionReader,
} from "../endpoint/groups/subscribe.ts";
export { matchesTopic } from "../endpoint/groups/topic_filter.ts";
export type { TopicPublishOptions } from "../endpoint/groups/topics.ts";
export type { TopicMessage } from "../endpoint/groups/wire.ts";
export * from "../endpoint/requests/mod.ts";
export type { DeliveryTarget, StreamMode } from "../endpoint/stream_mode.ts";
export {
  type ReadOptions,
  type StreamHost,
  SttStream,
  type WaitOptions,
  type WriteOptions,
} from "../endpoint/stt_stream.ts";
export { type ListenerOptions, TypedEvents } from "../endpoint/typed_events.ts";

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
} from "../transport/transport.ts";
export type {
  DatagramSink,
  DatagramSocket,
  OpenDatagramOptions,
} from "../transport/udp/datagram_socket.ts";
export type { WebFile } from "../transport/web_files.ts";
export type { ResolvedHost } from "../transport/udp/resolved_host.ts";
export { Float, type SttValue } from "../codec/value_types.ts";
export type { KeyLog } from "../session/key_log.ts";
export type * from "../observe/trace_event.ts";
export type { SessionStart, Tracer, TracerFactory } from "../observe/tracer.ts";
export type { CongestionControlName } from "../connection/congestion/controller.ts";
export type { CloseFacts, Datagram } from "../connection/events.ts";
export type { ConnectionLimits, ConnectionOptions } from "../connection/config.ts";
export type { ConnectionStats } from "../connection/stats.ts";
export type { RttStats } from "../connection/ping_set.ts";
export type { StreamInfo, StreamSegment, StreamStats } from "../streams/types.ts";
export type { WeightedClass, WeightedStats } from "../streams/weighted_stats.ts";

// What public types refer to; the entry point for the classes is "@seigr/stt/core".
export type * from "../connection/mod.ts";
