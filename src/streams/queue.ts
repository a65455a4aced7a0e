/**
 * First in, first out.
 *
 * @module
 */

const COMPACT_AT = 64;
/** Of every queue that is empty; nothing is ever added to it. */
const NONE: never[] = [];

/** An array with a moving head: `Array.shift` of a long array moves all of it. */
export class Queue<T> {
  #items: T[] = NONE;
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    // Most queues hold one item at most. An array made with it takes 8 bytes for it, one made empty room for 17.
    if (this.#items.length === 0) this.#items = [item];
    else this.#items.push(item);
  }

  /** The item `index` places behind the front. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.drop(1);
    return item;
  }

  /** Removes `count` items from the front, at most all. */
  drop(count: number): void {
    const head = this.#head + count;
    if (head >= this.#items.length) {
      this.clear();
      return;
    }
    // The slots behind the head would keep what they held alive.
    if (head >= COMPACT_AT && 2 * head >= this.#items.length) {
      this.#items = this.#items.slice(head);
      this.#head = 0;
      return;
    }
    const freed = undefined as T;
    for (let index = this.#head; index < head; index++) this.#items[index] = freed;
    this.#head = head;
  }

  clear(): void {
    this.#items = NONE;
    this.#head = 0;
  }
}
