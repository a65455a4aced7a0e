/**
 * Sessions over real transports.
 *
 * @module
 */
export { type Clock, systemClock } from "./clock.ts";
export { generateSeed, seedFromPassphrase } from "./seeds.ts";
export { connect } from "./connect.ts";
export type { Message } from "./incoming.ts";
export { listen, Listener, type ListenerEvents, type ListenerStats } from "./listener.ts";
export type { ConnectOptions, EndpointOptions, ListenOptions, SeedInput } from "./options.ts";
export {
  type AcceptStreamOptions,
  type CloseOptions,
  type OpenStreamOptions,
  Peer,
} from "./peer.ts";
export type { PeerEvents } from "./peer_events.ts";
export type { DeliveryTarget, StreamMode } from "./stream_mode.ts";
export {
  type ReceivedPacket,
  type SendOutcome,
  SttNode,
  type SttNodeEvents,
  type SttNodeOptions,
  type SttNodeStats,
} from "./stt_node.ts";
export type { PeerInfo } from "./peer_info.ts";
export { isTransient, type ReconnectPolicy } from "./reconnect_policy.ts";
export { type ReconnectEvent, reconnecting, type ReconnectOptions } from "./reconnecting.ts";
export {
  type ReadOptions,
  type StreamHost,
  SttStream,
  type WaitOptions,
  type WriteOptions,
} from "./stt_stream.ts";
export { EventReader, type EventReaderOptions, type NamedEvent } from "./event_reader.ts";
export { type ListenerOptions, TypedEvents } from "./typed_events.ts";
export * from "./files/mod.ts";
export * from "./groups/mod.ts";
export * from "./pool/mod.ts";
export * from "./requests/mod.ts";
export type { FrameEvent } from "./frame_handlers.ts";
export { resumable, type ResumableOptions } from "./continuity/resumable.ts";
export {
  type OpenResumableOptions,
  type ResumableEvents,
  ResumableSession,
} from "./continuity/resumable_session.ts";
export { ResumableStream } from "./continuity/resumable_stream.ts";
export { ResumptionHost, type ResumptionHostOptions } from "./continuity/resumption_host.ts";
export type { ListenerResumption } from "./continuity/listener_resumption.ts";
export type { SessionChamber } from "./continuity/stored.ts";
export type { ConfirmMode } from "../streams/continuity/continued_recv.ts";
