/**
 * Keeps V8's collections quick where ciphers make large arrays.
 *
 * The bytes of what `node:crypto` returns lie outside of V8's heap. Nearly all are garbage at once, and a quick
 * collection of the young heap frees them. But Node 20 runs one only when the young heap itself is full, which a few
 * small objects per large array do not achieve in time; what it sees instead is a process that grows, and it answers
 * with a full collection per 25 MB, a quarter of the time of a fast transfer. So a large array brings garbage with it.
 * Deno's V8 counts otherwise and needs none.
 *
 * @module
 */

/** Smaller arrays come with more garbage than they are long. */
const LARGE_BYTES = 4096;
/** Bytes outside of the heap per slot (8 bytes) of garbage inside. */
const BYTES_PER_SLOT = 16;

/** Brings garbage, or none where `wanted` is false. */
export class YoungGarbage {
  readonly #wanted: boolean;
  /** Kept, or the compiler would leave the array out. */
  #latest: unknown[] = [];

  constructor(wanted: boolean) {
    this.#wanted = wanted;
  }

  /** Slots of the array made last. */
  get slots(): number {
    return this.#latest.length;
  }

  /** An array of `bytes` is made outside of the heap and soon forgotten. */
  bring(bytes: number): void {
    if (!this.#wanted || bytes < LARGE_BYTES) return;
    this.#latest = new Array(Math.floor(bytes / BYTES_PER_SLOT));
  }
}
