/**
 * Whether the pipe is full.
 *
 * @module
 */

const GROWTH = 1.25;
const ROUNDS_WITHOUT_GROWTH = 3;

/** Whether sending more has stopped delivering more: three rounds that raised the rate by less than a quarter. */
export class FullPipe {
  #baseline = 0;
  #rounds = 0;
  #now = false;

  /** True when the pipe has been full since the last `reset`. */
  get now(): boolean {
    return this.#now;
  }

  /** Rounds since the rate last grew by a quarter. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Looks anew, from this rate on. */
  reset(baseline: number): void {
    this.#baseline = baseline;
    this.#rounds = 0;
    this.#now = false;
  }

  /** Takes a sample that the application did not limit. */
  update(rate: number, roundStart: boolean): void {
    if (this.#now) return;
    if (rate >= this.#baseline * GROWTH) {
      this.reset(rate);
      return;
    }
    if (roundStart && ++this.#rounds >= ROUNDS_WITHOUT_GROWTH) this.#now = true;
  }
}
