/**
 * The bytes of one direction of a TCP connection in their order.
 *
 * @module
 */

/** What arrived ahead of its turn is held up to these bounds. */
const MAX_AHEAD_BYTES = 4_194_304;
const MAX_AHEAD_SEGMENTS = 4096;

/** Puts segments in order. */
export class TcpOrder {
  /** Bytes are missing from the capture, so that nothing more comes out. */
  broken = false;
  #next: number | undefined;
  #ahead: { readonly sequence: number; readonly payload: Uint8Array }[] = [];
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
    this.#ahead.push({ sequence, payload });
    this.#aheadBytes += payload.length;
    if (this.#ahead.length <= MAX_AHEAD_SEGMENTS && this.#aheadBytes <= MAX_AHEAD_BYTES) return;
    this.broken = true;
    this.#ahead = [];
  }

  #deliver(sequence: number, payload: Uint8Array, take: (bytes: Uint8Array) => void): void {
    const seen = -this.#behind(sequence);
    if (seen >= payload.length) return;
    this.#next = ((sequence >>> 0) + payload.length) >>> 0;
    take(payload.subarray(seen));
  }

  #drain(take: (bytes: Uint8Array) => void): void {
    for (;;) {
      const index = this.#ahead.findIndex(({ sequence }) => this.#behind(sequence) <= 0);
      if (index < 0) return;
      const [segment] = this.#ahead.splice(index, 1);
      if (segment === undefined) return;
      this.#aheadBytes -= segment.payload.length;
      this.#deliver(segment.sequence, segment.payload, take);
    }
  }
}
