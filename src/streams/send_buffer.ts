/**
 * Bytes that the application wrote and the peer does not have yet.
 *
 * @module
 */
import { Queue } from "./queue.ts";

/** Holds the application's chunks by reference; frames are views of them, sent again if lost. */
export class SendBuffer {
  readonly #chunks: Queue<Uint8Array> = new Queue();
  readonly #starts: Queue<number> = new Queue();
  #base = 0;
  #end = 0;
  /** Queue index of the chunk that the last view ended in: the next one mostly starts there. */
  #cursor = 0;

  /** Bytes below are gone. */
  get base(): number {
    return this.#base;
  }

  get end(): number {
    return this.#end;
  }

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#starts.push(this.#end);
    this.#end += chunk.length;
  }

  /** Appends views of [start, end) to `parts`. */
  view(start: number, end: number, parts: Uint8Array[]): void {
    let index = this.#indexOf(start);
    let at = start;
    while (at < end) {
      const chunk = this.#chunks.at(index)!;
      const from = at - this.#starts.at(index)!;
      const to = Math.min(chunk.length, from + end - at);
      parts.push(from === 0 && to === chunk.length ? chunk : chunk.subarray(from, to));
      at += to - from;
      this.#cursor = index;
      index++;
    }
  }

  /** Forgets everything below `offset`. */
  release(offset: number): void {
    if (offset <= this.#base) return;
    this.#base = offset;
    let count = 0;
    const length = this.#chunks.length;
    while (count < length && this.#starts.at(count)! + this.#chunks.at(count)!.length <= offset) {
      count++;
    }
    if (count === 0) return;
    this.#chunks.drop(count);
    this.#starts.drop(count);
    this.#cursor = Math.max(0, this.#cursor - count);
  }

  /** Drops all bytes. */
  clear(): void {
    this.#chunks.clear();
    this.#starts.clear();
    this.#base = this.#end;
    this.#cursor = 0;
  }

  #indexOf(offset: number): number {
    const count = this.#starts.length;
    for (let index = this.#cursor; index < Math.min(count, this.#cursor + 2); index++) {
      const start = this.#starts.at(index)!;
      if (offset >= start && offset < start + this.#chunks.at(index)!.length) return index;
    }
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts.at(middle)! <= offset) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}
