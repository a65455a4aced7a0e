/**
 * Memory that frames are built in.
 *
 * @module
 */

/** Buffers kept while frames wait to be built; what a transport holds at once (TRANSPORT_HIGH_WATER_BYTES) and one more. */
const BUSY_BUFFERS = 5;

/**
 * UDP: the buffer that no frame is in, for all sessions. One frame is built, sent and given back at a time, and a buffer
 * of 16 KiB for each session that once looked for the path's size would be most of what an idle session holds.
 */
const SPARE: Uint8Array[] = [];

/**
 * Gives out buffers and takes back those of frames that were sent. A fresh array per frame is what keeps the garbage
 * collector running: these arrays live outside of its heap, and their bytes make it look for more.
 */
export class FrameBuffers {
  readonly #bulk: number;
  readonly #free: Uint8Array[];
  #last: Uint8Array | undefined;

  /**
   * @param bulk Bytes of the buffers of full frames where transports give frames back later and in any number; 0 where
   * only the frame built last can come back, at once (UDP).
   * @param spare Where that one is kept, by default for all sessions.
   */
  constructor(bulk: number, spare: Uint8Array[] = SPARE) {
    this.#bulk = bulk;
    this.#free = bulk === 0 ? spare : [];
  }

  /** Buffers that wait to be used again. */
  get size(): number {
    return this.#free.length;
  }

  /** A buffer of at least `size` bytes with anything in it. */
  take(size: number): Uint8Array {
    const bulk = this.#bulk;
    // A short frame in a long buffer would keep it from a long frame.
    const isShort = 2 * size <= bulk;
    let buffer = isShort ? undefined : this.#free[this.#free.length - 1];
    if (buffer !== undefined && buffer.length >= size) this.#free.length--;
    else buffer = new Uint8Array(isShort ? size : Math.max(size, bulk));
    if (bulk === 0) this.#last = buffer;
    return buffer;
  }

  /**
   * Nobody holds the frame any more. Arrays from elsewhere are left alone.
   *
   * @param busy More frames are to be built: a session that rests keeps one buffer.
   */
  recycle(frame: Uint8Array, busy: boolean): void {
    if (this.#bulk === 0) this.#recycleLast(frame);
    // No other frame of a session has a buffer of exactly this size.
    else if (frame.buffer.byteLength === this.#bulk) {
      if (!busy) this.#free.length = 0;
      const known = this.#free.some((free) => free.buffer === frame.buffer);
      if (!known && this.#free.length < BUSY_BUFFERS) {
        this.#free.push(new Uint8Array(frame.buffer));
      }
    }
  }

  #recycleLast(frame: Uint8Array): void {
    const last = this.#last;
    this.#last = undefined;
    if (last === undefined || last.buffer !== frame.buffer) return;
    const free = this.#free[0];
    if (free === undefined || free.length < last.length) this.#free[0] = last;
  }
}
