/**
 * How bunched ACKs arrive.
 *
 * @module
 */

const AGGREGATION_ROUNDS = 5;

/**
 * How many more bytes ACKs deliver at once than the bandwidth explains, over the last 5 to 10 rounds: the window must
 * cover that much more, or the sender falls silent between two bunches of ACKs.
 */
export class AckAggregation {
  #startMs = 0;
  #delivered = 0;
  #recent = 0;
  #older = 0;
  #rounds = 0;

  /** Bytes. */
  get extra(): number {
    return Math.max(this.#recent, this.#older);
  }

  /** A round trip began. */
  onRound(): void {
    if (++this.#rounds < AGGREGATION_ROUNDS) return;
    this.#rounds = 0;
    this.#older = this.#recent;
    this.#recent = 0;
  }

  /** An ACK delivered `acked` bytes while the path is thought to carry `bandwidth` bytes per ms. */
  update(acked: number, bandwidth: number, window: number, nowMs: number): void {
    let expected = bandwidth * (nowMs - this.#startMs);
    if (this.#delivered <= expected) {
      this.#startMs = nowMs;
      this.#delivered = 0;
      expected = 0;
    }
    this.#delivered += acked;
    this.#recent = Math.max(this.#recent, Math.min(this.#delivered - expected, window));
  }
}
