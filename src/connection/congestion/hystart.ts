/**
 * Leaving slow start before the queue overflows: HyStart++ (RFC 9406).
 *
 * @module
 */

const MIN_THRESHOLD_MS = 4;
const MAX_THRESHOLD_MS = 16;
const THRESHOLD_DIVISOR = 8;
const SAMPLES_PER_ROUND = 8;
const CONSERVATIVE_GROWTH_DIVISOR = 4;
const CONSERVATIVE_ROUNDS = 5;

/**
 * Watches the smallest round trip of each round. When it rises, slow start becomes conservative (a quarter of the
 * growth); after five such rounds it is over, unless the round trip falls again, which shows that the rise was jitter.
 *
 * The cap L of RFC 9406 is unlimited here, since all senders are paced.
 */
export class HyStart {
  #roundEnd = -1;
  #lastMinMs = Infinity;
  #currentMinMs = Infinity;
  #samples = 0;
  #baselineMs = Infinity;
  #conservativeRounds = 0;

  /** True in conservative slow start. */
  get conservative(): boolean {
    return this.#baselineMs !== Infinity;
  }

  /** What the window is to be divided by when it would grow by one. */
  get divisor(): number {
    return this.conservative ? CONSERVATIVE_GROWTH_DIVISOR : 1;
  }

  /** Forgets all rounds: slow start begins anew. */
  reset(): void {
    this.#roundEnd = -1;
    this.#lastMinMs = Infinity;
    this.#currentMinMs = Infinity;
    this.#samples = 0;
    this.#baselineMs = Infinity;
    this.#conservativeRounds = 0;
  }

  /**
   * An ACK arrived during slow start.
   *
   * @param rttMs The round trip it measured, undefined when it measured none.
   * @param largestAcked The highest sequence acknowledged.
   * @param largestSent The highest sequence that has left.
   * @returns True when slow start is over.
   */
  onAcked(rttMs: number | undefined, largestAcked: number, largestSent: number): boolean {
    if (rttMs !== undefined) this.#onSample(rttMs);
    if (largestAcked <= this.#roundEnd) return false;
    // The packet that opened the round has been acknowledged: the next round ends with what is in flight now.
    this.#roundEnd = largestSent;
    this.#lastMinMs = this.#currentMinMs;
    this.#currentMinMs = Infinity;
    this.#samples = 0;
    if (!this.conservative) return false;
    this.#conservativeRounds++;
    return this.#conservativeRounds >= CONSERVATIVE_ROUNDS;
  }

  #onSample(rttMs: number): void {
    this.#currentMinMs = Math.min(this.#currentMinMs, rttMs);
    this.#samples++;
    if (this.#samples < SAMPLES_PER_ROUND) return;
    if (this.conservative) {
      if (this.#currentMinMs >= this.#baselineMs) return;
      this.#baselineMs = Infinity;
      return;
    }
    if (this.#lastMinMs === Infinity) return;
    const threshold = Math.min(
      MAX_THRESHOLD_MS,
      Math.max(MIN_THRESHOLD_MS, this.#lastMinMs / THRESHOLD_DIVISOR),
    );
    if (this.#currentMinMs < this.#lastMinMs + threshold) return;
    this.#baselineMs = this.#currentMinMs;
    this.#conservativeRounds = 0;
  }
}
