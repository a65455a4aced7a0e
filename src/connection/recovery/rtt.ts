/**
 * Round-trip time of a path (RFC 9002, section 5).
 *
 * @module
 */

/** Assumed before the first sample, in ms. */
export const INITIAL_RTT_MS = 333;
/** Timer granularity: no deadline is finer than this, in ms. */
export const GRANULARITY_MS = 1;

/** Smoothed RTT, its mean deviation and its minimum. All values are milliseconds. */
export class RttEstimator {
  /** The last sample, not adjusted. */
  latest: number = INITIAL_RTT_MS;
  /** Weighted mean: each sample counts one eighth. */
  smoothed: number = INITIAL_RTT_MS;
  /** Mean deviation: each sample counts one quarter. */
  variance: number = INITIAL_RTT_MS / 2;
  /** Smallest sample of this path, not adjusted; Infinity before the first. */
  min: number = Infinity;
  /** Samples since the start or the last reset. */
  samples: number = 0;

  /**
   * Takes a sample.
   *
   * @param sampleMs From sending to the arrival of the ACK.
   * @param ackDelayMs What the peer says it waited, already limited to what it had promised.
   */
  update(sampleMs: number, ackDelayMs: number): void {
    const sample = Math.max(sampleMs, 0);
    this.latest = sample;
    if (this.samples++ === 0) {
      this.min = sample;
      this.smoothed = sample;
      this.variance = sample / 2;
      return;
    }
    if (sample < this.min) this.min = sample;
    // A delay that would push the sample under the minimum is a lie or a stopped clock.
    const adjusted = sample - ackDelayMs >= this.min ? sample - ackDelayMs : sample;
    this.variance += (Math.abs(this.smoothed - adjusted) - this.variance) / 4;
    this.smoothed += (adjusted - this.smoothed) / 8;
  }

  /** Time without an acknowledgement after which a probe goes out, without back-off. */
  pto(maxAckDelayMs: number): number {
    return this.smoothed + Math.max(4 * this.variance, GRANULARITY_MS) + maxAckDelayMs;
  }

  /** Forgets all samples: the path is another one. */
  reset(): void {
    this.latest = INITIAL_RTT_MS;
    this.smoothed = INITIAL_RTT_MS;
    this.variance = INITIAL_RTT_MS / 2;
    this.min = Infinity;
    this.samples = 0;
  }
}
