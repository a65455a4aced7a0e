/** Most datagrams fit into this; longer ones get a buffer of their own power of two. */
const SMALLEST_BUFFER = 2_048;

/** A private copy of one datagram while the runtime sends it. */
export interface SendBuffer {
  view(): Uint8Array;
  /** Gives the buffer back: reaction to both outcomes of a send. */
  readonly done: () => void;
}

class PooledBuffer implements SendBuffer {
  readonly done: () => void;
  #bytes = new Uint8Array(SMALLEST_BUFFER);
  #view: Uint8Array = this.#bytes;

  constructor(release: (buffer: PooledBuffer) => void) {
    this.done = () => release(this);
  }

  get size(): number {
    return this.#view.length;
  }

  view(): Uint8Array {
    return this.#view;
  }

  fill(bytes: Uint8Array): void {
    const { length } = bytes;
    if (length > this.#bytes.length) {
      let size = SMALLEST_BUFFER;
      while (size < length) size *= 2;
      this.#bytes = new Uint8Array(size);
      this.#view = this.#bytes;
    }
    if (this.#view.length !== length) this.#view = this.#bytes.subarray(0, length);
    this.#view.set(bytes);
  }
}

/**
 * A pool of copies, last in first out so that few are touched. Its size is bounded by what bounds the sends under way.
 */
export class SendBuffers {
  readonly #free: PooledBuffer[] = [];
  readonly #release: (buffer: PooledBuffer) => void;

  constructor(onDone: (size: number) => void) {
    this.#release = (buffer) => {
      const { size } = buffer;
      this.#free.push(buffer);
      onDone(size);
    };
  }

  take(bytes: Uint8Array): SendBuffer {
    const buffer = this.#free.pop() ?? new PooledBuffer(this.#release);
    buffer.fill(bytes);
    return buffer;
  }
}
