/**
 * Bytes that the application wrote and the peer does not have yet.
 *
 * @module
 */
import { BLOCK_BYTES, type BlockPool } from "./block_pool.ts";
import { Queue } from "./queue.ts";

/** A stream that holds less than this has copies of exact size: thousands of quiet streams cost no blocks. */
const WORTH_A_BLOCK = BLOCK_BYTES / 4;

interface Chunk {
  readonly bytes: Uint8Array;
  /** Offset of its first byte in the stream. */
  readonly start: number;
  /** A block of the pool. */
  readonly pooled: boolean;
}

/**
 * Holds the application's chunks by reference, or copies of them in blocks; frames are views of both, sent again if
 * lost. A view is good until the next `push` or `copy`, when the block of bytes that are gone may be written again.
 */
export class SendBuffer {
  readonly #pool: BlockPool;
  /** Each holds the bytes from its start to the next one's; a block may have room behind them. */
  readonly #chunks: Queue<Chunk> = new Queue();
  #base = 0;
  #end = 0;
  /** Bytes that the last chunk has room for. */
  #room = 0;
  /** Queue index of the chunk that the last view ended in: the next one mostly starts there. */
  #cursor = 0;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  /** Bytes below are gone. */
  get base(): number {
    return this.#base;
  }

  get end(): number {
    return this.#end;
  }

  /** Takes the array over. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#append(chunk, false);
    this.#room = 0;
    this.#end += chunk.length;
  }

  /** Copies the array. */
  copy(chunk: Uint8Array): void {
    const { length } = chunk;
    if (length <= this.#room) {
      this.#fill(chunk);
      return;
    }
    if (this.#end - this.#base + length < WORTH_A_BLOCK) {
      this.push(new Uint8Array(chunk));
      return;
    }
    for (let at = 0; at < length;) {
      if (this.#room === 0) {
        this.#append(this.#pool.take(), true);
        this.#room = BLOCK_BYTES;
      }
      const stop = Math.min(length, at + this.#room);
      this.#fill(at === 0 && stop === length ? chunk : chunk.subarray(at, stop));
      at = stop;
    }
  }

  /** Appends views of [start, end) to `parts`. */
  view(start: number, end: number, parts: Uint8Array[]): void {
    let index = this.#indexOf(start);
    let at = start;
    while (at < end) {
      const { bytes, start: first } = this.#chunks.at(index)!;
      const stop = Math.min(end, this.#endOf(index));
      const whole = at === first && stop - first === bytes.length;
      parts.push(whole ? bytes : bytes.subarray(at - first, stop - first));
      at = stop;
      this.#cursor = index;
      index++;
    }
  }

  /** Forgets everything below `offset`. */
  release(offset: number): void {
    if (offset <= this.#base) return;
    this.#base = offset;
    const length = this.#chunks.length;
    let count = 0;
    while (count < length && this.#endOf(count) <= offset) count++;
    if (count === 0) return;
    // A block that is not full and has no bytes left gives up its room.
    if (count === length) this.#room = 0;
    this.#give(count);
    this.#cursor = Math.max(0, this.#cursor - count);
  }

  /** Drops all bytes. */
  clear(): void {
    this.#give(this.#chunks.length);
    this.#base = this.#end;
    this.#room = 0;
    this.#cursor = 0;
  }

  #append(bytes: Uint8Array, pooled: boolean): void {
    this.#chunks.push({ bytes, start: this.#end, pooled });
  }

  #fill(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const { bytes: block } = this.#chunks.at(this.#chunks.length - 1)!;
    block.set(bytes, BLOCK_BYTES - this.#room);
    this.#room -= bytes.length;
    this.#end += bytes.length;
  }

  #give(count: number): void {
    for (let index = 0; index < count; index++) {
      const { bytes, pooled } = this.#chunks.at(index)!;
      if (pooled) this.#pool.give(bytes);
    }
    this.#chunks.drop(count);
  }

  #endOf(index: number): number {
    return this.#chunks.at(index + 1)?.start ?? this.#end;
  }

  #indexOf(offset: number): number {
    const count = this.#chunks.length;
    for (let index = this.#cursor; index < Math.min(count, this.#cursor + 2); index++) {
      if (offset >= this.#chunks.at(index)!.start && offset < this.#endOf(index)) return index;
    }
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#chunks.at(middle)!.start <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
