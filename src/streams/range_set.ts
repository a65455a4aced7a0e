/**
 * A set of integers as disjoint, sorted, half-open ranges.
 *
 * @module
 */

/** Of every set that is empty; nothing is ever added to it. */
const NONE: number[] = [];

/** Neighbouring ranges merge, so the cost follows the number of holes, not of additions. */
export class RangeSet {
  // Most sets have one range at most. An array that is made with its first item takes 8 bytes for it; one that is made
  // empty takes room for 17.
  #starts: number[] = NONE;
  #ends: number[] = NONE;
  #total = 0;

  /** Number of ranges. */
  get size(): number {
    return this.#starts.length;
  }

  /** Number of integers in all ranges. */
  get total(): number {
    return this.#total;
  }

  /** Start of range `index`, in ascending order. */
  start(index: number): number {
    return this.#starts[index] ?? NaN;
  }

  /** End (exclusive) of range `index`. */
  end(index: number): number {
    return this.#ends[index] ?? NaN;
  }

  /** Adds [start, end) and returns how many integers were new. */
  add(start: number, end: number): number {
    if (end <= start) return 0;
    const starts = this.#starts;
    const ends = this.#ends;
    if (ends.length === 0) {
      this.#starts = [start];
      this.#ends = [end];
      this.#total = end - start;
      return this.#total;
    }
    // Sent and received ranges nearly always grow at the top.
    const last = ends.length - 1;
    if (start > ends[last]!) {
      starts.push(start);
      ends.push(end);
      this.#total += end - start;
      return end - start;
    }
    const first = this.#firstEndingAtOrAfter(start);
    let stop = first;
    let low = start;
    let high = end;
    let covered = 0;
    while (stop < starts.length && starts[stop]! <= end) {
      low = Math.min(low, starts[stop]!);
      high = Math.max(high, ends[stop]!);
      covered += ends[stop]! - starts[stop]!;
      stop++;
    }
    if (stop - first === 1) {
      starts[first] = low;
      ends[first] = high;
    } else {
      starts.splice(first, stop - first, low);
      ends.splice(first, stop - first, high);
    }
    const added = high - low - covered;
    this.#total += added;
    return added;
  }

  /** Removes [start, end) and returns how many integers were in the set. */
  remove(start: number, end: number): number {
    if (end <= start) return 0;
    const starts = this.#starts;
    const ends = this.#ends;
    let index = this.#firstEndingAtOrAfter(start + 1);
    let removed = 0;
    while (index < starts.length && starts[index]! < end) {
      const low = starts[index]!;
      const high = ends[index]!;
      removed += Math.min(high, end) - Math.max(low, start);
      if (low < start && high > end) {
        ends[index] = start;
        starts.splice(index + 1, 0, end);
        ends.splice(index + 1, 0, high);
        break;
      }
      if (low < start) {
        ends[index] = start;
        index++;
      } else if (high > end) {
        starts[index] = end;
        break;
      } else {
        starts.splice(index, 1);
        ends.splice(index, 1);
      }
    }
    this.#total -= removed;
    return removed;
  }

  /** True when `value` is in the set. */
  has(value: number): boolean {
    const index = this.#firstEndingAtOrAfter(value + 1);
    return index < this.#starts.length && this.#starts[index]! <= value;
  }

  /** End of the range that holds `value`, or `value` when none does. */
  endOfRangeAt(value: number): number {
    const index = this.#firstEndingAtOrAfter(value + 1);
    return index < this.#starts.length && this.#starts[index]! <= value
      ? this.#ends[index]!
      : value;
  }

  /** Index of the first range that ends above `value`; `size` when none does. */
  indexAbove(value: number): number {
    return this.#firstEndingAtOrAfter(value + 1);
  }

  clear(): void {
    this.#starts = NONE;
    this.#ends = NONE;
    this.#total = 0;
  }

  #firstEndingAtOrAfter(value: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
