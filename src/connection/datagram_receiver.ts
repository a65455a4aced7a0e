/**
 * The datagrams of one UDP session: anybody can send them, so that nothing here ends a session by itself (SPEC 4, 7.2).
 *
 * @module
 */
import { FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { EARLY_BYTES, EARLY_DATAGRAMS, FRAME_HANDSHAKE } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { endsInResetToken } from "../session/reset_token.ts";
import { asSttError } from "./closing.ts";
import type { FrameReceiver, Receiver } from "./frame_receiver.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Route } from "./route.ts";
import type { Counters } from "./stats.ts";

interface Held {
  readonly bytes: Uint8Array;
  readonly host: string;
  readonly port: number;
}

/** What a datagram receiver works with. */
export interface DatagramReceiverParts {
  readonly lifecycle: Lifecycle;
  readonly frames: FrameReceiver;
  readonly counters: Counters;
  readonly route: Route;
  readonly provider: CryptoProvider;
  /** Largest frame body taken. */
  readonly maxFrame: number;
}

const HEADER: FrameHeader = new FrameHeader();

/** Takes whole datagrams, in any order and any number of times. */
export class DatagramReceiver implements Receiver {
  readonly #parts: DatagramReceiverParts;
  /** Of all sessions: it is read before the next datagram is looked at, and keeps the last one alive. */
  readonly #header: FrameHeader = HEADER;
  #held: Held[] = [];
  #heldBytes = 0;

  constructor(parts: DatagramReceiverParts) {
    this.#parts = parts;
  }

  /** SPEC 4: the rest of a datagram is dropped at the first frame that does not parse. */
  receive(bytes: Uint8Array, nowMs: number, host: string, port: number): void {
    const { lifecycle, frames, counters, route, maxFrame } = this.#parts;
    if (lifecycle.state === "deciding") {
      this.#hold(bytes, host, port);
      return;
    }
    route.arriving(host, port, bytes.length);
    if (lifecycle.state === "closing") lifecycle.ending.onDatagram();
    const header = this.#header;
    for (let offset = 0; offset < bytes.length && lifecycle.state !== "closed";) {
      let end: number;
      try {
        end = parseFrameHeader(bytes, offset, bytes.length, maxFrame, header);
      } catch (error) {
        counters.reject(asSttError(error).code, bytes.length - offset);
        this.#checkReset(bytes);
        return;
      }
      const frame = bytes.subarray(offset, end);
      offset = end;
      counters.framesReceived++;
      if (header.type !== FRAME_HANDSHAKE) {
        // The header's views count from the start of the frame.
        parseFrameHeader(frame, 0, frame.length, maxFrame, header);
        if (!this.#packet(frame, nowMs)) this.#checkReset(bytes);
      } else if (lifecycle.state === "handshaking") {
        frames.handshake(frame, nowMs);
      } else {
        counters.reject("handshake", frame.length);
      }
    }
  }

  /** SPEC 6.3.7, also while the accept hook decides: nothing here has verified. What is not held comes again. */
  #hold(bytes: Uint8Array, host: string, port: number): void {
    const held = this.#held;
    if (held.length >= EARLY_DATAGRAMS || this.#heldBytes + bytes.length > EARLY_BYTES) {
      this.#parts.counters.reject("early", bytes.length);
      return;
    }
    held.push({ bytes, host, port });
    this.#heldBytes += bytes.length;
  }

  /** False when the frame is dropped. */
  #packet(frame: Uint8Array, nowMs: number): boolean {
    const { lifecycle, frames, counters, route } = this.#parts;
    if (lifecycle.core === undefined) {
      counters.reject("early", frame.length);
      return false;
    }
    if (!route.accepted) {
      counters.reject("migrate", frame.length);
      return false;
    }
    try {
      return frames.protected(frame, this.#header, nowMs);
    } catch (error) {
      lifecycle.refuseInput(error, nowMs);
      return true;
    }
  }

  /** SPEC 7.7: what would be dropped may be the word of a peer that lost the session. */
  #checkReset(datagram: Uint8Array): void {
    const { lifecycle, provider } = this.#parts;
    const token = lifecycle.session?.peer.parameters.reset;
    if (lifecycle.state === "closed" || !endsInResetToken(provider, datagram, token)) return;
    lifecycle.onStatelessReset();
  }

  endOfMessage(): void {
    // Every datagram ends its frames.
  }

  /** SPEC 7: the datagrams that lay ready were received; one decision about acknowledging them. */
  endOfBatch(nowMs: number): void {
    this.#parts.lifecycle.core?.transmission?.acks.endOfBatch(nowMs);
  }

  resume(nowMs: number): void {
    const held = this.#held;
    this.release();
    for (const { bytes, host, port } of held) this.receive(bytes, nowMs, host, port);
    this.endOfBatch(nowMs);
  }

  release(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}
