/**
 * Distributions in fixed memory: log-linear buckets, eight for each doubling.
 *
 * @module
 */

/** Buckets of one doubling. */
const STEPS = 8;
const STEP_BITS = 3;
/** Values of 31 bits, in units of the resolution. */
const BUCKETS = (31 - STEP_BITS + 1) * STEPS;
const LARGEST = 2 ** 31 - 1;

/** What a {@link Histogram} holds at one moment. All values are in its unit, milliseconds for those of sessions. */
export interface HistogramSnapshot {
  /** Values recorded. */
  readonly count: number;
  /** Their sum. */
  readonly sum: number;
  /** Smallest value; 0 when there is none. */
  readonly min: number;
  /** Largest value; 0 when there is none. */
  readonly max: number;
  /** Buckets that are not empty, ascending: values from `from` on and below `below`, and how many there are. */
  readonly buckets: readonly (readonly [from: number, below: number, count: number])[];
}

/**
 * Counts values in 232 buckets (1 KiB) whatever their number. A bucket is an eighth of its lower bound wide, so that what
 * {@link quantile} says is at most a sixteenth (6.25 %) off, and for values below eight times the resolution at most half
 * of the resolution. Values above 2^31 times the resolution count as that.
 *
 * @example
 * ```ts
 * import { Histogram, quantile } from "@seigr/stt/observe";
 * const histogram = new Histogram(0.001);
 * for (let ms = 1; ms <= 100; ms++) histogram.record(ms);
 * const snapshot = histogram.snapshot();
 * console.log(snapshot.count, Math.abs(quantile(snapshot, 0.5)! - 50) < 50 / 16); // 100 true
 * ```
 */
export class Histogram {
  readonly #resolution: number;
  readonly #counts: Uint32Array = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #min = Infinity;
  #max = 0;

  /**
   * Starts empty.
   *
   * @param resolution Smallest difference that counts, above 0.
   */
  constructor(resolution: number) {
    this.#resolution = resolution;
  }

  /** Counts one value; below 0 it counts as 0. Allocates nothing. */
  record(value: number): void {
    const clipped = value > 0 ? value : 0;
    const index = indexOf(Math.min(Math.floor(clipped / this.#resolution), LARGEST));
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#count++;
    this.#sum += clipped;
    if (clipped < this.#min) this.#min = clipped;
    if (clipped > this.#max) this.#max = clipped;
  }

  /** What was counted so far. */
  snapshot(): HistogramSnapshot {
    const buckets: [number, number, number][] = [];
    const unit = this.#resolution;
    this.#counts.forEach((count, index) => {
      if (count > 0) buckets.push([lowerOf(index) * unit, lowerOf(index + 1) * unit, count]);
    });
    const min = this.#count === 0 ? 0 : this.#min;
    return { count: this.#count, sum: this.#sum, min, max: this.#max, buckets };
  }
}

/** Below 8 each number has a bucket of its own. */
function indexOf(units: number): number {
  if (units < STEPS) return units;
  const exponent = 31 - Math.clz32(units);
  const step = (units >>> (exponent - STEP_BITS)) - STEPS;
  return (exponent - STEP_BITS + 1) * STEPS + step;
}

function lowerOf(index: number): number {
  if (index < STEPS) return index;
  const doubling = Math.floor(index / STEPS) - 1;
  return (STEPS + index % STEPS) * 2 ** doubling;
}

/** The value that a share of all values lies at or below, 0 to 1; undefined when there is none. */
export function quantile(histogram: HistogramSnapshot, share: number): number | undefined {
  const { count, min, max, buckets } = histogram;
  if (count === 0) return undefined;
  const rank = Math.max(1, Math.ceil(share * count));
  let seen = 0;
  for (const [from, below, inBucket] of buckets) {
    seen += inBucket;
    if (seen >= rank) return Math.min(Math.max((from + below) / 2, min), max);
  }
  return max;
}

/** What came between two snapshots of one histogram. `min` and `max` are bounds of buckets then. */
export function histogramSince(
  before: HistogramSnapshot,
  after: HistogramSnapshot,
): HistogramSnapshot {
  const old = new Map(before.buckets.map(([from, , count]) => [from, count]));
  const buckets = after.buckets
    .map(([from, below, count]) => [from, below, count - (old.get(from) ?? 0)] as const)
    .filter(([, , count]) => count > 0);
  const [first, last] = [buckets[0], buckets[buckets.length - 1]];
  return {
    count: after.count - before.count,
    sum: after.sum - before.sum,
    min: first === undefined ? 0 : Math.max(after.min, first[0]),
    max: last === undefined ? 0 : Math.min(after.max, last[1]),
    buckets,
  };
}
