/**
 * A first-in first-out queue that forgets its oldest entry rather than grow: what a peer sends faster than the
 * application takes is bounded by it (SPEC 8: receive queue of 256).
 *
 * @module
 */

/** Of every queue that is empty; nothing is ever added to it. */
const NONE: undefined[] = [];

/** Ring of at most `capacity` entries. */
export class BoundedQueue<T> {
  readonly capacity: number;
  /** Entries forgotten because the queue was full. */
  dropped = 0;
  /** Empty while the queue is. */
  #ring: (T | undefined)[] = NONE;
  #head = 0;
  #size = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  /** Returns false when the oldest entry had to go. */
  push(entry: T): boolean {
    if (this.#size === 0) {
      this.#ring = [entry];
      this.#head = 0;
      this.#size = 1;
      return true;
    }
    if (this.#size < this.capacity) {
      this.#ring[(this.#head + this.#size) % this.capacity] = entry;
      this.#size++;
      return true;
    }
    this.#ring[this.#head] = entry;
    this.#head = (this.#head + 1) % this.capacity;
    this.dropped++;
    return false;
  }

  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#ring[this.#head];
  }

  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const entry = this.#ring[this.#head];
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.capacity;
    this.#size--;
    if (this.#size === 0) this.#ring = NONE;
    return entry;
  }

  clear(): void {
    this.#ring = NONE;
    this.#head = 0;
    this.#size = 0;
  }
}
