/** Events in order of time; those of the same time in the order in which they were added. */

interface HeapEvent {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A binary heap of events. */
export class EventHeap {
  readonly #events: HeapEvent[] = [];
  #order = 0;

  /** Adds an event. */
  at(atMs: number, run: () => void): void {
    const events = this.#events;
    const event = { atMs, order: this.#order++, run };
    let index = events.length;
    events.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = events[parent]!;
      if (before(above, event)) break;
      events[index] = above;
      index = parent;
    }
    events[index] = event;
  }

  /** Runs everything up to a time; `clock` learns each event's time before it runs. */
  runUntil(endMs: number, clock: (nowMs: number) => void): void {
    while (this.#events.length > 0 && this.#events[0]!.atMs <= endMs) {
      const event = this.#take();
      clock(event.atMs);
      event.run();
    }
    clock(endMs);
  }

  #take(): HeapEvent {
    const events = this.#events;
    const first = events[0]!;
    const last = events.pop()!;
    const length = events.length;
    if (length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && before(events[child + 1]!, events[child]!)) child++;
      if (before(last, events[child]!)) break;
      events[index] = events[child]!;
      index = child;
    }
    events[index] = last;
    return first;
  }
}

function before(a: HeapEvent, b: HeapEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
