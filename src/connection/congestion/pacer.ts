/**
 * Spreads packets over the round trip.
 *
 * @module
 */

const BURST_PACKETS = 10;
const BURST_MS = 2;
const TIMER_MS = 1;

/**
 * A token bucket that holds max(10 packets, 2 ms at the pacing rate) and never asks for a timer below 1 ms
 * (SPEC 10.4).
 *
 * Timers on the runtimes fire late by a millisecond or more, so the bucket must hold what the path takes in that
 * time; what it held back is sent in one burst at the next wake.
 */
export class Pacer {
  #mtu: number;
  #tokens: number;
  #filledMs = 0;

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
   * @param _nowMs Monotonic milliseconds.
   */
  onSent(bytes: number, _nowMs: number): void {
    this.#tokens = Math.max(this.#tokens - bytes, -BURST_PACKETS * this.#mtu);
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
    const missing = Math.min(bytes, this.#capacity(rate)) - this.#tokens;
    return missing <= 0 ? undefined : nowMs + Math.max(TIMER_MS, missing / rate);
  }

  #capacity(rate: number): number {
    return Math.max(BURST_PACKETS * this.#mtu, BURST_MS * rate);
  }

  #fill(nowMs: number, rate: number | undefined): void {
    const elapsedMs = Math.max(0, nowMs - this.#filledMs);
    this.#filledMs = Math.max(this.#filledMs, nowMs);
    if (rate === undefined) this.#tokens = BURST_PACKETS * this.#mtu;
    else this.#tokens = Math.min(this.#capacity(rate), this.#tokens + rate * elapsedMs);
  }
}
