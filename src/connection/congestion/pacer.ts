/**
 * Spreads packets over the round trip.
 *
 * @module
 */

const BURST_PACKETS = 10;
const BURST_MS = 2;
const TIMER_MS = 1;
const LATE_MS = 20;

/**
 * A token bucket that holds max(10 packets, 2 ms at the pacing rate) and never asks for a timer below 1 ms
 * (SPEC 10.4).
 *
 * Timers fire late by milliseconds when the event loop is busy. A sender that was made to wait gets what up to 20 ms
 * earn, or every late timer would cost rate; one that had nothing to send finds no more than the bucket.
 */
export class Pacer {
  #mtu: number;
  #tokens: number;
  #filledMs = 0;
  /** A sender waits for so many bytes. */
  #waiting = false;
  #wanted = 0;
  /** When a wait ended or a packet went, whichever was last. */
  #usedMs = -Infinity;

  /**
   * Starts with a full bucket.
   *
   * @param mtu Bytes of a full packet.
   */
  constructor(mtu: number) {
    this.#mtu = mtu;
    this.#tokens = BURST_PACKETS * mtu;
  }

  /** The UDP payload of a full packet changed. */
  onMtu(bytes: number): void {
    this.#mtu = bytes;
  }

  /**
   * Takes what was sent out of the bucket. Packets that go without asking (probes, ACKs) are charged too: the bucket
   * may go below zero, to minus one full bucket of packets.
   *
   * @param bytes UDP payload bytes.
   * @param nowMs Monotonic milliseconds.
   */
  onSent(bytes: number, nowMs: number): void {
    this.#tokens = Math.max(this.#tokens - bytes, -BURST_PACKETS * this.#mtu);
    this.#waiting = false;
    this.#usedMs = nowMs;
  }

  /**
   * Bytes that may go now; at most 0 when the sender must wait. A packet may go when it is not larger than this.
   *
   * @param nowMs Monotonic milliseconds.
   * @param rate Bytes per millisecond, undefined: no pacing, Infinity is returned.
   */
  budget(nowMs: number, rate: number | undefined): number {
    this.#fill(nowMs, rate);
    return rate === undefined ? Infinity : this.#tokens;
  }

  /**
   * When `bytes` may go, or undefined when they may go now. Never within the next millisecond: shorter waits are
   * rounded up, and the bucket keeps what they earn.
   *
   * @param nowMs Monotonic milliseconds.
   * @param rate Bytes per millisecond, undefined: no pacing.
   * @param bytes Size of the next packet; more than the bucket holds counts as a full bucket.
   */
  nextTime(nowMs: number, rate: number | undefined, bytes: number): number | undefined {
    this.#fill(nowMs, rate);
    if (rate === undefined) return undefined;
    this.#wanted = Math.min(bytes, this.#capacity(rate, BURST_MS));
    const missing = this.#wanted - this.#tokens;
    this.#waiting = missing > 0;
    return this.#waiting ? nowMs + Math.max(TIMER_MS, missing / rate) : undefined;
  }

  #capacity(rate: number, ms: number): number {
    return Math.max(BURST_PACKETS * this.#mtu, ms * rate);
  }

  #fill(nowMs: number, rate: number | undefined): void {
    const elapsedMs = nowMs - this.#filledMs;
    if (elapsedMs > 0) this.#filledMs = nowMs;
    if (rate === undefined) this.#tokens = BURST_PACKETS * this.#mtu;
    else if (elapsedMs > 0) {
      const capacity = this.#capacity(rate, this.#waiting ? LATE_MS : BURST_MS);
      const filled = Math.min(capacity, this.#tokens + rate * elapsedMs);
      // What a late timer found lasts while its packets are being sent, which takes time of its own.
      if (filled > this.#tokens || nowMs - this.#usedMs >= BURST_MS) this.#tokens = filled;
      if (!this.#waiting || this.#tokens < this.#wanted) return;
      this.#waiting = false;
      this.#usedMs = nowMs;
    }
  }
}
