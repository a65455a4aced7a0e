/**
 * What a connection tells its driver, polled with `nextEvent()`.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import type { PathAddress } from "./recovery/path.ts";

/** Facts about the authenticated peer; nothing in it is secret. */
export type PeerFacts = HandshakeSession["peer"];

/** How a session ended. */
export interface CloseFacts {
  /** Wire number: 0 for an orderly close, 0x100 and above for the application's codes. */
  readonly code: number;
  /** At most 256 bytes of UTF-8. */
  readonly reason: string;
  /** True when the peer closed. */
  readonly remote: boolean;
  /** Undefined for an orderly close (code 0). */
  readonly error: SttError | undefined;
  /** False when bytes that were written on this side had not left it. */
  readonly complete: boolean;
}

/** An event of a connection. Stream ids are 1 to 2^32-1; initiator odd, responder even. */
export type ConnectionEvent =
  /** Initiator: RESPONSE verified, early data may be sent. */
  | { readonly type: "early"; readonly peer: PeerFacts }
  /** Responder: AUTH_PROOF verified; answer with `accept()` or `refuse()`. */
  | { readonly type: "identified"; readonly peer: PeerFacts }
  /** The session is open on this side. */
  | { readonly type: "established"; readonly peer: PeerFacts }
  /** The peer opened a stream. */
  | { readonly type: "stream"; readonly id: number; readonly kind: number }
  /** Bytes, a message, the end or a reset can be read. Repeats only after a read found nothing. */
  | { readonly type: "readable"; readonly id: number }
  /** The send buffer of a stream fell below its mark. */
  | { readonly type: "writable"; readonly id: number }
  | { readonly type: "reset"; readonly id: number; readonly code: number }
  | { readonly type: "stopped"; readonly id: number; readonly code: number }
  /** Our side of the stream is sent whole, or reset. */
  | { readonly type: "finished"; readonly id: number }
  /** Both sides are done; the stream's state is gone. */
  | { readonly type: "stream-closed"; readonly id: number }
  /** The peer allows more streams. */
  | { readonly type: "streams-available" }
  /** `nextDatagram()` has something. Repeats only after it was emptied. */
  | { readonly type: "datagram" }
  /** `nextCustomFrame()` has something. Repeats only after it was emptied. */
  | { readonly type: "custom-frame" }
  /** Answer to `ping()`. */
  | { readonly type: "pong"; readonly ping: number; readonly rttMs: number }
  /** The first frame of a key epoch was sent or received. */
  | { readonly type: "rekey"; readonly direction: "send" | "receive"; readonly epoch: number }
  /** `maxDatagramSize` is another one: the path's packet size changed, or the epoch number grew longer. */
  | { readonly type: "datagram-size"; readonly maxDatagramSize: number }
  /** UDP: the peer answered at another address, and everything goes there now (SPEC 10.6). */
  | { readonly type: "migrated"; readonly from: PathAddress; readonly to: PathAddress }
  /** An ERROR record of the peer: informative. */
  | {
    readonly type: "peer-error";
    readonly stream: number;
    readonly code: number;
    readonly reason: string;
  }
  /** Last event. The driver closes the transport when nothing is left to transmit. */
  | { readonly type: "closed"; readonly facts: CloseFacts };

/** A received DATA frame. */
export interface Datagram {
  /** 0 to 2^32-1. */
  readonly channel: number;
  /** The application's bytes. */
  readonly data: Uint8Array;
}

/** A received frame of type 80-FF. */
export interface CustomFrame {
  /** 0x80 to 0xff. */
  readonly frameType: number;
  /** The application's own eight bits. */
  readonly flags: number;
  /** 0 to 2^32-1, free for the application. */
  readonly streamId: number;
  /** The application's bytes. */
  readonly payload: Uint8Array;
}
