/**
 * Things by session id, looked up once per packet.
 *
 * @module
 */

interface Slot<T> {
  readonly low: number;
  value: T;
  next: Slot<T> | undefined;
}

/** First (0) or last (4) four bytes of a session id, as {@link FrameHeader} has them. */
export function sessionIdWord(id: Uint8Array, at: 0 | 4): number {
  return new DataView(id.buffer, id.byteOffset, 8).getUint32(at);
}

/** The id of two such halves. */
export function sessionIdOf(high: number, low: number): Uint8Array {
  const id = new Uint8Array(8);
  const view = new DataView(id.buffer);
  view.setUint32(0, high);
  view.setUint32(4, low);
  return id;
}

/** A map by the two halves of an id, which builds no key. */
export class SessionTable<T> {
  readonly #slots: Map<number, Slot<T>> = new Map();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(high: number, low: number): T | undefined {
    let slot = this.#slots.get(high);
    while (slot !== undefined && slot.low !== low) slot = slot.next;
    return slot?.value;
  }

  set(high: number, low: number, value: T): void {
    const first = this.#slots.get(high);
    for (let slot = first; slot !== undefined; slot = slot.next) {
      if (slot.low !== low) continue;
      slot.value = value;
      return;
    }
    this.#slots.set(high, { low, value, next: first });
    this.#size++;
  }

  delete(high: number, low: number): boolean {
    let before: Slot<T> | undefined;
    let slot = this.#slots.get(high);
    while (slot !== undefined && slot.low !== low) {
      before = slot;
      slot = slot.next;
    }
    if (slot === undefined) return false;
    if (before !== undefined) before.next = slot.next;
    else if (slot.next !== undefined) this.#slots.set(high, slot.next);
    else this.#slots.delete(high);
    this.#size--;
    return true;
  }

  *values(): Generator<T, void, void> {
    for (const first of this.#slots.values()) {
      for (let slot: Slot<T> | undefined = first; slot !== undefined; slot = slot.next) {
        yield slot.value;
      }
    }
  }
}
