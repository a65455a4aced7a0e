/**
 * Token buckets per key, in a bounded table (SPEC 6.4).
 *
 * @module
 */

interface Bucket {
  tokens: number;
  atMs: number;
}

/** How fast keys may act. */
export interface RateLimit {
  /** Actions per second and key; Infinity for no limit. */
  readonly rate: number;
  /** Actions at once after a pause, at least 1. */
  readonly burst: number;
  /** Keys remembered; beyond, the one that was idle longest is forgotten. */
  readonly capacity?: number;
}

/** Admits at most `burst` actions at once and `rate` per second, for each key. */
export class RateLimiter {
  readonly #rate: number;
  readonly #burst: number;
  readonly #capacity: number;
  // Least recently used first: each use moves its key to the end.
  readonly #buckets: Map<string, Bucket> = new Map();

  constructor(limit: RateLimit) {
    this.#rate = limit.rate;
    this.#burst = limit.burst;
    this.#capacity = limit.capacity ?? 8192;
  }

  /** Keys remembered. */
  get size(): number {
    return this.#buckets.size;
  }

  /** Takes one token of `key`; false when it has none. */
  admit(key: string, nowMs: number): boolean {
    if (this.#rate === Infinity) return true;
    const bucket = this.#buckets.get(key) ?? { tokens: this.#burst, atMs: nowMs };
    const elapsed = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (elapsed * this.#rate) / 1000);
    bucket.atMs = Math.max(bucket.atMs, nowMs);
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    this.#forgetIdle(nowMs);
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }

  // A bucket that had the time to fill up says no more than none does.
  #forgetIdle(nowMs: number): void {
    const fillMs = (this.#burst / this.#rate) * 1000;
    for (const [key, bucket] of this.#buckets) {
      if (this.#buckets.size <= this.#capacity && nowMs - bucket.atMs < fillMs) break;
      this.#buckets.delete(key);
    }
  }
}
