/**
 * How often each byte of a stream was lost.
 *
 * @module
 */

/** A run of bytes that were lost equally often. */
interface LostRun {
  readonly start: number;
  readonly end: number;
  readonly count: number;
}

/** Counts by ranges. Only what was lost and is not acknowledged costs anything: few runs at a time. */
export class LossCounts {
  #runs: LostRun[] = [];

  /** Runs held. */
  get size(): number {
    return this.#runs.length;
  }

  /** Counts one more loss of [start, end) and returns the highest count in it. */
  add(start: number, end: number): number {
    const first = this.#firstEndingAbove(start);
    const changed: LostRun[] = [];
    let highest = 1;
    let at = start;
    let index = first;
    for (; index < this.#runs.length && this.#runs[index]!.start < end; index++) {
      const run = this.#runs[index]!;
      if (run.start < start) changed.push({ ...run, end: start });
      if (run.start > at) changed.push({ start: at, end: run.start, count: 1 });
      const from = Math.max(run.start, start);
      const to = Math.min(run.end, end);
      changed.push({ start: from, end: to, count: run.count + 1 });
      if (run.end > end) changed.push({ ...run, start: end });
      highest = Math.max(highest, run.count + 1);
      at = to;
    }
    if (at < end) changed.push({ start: at, end, count: 1 });
    this.#runs.splice(first, index - first, ...changed);
    return highest;
  }

  /** Forgets [start, end): it arrived, or nobody waits for it any more. */
  remove(start: number, end: number): void {
    if (this.#runs.length === 0) return;
    const first = this.#firstEndingAbove(start);
    const kept: LostRun[] = [];
    let index = first;
    for (; index < this.#runs.length && this.#runs[index]!.start < end; index++) {
      const run = this.#runs[index]!;
      if (run.start < start) kept.push({ ...run, end: start });
      if (run.end > end) kept.push({ ...run, start: end });
    }
    if (index > first) this.#runs.splice(first, index - first, ...kept);
  }

  clear(): void {
    this.#runs = [];
  }

  #firstEndingAbove(value: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#runs[middle]!.end <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
