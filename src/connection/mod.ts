/**
 * The sans-IO core: one session as a pure state machine, for people who bring their own transport and event loop.
 *
 * @module
 */
export { Connection } from "./connection.ts";
export type { AnswerConfig, ConnectionBase, ConnectionState, DialConfig } from "./roles.ts";
export { Acceptor } from "../handshake/acceptor.ts";
export type * from "../handshake/types.ts";
export {
  type ConnectionLimits,
  connectionLimits,
  type ConnectionOptions,
  transportParameters,
} from "./config.ts";
export type { CloseFacts, ConnectionEvent, CustomFrame, Datagram, PeerFacts } from "./events.ts";
export type { ConnectionStats } from "./stats.ts";
export type { RttStats } from "./ping_set.ts";
