/**
 * Nonces of verified HELLOs, so that a recorded one cannot be used again (SPEC 6.4).
 *
 * @module
 */
/**
 * How long a nonce must be remembered: a timestamp may be 2 minutes ahead and is good for 2 minutes after, and a cookie
 * lives for at most 4.
 */
const LIFETIME_MS = 245_000;
const DEFAULT_CAPACITY = 65_536;
// Half of a public key: only a holder of the seed could search for two that share it, and would harm nobody else.
const KEY_BYTES = 16;

/** A bounded set of nonces that forget themselves. */
export class NonceCache {
  readonly #capacity: number;
  // Insertion order is order of expiry, as all live equally long.
  readonly #expiry: Map<string, number> = new Map();
  // Goes on where it stopped: a walk from the start would step over the places of all that were forgotten.
  #walk: Iterator<string> = this.#expiry.keys();
  #oldest: string | undefined;

  /** @param capacity nonces remembered; beyond, the oldest is forgotten */
  constructor(capacity: number = DEFAULT_CAPACITY) {
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#expiry.size;
  }

  /** True for a nonce that was added and is not forgotten yet. */
  has(nonce: Uint8Array, nowMs: number): boolean {
    const expiry = this.#expiry.get(keyOf(nonce));
    return expiry !== undefined && expiry > nowMs;
  }

  /** Remembers a nonce that is not there yet. */
  add(nonce: Uint8Array, nowMs: number): void {
    for (let key = this.#first(); key !== undefined; key = this.#first()) {
      if (this.#expiry.get(key)! > nowMs && this.#expiry.size < this.#capacity) break;
      this.#expiry.delete(key);
      this.#oldest = undefined;
    }
    // A whole number needs no memory of its own.
    this.#expiry.set(keyOf(nonce), Math.ceil(nowMs + LIFETIME_MS));
  }

  #first(): string | undefined {
    if (this.#oldest !== undefined) return this.#oldest;
    const next = this.#walk.next();
    // An iterator that came to the end does not see what is added behind it.
    if (next.done === true) this.#walk = this.#expiry.keys();
    else this.#oldest = next.value;
    return this.#oldest;
  }
}

/** One byte of text for each: what a crowd leaves here is what a collection of garbage multiplies. */
function keyOf(nonce: Uint8Array): string {
  return String.fromCharCode.apply(undefined, nonce.subarray(0, KEY_BYTES) as unknown as number[]);
}
