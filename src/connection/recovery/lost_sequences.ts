/**
 * Sequences declared lost and not acknowledged since.
 *
 * @module
 */
import { RangeSet } from "../../streams/range_set.ts";

/** Far more holes than a window has; older ones are forgotten. */
const MAX_RANGES = 256;

/** Tells spurious losses, and whether everything between two losses was lost too. */
export class LostSequences {
  readonly #ranges: RangeSet = new RangeSet();
  /** Lowest sequence that the last `acked` found among the lost. */
  lowest: number = NaN;

  add(sequence: number): void {
    this.#ranges.add(sequence, sequence + 1);
    if (this.#ranges.size > MAX_RANGES) this.#ranges.remove(0, this.#ranges.end(0));
  }

  /** True when every sequence from `first` to `last` was lost. */
  covers(first: number, last: number): boolean {
    return this.#ranges.endOfRangeAt(first) > last;
  }

  /** Sequences `low` to `high` arrived after all: adds those that had been declared lost to `into`. Returns how many. */
  acked(low: number, high: number, into: number[]): number {
    const ranges = this.#ranges;
    if (ranges.size === 0 || ranges.end(ranges.size - 1) <= low) return 0;
    this.lowest = Math.max(low, ranges.start(ranges.indexAbove(low)));
    for (let index = ranges.indexAbove(low); index < ranges.size; index++) {
      const end = Math.min(ranges.end(index), high + 1);
      for (let at = Math.max(low, ranges.start(index)); at < end; at++) into.push(at);
    }
    return ranges.remove(low, high + 1);
  }

  clear(): void {
    this.#ranges.clear();
  }
}
