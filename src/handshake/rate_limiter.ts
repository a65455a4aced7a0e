/**
 * Token buckets per key, in a bounded table (SPEC 6.4).
 *
 * @module
 */

interface Bucket {
  tokens: number;
  atMs: number;
  /** Grows with each use of any key. */
  use: number;
}

/** A key as it was when it was the one that is idle longest. */
interface Idle {
  readonly key: string;
  readonly bucket: Bucket;
  readonly use: number;
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
  // Goes on where it stopped: a walk from the start would step over the places of all that left.
  readonly #walk: Iterator<[string, Bucket]> = this.#buckets.entries();
  #idle: Idle | undefined;
  #uses = 0;

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
    const bucket = this.#buckets.get(key) ??
      { tokens: this.#burst, atMs: nowMs, use: 0 };
    const elapsed = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(this.#burst, bucket.tokens + (elapsed * this.#rate) / 1000);
    bucket.atMs = Math.max(bucket.atMs, nowMs);
    bucket.use = ++this.#uses;
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
    for (let idle = this.#longestIdle(); idle !== undefined; idle = this.#longestIdle()) {
      if (this.#buckets.size <= this.#capacity && nowMs - idle.bucket.atMs < fillMs) return;
      this.#buckets.delete(idle.key);
      this.#idle = undefined;
    }
  }

  /** The one that was just used is always behind the walk, so that the walk never ends. */
  #longestIdle(): Idle | undefined {
    while (this.#idle === undefined || this.#idle.use !== this.#idle.bucket.use) {
      const next = this.#walk.next();
      if (next.done === true) return undefined;
      const [key, bucket] = next.value;
      this.#idle = { key, bucket, use: bucket.use };
    }
    return this.#idle;
  }
}
