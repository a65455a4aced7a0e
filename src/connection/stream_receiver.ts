/**
 * The bytes of a reliable transport: frames follow each other in order, and the first wrong one ends the session.
 *
 * @module
 */
import { FRAME_HANDSHAKE } from "../constants.ts";
import { SttError } from "../errors.ts";
import { FrameIntake } from "./frame_intake.ts";
import type { FrameReceiver, Receiver } from "./frame_receiver.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { Counters } from "./stats.ts";

/** Sizes a receiver keeps to. */
export interface ReceiverLimits {
  /** Initial credit of this side. */
  readonly maxData: number;
  /** Largest frame body taken once a session exists. */
  readonly maxFrame: number;
}

/** Takes bytes in any chunks, in order. */
export class StreamReceiver implements Receiver {
  readonly #lifecycle: Lifecycle;
  readonly #frames: FrameReceiver;
  readonly #counters: Counters;
  readonly #maxFrame: number;
  readonly #intake: FrameIntake;

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
    this.#intake = new FrameIntake(limits.maxData);
  }

  receive(bytes: Uint8Array, nowMs: number): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state === "closed" || lifecycle.deaf) return;
    try {
      if (lifecycle.state === "deciding") {
        this.#intake.hold(bytes);
      } else {
        this.#intake.push(bytes);
        this.#drain(nowMs);
      }
    } catch (error) {
      this.#refuse(error, nowMs);
    }
  }

  /** SPEC 4: a frame that goes on behind the end of a message is malformed. */
  endOfMessage(nowMs: number): void {
    const lifecycle = this.#lifecycle;
    if (lifecycle.state === "closed" || lifecycle.deaf) return;
    if (lifecycle.state === "deciding") {
      this.#intake.heldMessages = true;
      return;
    }
    try {
      this.#intake.endOfMessage();
    } catch (error) {
      this.#refuse(error, nowMs);
    }
  }

  endOfBatch(): void {
    // The transport acknowledges.
  }

  resume(nowMs: number): void {
    try {
      this.#drain(nowMs);
      if (this.#intake.heldMessages) this.#intake.endOfMessage();
    } catch (error) {
      this.#refuse(error, nowMs);
    }
    for (const bytes of this.#intake.release()) {
      this.receive(bytes, nowMs);
      if (this.#intake.heldMessages) this.endOfMessage(nowMs);
    }
  }

  release(): void {
    this.#intake.release();
  }

  #drain(nowMs: number): void {
    const lifecycle = this.#lifecycle;
    while (lifecycle.state !== "closed" && lifecycle.state !== "deciding") {
      const frame = this.#intake.next();
      if (frame === undefined) return;
      this.#counters.framesReceived++;
      if (this.#intake.header.type === FRAME_HANDSHAKE) this.#handshake(frame, nowMs);
      else this.#frames.protected(frame, this.#intake.header, nowMs);
    }
  }

  #handshake(frame: Uint8Array, nowMs: number): void {
    const { state } = this.#lifecycle;
    if (state === "closing") return;
    if (state !== "handshaking") {
      throw new SttError("PROTOCOL", "cannot take HANDSHAKE frame: the session is open");
    }
    this.#frames.handshake(frame, nowMs);
    if (this.#lifecycle.core !== undefined) this.#intake.maxBody = this.#maxFrame;
  }

  #refuse(error: unknown, nowMs: number): void {
    const lifecycle = this.#lifecycle;
    lifecycle.refuseInput(error, nowMs);
    if (lifecycle.deaf) return;
    // Behind the wrong frame may come the peer's SESSION_CLOSE.
    try {
      this.#drain(nowMs);
    } catch (next) {
      this.#refuse(next, nowMs);
    }
  }
}
