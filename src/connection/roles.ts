/**
 * What a connection is started with, by role, and the states it goes through.
 *
 * @module
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import type { Acceptor } from "../handshake/acceptor.ts";
import type { InitiatorConfig, PendingSession } from "../handshake/types.ts";
import type { Tracer } from "../observe/tracer.ts";
import type { KeyLog } from "../session/key_log.ts";
import type { ConnectionLimits } from "./config.ts";
import type { PathOptions } from "./session_core.ts";

/** What both roles need. */
export interface ConnectionBase {
  /** Cryptography to use. */
  readonly provider: CryptoProvider;
  /** Limits and habits. */
  readonly limits: ConnectionLimits;
  /** Hears what the connection does. Default: nobody, at the cost of one look per event. */
  readonly tracer?: Tracer | undefined;
  /** A clock in milliseconds, as fine as possible: measures how long things take. Default: nothing is measured. */
  readonly profile?: (() => number) | undefined;
  /** Gets the keys of every epoch as a line of text: they open all that is sent. Default: nobody gets them. */
  readonly keyLog?: KeyLog | undefined;
}

/** What a dialling connection needs. `handshake.parameters` come from `transportParameters(limits)`, on UDP with `path.receiveBuffer`. */
export interface DialConfig extends ConnectionBase {
  /** The initiator's handshake. */
  readonly handshake: InitiatorConfig;
  /** UDP: what is known of the path. Must be given exactly when `handshake.reliable` is false. */
  readonly path?: PathOptions;
}

/** What an answering connection needs. */
export interface AnswerConfig extends ConnectionBase {
  /** Shared by all connections of a listener. */
  readonly acceptor: Acceptor;
  /** Where the peer's bytes come from, for rate limits and cookies. */
  readonly from: { readonly host: string; readonly port: number };
  /** Milliseconds from the start until AUTH_PROOF has verified. Default 10000. */
  readonly handshakeTimeout?: number;
  /** Milliseconds for the accept hook. Default 5000. */
  readonly acceptTimeout?: number;
}

/** What the responder's side of a UDP session needs, once AUTH_PROOF has verified. */
export interface AcceptConfig extends ConnectionBase {
  readonly acceptor: Acceptor;
  readonly pending: PendingSession;
  readonly path: PathOptions;
  /** Round trip of the handshake in ms, if it was measured. */
  readonly rttMs?: number;
  /** Milliseconds for the accept hook. Default 5000. */
  readonly acceptTimeout?: number;
}

/**
 * Where a connection stands. `deciding`: the responder's accept hook is asked. `flushing`: `close()` sends what was
 * written. `closing`: SESSION_CLOSE is on its way, the peer's is awaited. `closed`: nothing more will happen.
 */
export type ConnectionState =
  | "handshaking"
  | "deciding"
  | "established"
  | "flushing"
  | "closing"
  | "closed";
