/**
 * Which of the bytes above the base of a send buffer are acknowledged.
 *
 * @module
 */
import { RangeSet } from "./range_set.ts";

/** Bytes that need not go out any more. What lies below the base is not kept: it is gone altogether. */
export class AckedRanges {
  /** While something is acknowledged that does not follow the base: not on a path that keeps the order. */
  #ranges: RangeSet | undefined;

  /** [start, end) is acknowledged or given up. Returns the new base. */
  add(start: number, end: number, base: number): number {
    if (this.#ranges === undefined && start <= base) return Math.max(base, end);
    const ranges = this.#ranges ??= new RangeSet();
    ranges.add(Math.max(start, base), end);
    const newBase = ranges.endOfRangeAt(base);
    if (ranges.size === 0 || ranges.end(ranges.size - 1) <= newBase) this.#ranges = undefined;
    return newBase;
  }

  /** The first offset from `at` on, which is not below the base, that is not acknowledged. */
  skip(at: number): number {
    return this.#ranges?.endOfRangeAt(at) ?? at;
  }

  /** Where the acknowledged bytes behind `at`, which is not one of them, begin; Infinity for none. */
  startAbove(at: number): number {
    const ranges = this.#ranges;
    if (ranges === undefined) return Infinity;
    const index = ranges.indexAbove(at);
    return index < ranges.size ? ranges.start(index) : Infinity;
  }

  clear(): void {
    this.#ranges = undefined;
  }
}
