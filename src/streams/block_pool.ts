/**
 * Memory for copies of what the application writes.
 *
 * @module
 */

/** Bytes of a block. */
export const BLOCK_BYTES = 32_768;
/** Blocks kept while the session has unacknowledged bytes. */
const MAX_FREE = 32;
/** Blocks kept by a session that rests. */
const RESTING_FREE = 2;

/**
 * Blocks that serve again: a megabyte of fresh arrays per megabyte sent is what makes the garbage collector run all
 * the time.
 */
export class BlockPool {
  readonly #free: Uint8Array[] = [];

  /** Blocks held. */
  get size(): number {
    return this.#free.length;
  }

  /** A block with anything in it. */
  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(BLOCK_BYTES);
  }

  /** Nobody reads the block any more. */
  give(block: Uint8Array): void {
    if (this.#free.length < MAX_FREE) this.#free.push(block);
  }

  /** Nothing waits for an acknowledgement. */
  rest(): void {
    if (this.#free.length > RESTING_FREE) this.#free.length = RESTING_FREE;
  }
}
