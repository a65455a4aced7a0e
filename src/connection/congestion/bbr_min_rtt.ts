/**
 * How long the empty path takes.
 *
 * @module
 */

const MIN_RTT_WINDOW_MS = 10_000;
const PROBE_INTERVAL_MS = 5_000;

/** A sample within this factor and time of the lowest confirms it: a probe for it costs 2 % of the bandwidth. */
const CONFIRM_FACTOR = 1.01;
const CONFIRM_MS = 0.25;

/** The lowest round trip of 10 s, and whether 5 s have passed without one as low (then it is to be probed for). */
export class MinRtt {
  #value = Infinity;
  #valueMs = 0;
  #recent = Infinity;
  #recentMs = 0;
  #expired = false;

  /** Milliseconds; Infinity before the first sample. */
  get value(): number {
    return this.#value;
  }

  /** True when the last sample came after 5 s without one as low as the lowest before. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Takes a sample. */
  update(rttMs: number, nowMs: number): void {
    this.#expired = this.#recent !== Infinity && nowMs > this.#recentMs + PROBE_INTERVAL_MS;
    if (rttMs <= this.#recent || this.#expired) {
      this.#recent = rttMs;
      this.#recentMs = nowMs;
    }
    // Packets of different sizes and timers of whole milliseconds: nearly as low confirms it.
    if (rttMs <= this.#recent * CONFIRM_FACTOR + CONFIRM_MS) {
      this.#recentMs = nowMs;
      if (this.#recent === this.#value) this.#valueMs = nowMs;
    }
    if (this.#recent <= this.#value || nowMs > this.#valueMs + MIN_RTT_WINDOW_MS) {
      this.#value = this.#recent;
      this.#valueMs = this.#recentMs;
    }
  }

  /** The path was nearly empty for long enough: what was measured is as low as it gets. */
  refresh(nowMs: number): void {
    this.#recentMs = nowMs;
  }
}
