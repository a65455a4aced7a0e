import { DEFAULT_ROTATE_BYTES, DEFAULT_ROTATE_MS, DEFAULT_ROTATE_PACKETS } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { RotationCause } from "../observe/trace_event.ts";

/** When a key is due for replacement: the first limit that is reached counts (SPEC 7). */
export interface RotationLimits {
  /** Bytes of whole frames sealed in an epoch. */
  readonly bytes: number;
  /** Milliseconds since the epoch began. */
  readonly ms: number;
  /** Frames sealed in an epoch. */
  readonly packets: number;
}

/** 1 GiB, 1 hour, 2^24 frames. */
export const DEFAULT_ROTATION_LIMITS: RotationLimits = {
  bytes: DEFAULT_ROTATE_BYTES,
  ms: DEFAULT_ROTATE_MS,
  packets: DEFAULT_ROTATE_PACKETS,
};

/** What the reference names: 100 MB, 1 hour, 10 000 messages. */
export const REFERENCE_ROTATION_LIMITS: RotationLimits = {
  bytes: 104_857_600,
  ms: 3_600_000,
  packets: 10_000,
};

/** SPEC 7: at so many times a limit without a rotation the session closes. */
const HARD_FACTOR = 4;

/** From here on data waits for the peer, so that a fast sender on a long path does not run into the hard limit. */
const HOLD_FACTOR = 2;

/**
 * The rules of SPEC 7 for when the sending side moves to its next epoch. It holds no keys: {@link Protection} derives
 * them when `sendEpoch` moves.
 */
export class KeyRotation {
  readonly #limits: RotationLimits;
  #sendEpoch = 0;
  #recvEpoch = -1;
  #bytes = 0;
  #packets = 0;
  #sinceMs: number;
  #requested = false;
  #pending = false;
  #answering = false;
  #cause: RotationCause = "request";

  constructor(limits: RotationLimits, nowMs: number) {
    this.#limits = limits;
    this.#sinceMs = nowMs;
  }

  /** Epoch that frames are sealed in. */
  get sendEpoch(): number {
    return this.#sendEpoch;
  }

  /** Highest epoch a frame verified in; -1 before the first. */
  get recvEpoch(): number {
    return this.#recvEpoch;
  }

  /** Nothing was sealed in this epoch yet: its first frame carries KEY_ROTATION. */
  get pending(): boolean {
    return this.#pending;
  }

  /**
   * SPEC 7: the peer starts e+1 only after a frame of ours of e or e+1, so a peer that keeps the rules is never further
   * than this.
   */
  get peerLimit(): number {
    return this.#packets > 0 ? this.#sendEpoch + 1 : this.#sendEpoch;
  }

  /** `pending`, because the peer moved first. */
  get answering(): boolean {
    return this.#pending && this.#answering;
  }

  /** Why the epoch moved last. */
  get cause(): RotationCause {
    return this.#cause;
  }

  /** Bytes of whole frames sealed in this epoch. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Frames sealed in this epoch. */
  get packets(): number {
    return this.#packets;
  }

  /** Asks for a rotation; it stays asked for until the epoch moves. */
  request(): void {
    this.#requested = true;
  }

  /** A frame of `bytes` was sealed in the present epoch. */
  sealed(bytes: number): void {
    this.#bytes += bytes;
    this.#packets++;
    this.#pending = false;
  }

  /** A limit is reached, or a rotation was asked for. */
  due(nowMs: number): boolean {
    return this.#requested || this.#passed(1, nowMs);
  }

  /**
   * SPEC 7: epoch e+1 starts only after a valid frame of epoch e or e+1 came from the peer. An epoch is not left
   * before its first frame went out: the peer would see a number it cannot expect.
   */
  get allowed(): boolean {
    return !this.#pending && this.#recvEpoch >= this.#sendEpoch;
  }

  /** When the age of the epoch makes a rotation due that the peer's silence does not allow, or undefined. */
  get blockedFrom(): number | undefined {
    return this.allowed || this.#packets === 0 ? undefined : this.#sinceMs + this.#limits.ms;
  }

  /** Moves to the next epoch if that is allowed. */
  start(nowMs: number): boolean {
    if (!this.allowed) return false;
    this.#advance(nowMs, false);
    return true;
  }

  /** Data should wait: the rotation is overdue, and only a frame of the peer can let the epoch move. */
  holding(nowMs: number): boolean {
    return !this.allowed && this.#passed(HOLD_FACTOR, nowMs);
  }

  /** AEAD_LIMIT when a limit is passed fourfold and the peer never let the epoch move. */
  exhausted(nowMs: number): SttError | undefined {
    if (this.allowed || !this.#passed(HARD_FACTOR, nowMs)) return undefined;
    return new SttError(
      "AEAD_LIMIT",
      `cannot send in epoch ${this.#sendEpoch}: ${this.#bytes} bytes, ${this.#packets} frames and ` +
        `${Math.floor(nowMs - this.#sinceMs)} ms without a frame of it from the peer`,
    );
  }

  /** A frame of `epoch` verified. True when that moved the sending side: nothing more goes out under the old epoch. */
  opened(epoch: number, nowMs: number): boolean {
    if (epoch > this.#recvEpoch) this.#recvEpoch = epoch;
    if (epoch <= this.#sendEpoch) return false;
    while (this.#sendEpoch < epoch) this.#advance(nowMs, true);
    return true;
  }

  #advance(nowMs: number, answering: boolean): void {
    this.#cause = answering ? "peer" : this.#reached(nowMs);
    this.#sendEpoch++;
    this.#bytes = 0;
    this.#packets = 0;
    this.#sinceMs = nowMs;
    this.#requested = false;
    this.#pending = true;
    this.#answering = answering;
  }

  /** The limit that was reached; without one it was asked for. */
  #reached(nowMs: number): RotationCause {
    if (this.#bytes >= this.#limits.bytes) return "bytes";
    if (this.#packets >= this.#limits.packets) return "packets";
    return nowMs - this.#sinceMs >= this.#limits.ms ? "time" : "request";
  }

  #passed(factor: number, nowMs: number): boolean {
    // A key that protected nothing wears no limit: an idle session neither rotates nor closes.
    return this.#packets > 0 &&
      (this.#bytes >= factor * this.#limits.bytes ||
        this.#packets >= factor * this.#limits.packets ||
        nowMs - this.#sinceMs >= factor * this.#limits.ms);
  }
}
