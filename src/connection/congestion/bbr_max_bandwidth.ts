/**
 * How fast the path is.
 *
 * @module
 */

/** The highest delivery rate of this and the previous bandwidth probing cycle, in bytes per ms. */
export class MaxBandwidth {
  #previous = 0;
  #current = 0;

  /** Bytes per ms; 0 before the first sample. */
  get value(): number {
    return Math.max(this.#previous, this.#current);
  }

  /** Takes a sample. */
  update(rate: number): void {
    if (rate > this.#current) this.#current = rate;
  }

  /** The share of a bottleneck is known to be no more than `rate`. */
  limit(rate: number): void {
    this.#previous = Math.min(this.#previous, rate);
    this.#current = Math.min(this.#current, rate);
  }

  /** A probing cycle is over. A cycle without any sample is no reason to forget. */
  advance(): void {
    if (this.#current === 0) return;
    this.#previous = this.#current;
    this.#current = 0;
  }
}
