/**
 * Shapes that the handshake shares with the layers above it.
 *
 * @module
 */
import type { SttValue } from "../codec/values.ts";
import type { SeedKeys, SessionSecrets } from "../crypto/key_schedule.ts";
import type { CryptoProvider, X25519PrivateKey } from "../crypto/provider.ts";
import type { SttError } from "../errors.ts";

/** Which side of a handshake this is: the initiator sends HELLO. */
export type HandshakeRole = "initiator" | "responder";

/**
 * What one side tells the other inside the encrypted payload of message 2 or 3 (SPEC 6.2). Version and suite lists
 * travel in the same payload, but belong to the negotiation and are not listed here.
 */
export interface TransportParameters {
  /** Bit set of `CAPABILITY_*`; informative in version 1. Default 0. */
  readonly capabilities: number;
  /** Idle timeout in milliseconds, 0 for none. Default 300 000. */
  readonly maxIdle: number;
  /** Initial credit of the session in bytes. Default 1 048 576. */
  readonly maxData: number;
  /** Initial credit of each stream in bytes. Default 262 144. */
  readonly maxStreamData: number;
  /** Streams that the receiver of this may open, 0 to 2^31. Default 256. */
  readonly maxStreams: number;
  /** Largest payload of DATA, DATAGRAM and custom frames taken, 0 for none. Default 65 535. */
  readonly maxDatagram: number;
  /** Largest frame body taken, 1200 to 2 097 152 bytes. Default 65 536. */
  readonly maxFrame: number;
  /** Largest UDP payload taken, at least 1200 bytes. Default 65 507. */
  readonly maxUdp: number;
  /** Longest that an acknowledgement is held back, 0 to 1000 ms. Default 25. */
  readonly ackDelay: number;
  /** Packets per acknowledgement, 1 to 64. Default 16. */
  readonly ackEvery: number;
  /** Stateless reset token of the session, 16 bytes. Default none. */
  readonly reset?: Uint8Array;
  /** Whether the session may move to another address. Default true. */
  readonly migrate: boolean;
  /** Application protocol, at most 64 bytes of UTF-8. Default "". */
  readonly app: string;
  /** Keys that this version does not know: sent as they are, ignored on receipt. */
  readonly extra?: ReadonlyMap<string, SttValue>;
}

/** What is known of the other side of a session. */
export interface HandshakePeer {
  /** Static X25519 public key of the peer, 32 bytes: its authenticated identity. */
  readonly nodeId: Uint8Array;
  /** What the peer announced; the defaults when its payload was refused. */
  readonly parameters: TransportParameters;
  /** True when the identity was checked against `expect`; otherwise the peer is "some holder of the seed". */
  readonly pinned: boolean;
  /** True when a pair key took part. */
  readonly pairKey: boolean;
  /** Responder only: index in `AcceptorConfig.seeds` of the seed that the peer dialled with. */
  readonly seedIndex?: number;
}

/** The outcome of a handshake. The owner wipes `secrets` when the session ends. */
export interface HandshakeSession {
  /** Our own side. */
  readonly role: HandshakeRole;
  /** 8 bytes. */
  readonly sessionId: Uint8Array;
  /** Suite in use. */
  readonly suite: number;
  /** Protocol version in use. */
  readonly version: number;
  /** Keys of the session. */
  readonly secrets: SessionSecrets;
  /** The other side. */
  readonly peer: HandshakePeer;
  /** The ticket that the session resumes with; absent for a session of its own (SPEC 15.2). */
  readonly resumed?: UsedTicket;
}

/** A ticket that took part in a handshake. */
export interface UsedTicket {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** Responder: {@link HeldTicket.owner}. */
  readonly owner?: string;
}

/** A ticket to dial with. */
export interface DialTicket {
  /** 16 bytes. */
  readonly id: Uint8Array;
  /** 32 bytes; stays the caller's. */
  readonly secret: Uint8Array;
  /** Whose session gave it, 32 bytes: nobody else is taken. */
  readonly nodeId: Uint8Array;
  /** False: go on with a session of its own when the listener does not know the ticket. Default true: `TICKET`. */
  readonly required?: boolean;
}

/** A ticket as the listener that gave it keeps it. */
export interface HeldTicket {
  /** 32 bytes; whoever is given it does not keep it without copying it. */
  readonly secret: Uint8Array;
  /** The one node that may use it, 32 bytes. */
  readonly nodeId: Uint8Array;
  /** The seed of the session that gave it: its `seedId` for a nonce of 32 zero bytes. */
  readonly seed: Uint8Array;
  /** The keeper's own name for what the ticket resumes. */
  readonly owner: string;
}

/** Where a listener looks tickets up. Both calls take Unix milliseconds and are answered at once. */
export interface TicketKeeper {
  /** The ticket of this id, if it is there, unused and not expired. Uses nothing up. */
  find(id: Uint8Array, unixMs: number): HeldTicket | undefined;
  /** Uses a ticket up; false when it is not there any more. No two calls for one id return true. */
  take(id: Uint8Array, unixMs: number): boolean;
}

/**
 * Values that are random otherwise, for vectors and conformance runs only. Each is asked for once per use and the
 * functions may return a new value at each call.
 */
export interface HandshakeInjection {
  /** Ephemeral key, whose public half is the message's `nonce`. It is destroyed with the handshake. */
  readonly ephemeral?: () => X25519PrivateKey;
  /** The message field `node_id`, 32 bytes. */
  readonly nodeIdAlias?: () => Uint8Array;
  /** Unix milliseconds for the `timestamp` field, instead of `nowMs + unixOffsetMs`. */
  readonly timestamp?: (message: HandshakeMessageName) => number;
  /** Acceptor: a new cookie secret of 32 bytes; asked for whenever the secret is renewed. */
  readonly cookieSecret?: () => Uint8Array;
}

/** Names of the messages, as their field `type` spells them. */
export type HandshakeMessageName = "HELLO" | "RESPONSE" | "AUTH_PROOF" | "FINAL" | "RETRY";

/** Options of one dial. */
export interface InitiatorConfig {
  /** Primitives and randomness. */
  readonly provider: CryptoProvider;
  /** True on TCP, WebSocket and memory: no repeats, and any failure ends the dial. */
  readonly reliable: boolean;
  /** Keys of the shared seed. They stay the caller's, who wipes them. */
  readonly seedKeys: SeedKeys;
  /** This node's identity. It stays the caller's. */
  readonly staticKey: X25519PrivateKey;
  /** Second psk of the pattern, 32 bytes (SPEC 5). */
  readonly pairKey?: Uint8Array;
  /** Pin: the peer's `nodeId`, or a predicate over it; a predicate that throws refuses. */
  readonly expect?: Uint8Array | ((nodeId: Uint8Array) => boolean);
  /** What this side announces. */
  readonly parameters: TransportParameters;
  /** Token to announce for the session, known only once its id is: overrides `parameters.reset`. */
  readonly resetToken?: (sessionId: Uint8Array) => Uint8Array | undefined;
  /** Suites by preference: 1 and 2. */
  readonly suites: readonly number[];
  /** Accept a peer whose static key is ours. Default false. */
  readonly allowSelf?: boolean;
  /** Milliseconds from construction to HANDSHAKE_TIMEOUT. */
  readonly timeoutMs: number;
  /** Unix milliseconds = `nowMs + unixOffsetMs`. */
  readonly unixOffsetMs: number;
  /** Resumes the session that gave this ticket (SPEC 15.2). */
  readonly ticket?: DialTicket;
  /** Unknown fields to add to HELLO; they take part in the handshake hash. */
  readonly helloExtra?: ReadonlyMap<string, SttValue>;
  /** Replaces what is random otherwise. */
  readonly injection?: HandshakeInjection;
}

/** Options of a listener. */
export interface AcceptorConfig {
  /** Primitives and randomness. */
  readonly provider: CryptoProvider;
  /** Keys of 1 to 64 shared seeds, tried in order. They stay the caller's. */
  readonly seeds: readonly SeedKeys[];
  /** This node's identity. It stays the caller's. */
  readonly staticKey: X25519PrivateKey;
  /** Pair key of everybody, or by the peer's `nodeId`; undefined stands for "no pair key with this node". */
  readonly pairKey?: Uint8Array | ((nodeId: Uint8Array) => Uint8Array | undefined);
  /** What this side announces. May be set until the first HELLO. */
  parameters: TransportParameters;
  /** Token to announce for a session: overrides `parameters.reset`. */
  readonly resetToken?: (sessionId: Uint8Array) => Uint8Array | undefined;
  /** Suites taken: 1 and 2. */
  readonly suites: readonly number[];
  /** Most handshakes between HELLO and accept, in all. Default 1024. */
  readonly halfOpen?: number;
  /** The same per address. Default 16. */
  readonly halfOpenPerAddress?: number;
  /** HELLOs per second and /32 or /64, with a burst of a quarter of it (at least 1). Default 20; Infinity for no limit. */
  readonly handshakeRate?: number;
  /** Networks whose rate is remembered; beyond, the one idle for longest is forgotten. Default 8192. */
  readonly maxNetworks?: number;
  /** Nonces of HELLOs remembered for 245 s; beyond, the oldest is forgotten and its HELLO may be repeated. Default 65 536. */
  readonly maxNonces?: number;
  /** Milliseconds from HELLO until a half-open handshake is forgotten. Default 10 000. */
  readonly timeoutMs?: number;
  /** Unix milliseconds = `nowMs + unixOffsetMs`; may be corrected while running. */
  unixOffsetMs: number;
  /** True: HELLOs without a valid cookie get RETRY code 1. Half of `halfOpen` in use has the same effect. */
  readonly underLoad?: () => boolean;
  /** True: HELLOs whose commitment verifies get RETRY code 4. */
  readonly busy?: () => boolean;
  /** Accept a peer whose static key is ours. Default false. */
  readonly allowSelf?: boolean;
  /** True for nonces of this endpoint's own open dials: a HELLO that comes back is dropped. */
  readonly ownNonces?: (nonce: Uint8Array) => boolean;
  /** Tickets that this listener gave. Default: none is known. */
  readonly tickets?: TicketKeeper;
  /** True for ids of live sessions and tombstones: the acceptor then takes another nonce. */
  readonly sessionIdTaken?: (sessionId: Uint8Array) => boolean;
  /** Replaces what is random otherwise. */
  readonly injection?: HandshakeInjection;
}

/** Where a frame came from. */
export interface HandshakeSource {
  /** IP address as text, or any stable name on transports without addresses. */
  readonly host: string;
  /** Port on transports with ports, else 0. */
  readonly port: number;
  /** True on TCP, WebSocket and memory. */
  readonly reliable: boolean;
  /** Identity of the transport connection on reliable transports; compared with `===`. */
  readonly connection?: unknown;
}

/** A peer that proved seed and identity and waits for {@link AcceptorConfig}'s owner to accept or refuse it. */
export interface PendingSession {
  /** Ready for protected frames, but nothing may be delivered before the decision. */
  readonly session: HandshakeSession;
  /** Message 3's payload was refused: send SESSION_CLOSE with this code under the session keys, and no FINAL. */
  readonly refusal?: SttError;
}

/** Why a frame was dropped; also the key of the acceptor's counters. */
export type AcceptorDrop =
  | "frame" // not a HANDSHAKE frame, or its header breaks SPEC 3
  | "encoding" // the value is not canonical, too deep or too long
  | "type" // no message type that a responder takes
  | "field" // a field is absent, of another type or of another length
  | "rate" // too many HELLOs of this address
  | "seed_id" // no seed matches
  | "reflection" // the nonce is one of our own open ones
  | "suite" // no common suite
  | "retry_size" // the RETRY would be larger than the HELLO
  | "commitment" // the commitment does not verify
  | "replay" // the nonce was seen before
  | "half_open" // a half-open limit is reached
  | "session_id" // no free session id was found
  | "amplification" // the RESPONSE would pass 3 times the HELLO
  | "attempt" // no half-open handshake has this session id
  | "crypto" // AUTH_PROOF or a key agreement does not verify
  | "duplicate"; // repeated while undecided, or more than 5 times after FINAL or from other addresses

/** What to do with a frame that was given to the acceptor. */
export type AcceptorResult =
  | {
    readonly kind: "send";
    readonly frame: Uint8Array;
    /** Where the frame is a RESPONSE: the handshake that it began. */
    readonly halfOpen?: Uint8Array;
  }
  | { readonly kind: "session"; readonly pending: PendingSession }
  | { readonly kind: "drop"; readonly reason: AcceptorDrop };
