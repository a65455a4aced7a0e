/**
 * A set of integers as disjoint, sorted, half-open ranges.
 *
 * @module
 */

/** Neighbouring ranges merge, so the cost follows the number of holes, not of additions. */
export class RangeSet {
  // Most sets have one range at most, and a stream has several sets: arrays are made for the second range only.
  #low = 0;
  #high = 0;
  /** Set while there is more than one range; `#low` and `#high` count for nothing then. */
  #many: Ranges | undefined;

  /** Number of ranges. */
  get size(): number {
    if (this.#many !== undefined) return this.#many.starts.length;
    return this.#high > this.#low ? 1 : 0;
  }

  /** Number of integers in all ranges. */
  get total(): number {
    return this.#many?.total ?? this.#high - this.#low;
  }

  /** Start of range `index`, in ascending order. */
  start(index: number): number {
    if (this.#many !== undefined) return this.#many.starts[index] ?? NaN;
    return index === 0 && this.#high > this.#low ? this.#low : NaN;
  }

  /** End (exclusive) of range `index`. */
  end(index: number): number {
    if (this.#many !== undefined) return this.#many.ends[index] ?? NaN;
    return index === 0 && this.#high > this.#low ? this.#high : NaN;
  }

  /** Adds [start, end) and returns how many integers were new. */
  add(start: number, end: number): number {
    if (end <= start) return 0;
    if (this.#many === undefined) {
      const low = this.#low;
      const high = this.#high;
      if (high === low) {
        this.#low = start;
        this.#high = end;
        return end - start;
      }
      if (start <= high && end >= low) {
        this.#low = Math.min(low, start);
        this.#high = Math.max(high, end);
        return this.#high - this.#low - (high - low);
      }
    }
    const many = this.#spread();
    const added = many.add(start, end);
    this.#join(many);
    return added;
  }

  /** Removes [start, end) and returns how many integers were in the set. */
  remove(start: number, end: number): number {
    if (end <= start) return 0;
    if (this.#many === undefined) {
      const low = this.#low;
      const high = this.#high;
      if (end <= low || start >= high) return 0;
      if (start <= low || end >= high) {
        // One range is left, or none.
        if (start <= low) this.#low = Math.min(end, high);
        else this.#high = start;
        return high - low - (this.#high - this.#low);
      }
    }
    const many = this.#spread();
    const removed = many.remove(start, end);
    this.#join(many);
    return removed;
  }

  /** True when `value` is in the set. */
  has(value: number): boolean {
    return this.endOfRangeAt(value) > value;
  }

  /** End of the range that holds `value`, or `value` when none does. */
  endOfRangeAt(value: number): number {
    const many = this.#many;
    if (many === undefined) return value >= this.#low && value < this.#high ? this.#high : value;
    const index = many.firstEndingAtOrAfter(value + 1);
    return index < many.starts.length && many.starts[index]! <= value ? many.ends[index]! : value;
  }

  /** Index of the first range that ends above `value`; `size` when none does. */
  indexAbove(value: number): number {
    if (this.#many !== undefined) return this.#many.firstEndingAtOrAfter(value + 1);
    return this.#high > this.#low && this.#high <= value ? 1 : 0;
  }

  clear(): void {
    this.#many = undefined;
    this.#low = 0;
    this.#high = 0;
  }

  #spread(): Ranges {
    return this.#many ??= new Ranges(this.#low, this.#high);
  }

  /** Back to two numbers when they are enough. */
  #join(many: Ranges): void {
    if (many.starts.length > 1) return;
    this.#many = undefined;
    this.#low = many.starts[0] ?? 0;
    this.#high = many.ends[0] ?? 0;
  }
}

/** Any number of ranges. */
class Ranges {
  readonly starts: number[];
  readonly ends: number[];
  total: number;

  /** [start, end) is not empty. */
  constructor(start: number, end: number) {
    this.starts = [start];
    this.ends = [end];
    this.total = end - start;
  }

  add(start: number, end: number): number {
    const { starts, ends } = this;
    // Sent and received ranges nearly always grow at the top.
    if (start > ends[ends.length - 1]!) {
      starts.push(start);
      ends.push(end);
      this.total += end - start;
      return end - start;
    }
    const first = this.firstEndingAtOrAfter(start);
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
    this.total += added;
    return added;
  }

  remove(start: number, end: number): number {
    const { starts, ends } = this;
    let index = this.firstEndingAtOrAfter(start + 1);
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
    this.total -= removed;
    return removed;
  }

  firstEndingAtOrAfter(value: number): number {
    let low = 0;
    let high = this.ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ends[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
