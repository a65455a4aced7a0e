interface Entry<T> {
  readonly atMs: number;
  readonly order: number;
  readonly item: T;
}

/** Items by due time; equal times come out in the order they went in. A binary heap. */
export class TimedQueue<T> {
  readonly #heap: Entry<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#heap.length;
  }

  /** Due time of the first item, or undefined when empty. */
  get nextMs(): number | undefined {
    return this.#heap[0]?.atMs;
  }

  push(atMs: number, item: T): void {
    const heap = this.#heap;
    const added: Entry<T> = { atMs, order: this.#order++, item };
    let i = heap.length;
    heap.push(added);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || before(above, added)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = added;
  }

  /** Takes the first item that is due, or undefined. */
  pop(nowMs: number): T | undefined {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.atMs > nowMs) return undefined;
    const last = heap.pop();
    if (last !== undefined && last !== first) this.#sinkFromTop(last);
    return first.item;
  }

  #sinkFromTop(entry: Entry<T>): void {
    const heap = this.#heap;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      let below = heap[child];
      if (below === undefined) break;
      const right = heap[child + 1];
      if (right !== undefined && before(right, below)) {
        below = right;
        child++;
      }
      if (before(entry, below)) break;
      heap[i] = below;
      i = child;
    }
    heap[i] = entry;
  }
}

function before<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
