/**
 * What BBR remembers of its path: the highest bandwidth, the lowest round trip, how bunched ACKs arrive.
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

  /** A probing cycle is over. A cycle without any sample is no reason to forget. */
  advance(): void {
    if (this.#current === 0) return;
    this.#previous = this.#current;
    this.#current = 0;
  }
}

const MIN_RTT_WINDOW_MS = 10_000;
const PROBE_INTERVAL_MS = 5_000;

/** The lowest round trip of 10 s, and whether 5 s have passed without one as low (then it is to be probed for). */
export class MinRtt {
  #value = Infinity;
  #valueMs = 0;
  #recent = Infinity;
  #recentMs = 0;
  #expired = false;

  /** Milliseconds; Infinity before the first sample. */
  get value(): number {
    return this.#value;
  }

  /** True when the last sample came after 5 s without one as low as the lowest before. */
  get expired(): boolean {
    return this.#expired;
  }

  /** Takes a sample. */
  update(rttMs: number, nowMs: number): void {
    this.#expired = this.#recent !== Infinity && nowMs > this.#recentMs + PROBE_INTERVAL_MS;
    if (rttMs <= this.#recent || this.#expired) {
      this.#recent = rttMs;
      this.#recentMs = nowMs;
    }
    if (this.#recent <= this.#value || nowMs > this.#valueMs + MIN_RTT_WINDOW_MS) {
      this.#value = this.#recent;
      this.#valueMs = this.#recentMs;
    }
  }

  /** The path was nearly empty for long enough: what was measured is as low as it gets. */
  refresh(nowMs: number): void {
    this.#recentMs = nowMs;
  }
}

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
