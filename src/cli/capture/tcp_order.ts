/**
 * The bytes of one direction of a TCP connection in their order.
 *
 * @module
 */

/** What arrived ahead of its turn is held up to these bounds. */
const MAX_AHEAD_BYTES = 4_194_304;
const MAX_AHEAD_SEGMENTS = 4096;

interface Ahead {
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** Puts segments in order. */
export class TcpOrder {
  /** Bytes are missing from the capture, so that nothing more comes out. */
  broken = false;
  #next: number | undefined;
  /** By their sequence: each is ahead by less than half of all sequences, and stays so until it is due. */
  #ahead: Ahead[] = [];
  #aheadBytes = 0;

  /** Takes a segment; what is in order now goes to `take`. A connection whose beginning is not there starts where it is seen. */
  push(
    sequence: number,
    syn: boolean,
    payload: Uint8Array,
    take: (bytes: Uint8Array) => void,
  ): void {
    if (this.broken) return;
    const start = syn ? (sequence + 1) >>> 0 : sequence;
    if (syn || this.#next === undefined) this.#next = start;
    if (syn) this.#forget();
    if (payload.length === 0) return;
    if (this.#behind(start) > 0) {
      this.#hold(start, payload);
      return;
    }
    this.#deliver(start, payload, take);
    this.#drain(take);
  }

  /** How far `sequence` lies ahead of what is awaited; negative: behind. Sequences wrap around. */
  #behind(sequence: number): number {
    return (sequence - (this.#next as number)) | 0;
  }

  #hold(sequence: number, payload: Uint8Array): void {
    // Segments mostly come in order, and a capture that was made to be slow gains nothing by another one.
    let [from, to] = [0, this.#ahead.length];
    if (to > 0 && this.#behind(this.#ahead[to - 1]?.sequence as number) <= this.#behind(sequence)) {
      from = to;
    }
    while (from < to) {
      const middle = (from + to) >>> 1;
      const there = this.#behind(this.#ahead[middle]?.sequence as number);
      if (there <= this.#behind(sequence)) from = middle + 1;
      else to = middle;
    }
    this.#ahead.splice(from, 0, { sequence, payload });
    this.#aheadBytes += payload.length;
    if (this.#ahead.length <= MAX_AHEAD_SEGMENTS && this.#aheadBytes <= MAX_AHEAD_BYTES) return;
    this.broken = true;
    this.#forget();
  }

  #forget(): void {
    this.#ahead = [];
    this.#aheadBytes = 0;
  }

  #deliver(sequence: number, payload: Uint8Array, take: (bytes: Uint8Array) => void): void {
    const seen = -this.#behind(sequence);
    if (seen >= payload.length) return;
    this.#next = ((sequence >>> 0) + payload.length) >>> 0;
    take(payload.subarray(seen));
  }

  #drain(take: (bytes: Uint8Array) => void): void {
    let due = 0;
    for (const { sequence, payload } of this.#ahead) {
      if (this.#behind(sequence) > 0) break;
      due++;
      this.#aheadBytes -= payload.length;
      this.#deliver(sequence, payload, take);
    }
    if (due > 0) this.#ahead.splice(0, due);
  }
}
