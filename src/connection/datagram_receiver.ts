/**
 * The datagrams of one UDP session: anybody can send them, so that nothing here ends a session by itself (SPEC 4, 7.2).
 *
 * @module
 */
import { FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { FRAME_HANDSHAKE } from "../constants.ts";
import { asSttError } from "./closing.ts";
import { FrameIntake } from "./frame_intake.ts";
import type { FrameReceiver, Receiver } from "./frame_receiver.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Counters } from "./stats.ts";
import type { ReceiverLimits } from "./stream_receiver.ts";

/** Takes whole datagrams, in any order and any number of times. */
export class DatagramReceiver implements Receiver {
  readonly #lifecycle: Lifecycle;
  readonly #frames: FrameReceiver;
  readonly #counters: Counters;
  readonly #maxFrame: number;
  readonly #held: FrameIntake;
  readonly #header: FrameHeader = new FrameHeader();

  constructor(
    lifecycle: Lifecycle,
    frames: FrameReceiver,
    counters: Counters,
    limits: ReceiverLimits,
  ) {
    this.#lifecycle = lifecycle;
    this.#frames = frames;
    this.#counters = counters;
    this.#maxFrame = limits.maxFrame;
    this.#held = new FrameIntake(limits.maxData);
  }

  /** SPEC 4: the rest of a datagram is dropped at the first frame that does not parse. */
  receive(bytes: Uint8Array, nowMs: number): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state === "deciding") {
      this.#hold(bytes);
      return;
    }
    if (lifecycle.state === "closing") lifecycle.ending.onDatagram();
    const header = this.#header;
    for (let offset = 0; offset < bytes.length && lifecycle.state !== "closed";) {
      let end: number;
      try {
        end = parseFrameHeader(bytes, offset, bytes.length, this.#maxFrame, header);
      } catch (error) {
        this.#counters.reject(asSttError(error).code);
        return;
      }
      const frame = bytes.subarray(offset, end);
      offset = end;
      this.#counters.framesReceived++;
      if (header.type !== FRAME_HANDSHAKE) {
        // The header's views count from the start of the frame.
        parseFrameHeader(frame, 0, frame.length, this.#maxFrame, header);
        this.#packet(frame, nowMs);
      } else if (lifecycle.state === "handshaking") {
        this.#frames.handshake(frame, nowMs);
      } else {
        this.#counters.reject("handshake");
      }
    }
  }

  #hold(bytes: Uint8Array): void {
    try {
      this.#held.hold(bytes);
    } catch (error) {
      // What is not held is not acknowledged either, and comes again.
      this.#counters.reject(asSttError(error).code);
    }
  }

  #packet(frame: Uint8Array, nowMs: number): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.core === undefined) {
      this.#counters.reject("early");
      return;
    }
    try {
      this.#frames.protected(frame, this.#header, nowMs);
    } catch (error) {
      lifecycle.refuseInput(error, nowMs);
    }
  }

  endOfMessage(): void {
    // Every datagram ends its frames.
  }

  /** SPEC 7: the datagrams that lay ready were received; one decision about acknowledging them. */
  endOfBatch(nowMs: number): void {
    this.#lifecycle.core?.transmission?.acks.endOfBatch(nowMs);
  }

  resume(nowMs: number): void {
    for (const bytes of this.#held.release()) this.receive(bytes, nowMs);
    this.endOfBatch(nowMs);
  }

  release(): void {
    this.#held.release();
  }
}
