/**
 * Where messages and segments start on a stream.
 *
 * @module
 */
import { SEGMENT_BYTES } from "./entropy.ts";
import { Queue } from "./queue.ts";
import { framesMessages, isPartialKind } from "./stream_kind.ts";

/** Start offsets of the messages that are not acknowledged yet. */
export class MessageBoundaries {
  readonly #starts: Queue<number> = new Queue();
  readonly #grid: boolean;
  readonly #framed: boolean;

  constructor(kind: number) {
    this.#grid = isPartialKind(kind);
    this.#framed = framesMessages(kind);
  }

  /** A message starts at `offset`, above all earlier ones. */
  push(offset: number): void {
    if (this.#framed && !this.#grid) this.#starts.push(offset);
  }

  /** True when a message or segment starts at `offset`: the SEGMENT flag. */
  isStart(offset: number): boolean {
    if (this.#grid) return offset % SEGMENT_BYTES === 0;
    return this.#starts.at(this.#indexAbove(offset) - 1) === offset;
  }

  /** Where the message that holds `offset` ends; `end` is the end of the last one. */
  messageEnd(offset: number, end: number): number {
    return this.#starts.at(this.#indexAbove(offset)) ?? end;
  }

  /** The last boundary in (offset, limit], or `offset` when the first message behind ends above. */
  lastWhole(offset: number, limit: number, end: number): number {
    if (limit >= end) return end;
    const start = this.#starts.at(this.#indexAbove(limit) - 1);
    return start === undefined || start < offset ? offset : start;
  }

  /** Forgets all messages that end at or below `base`. */
  release(base: number): void {
    let count = 0;
    while (count + 1 < this.#starts.length && this.#starts.at(count + 1)! <= base) count++;
    if (count > 0) this.#starts.drop(count);
  }

  clear(): void {
    this.#starts.clear();
  }

  #indexAbove(offset: number): number {
    let low = 0;
    let high = this.#starts.length;
    // The next message to send is mostly among the first.
    if (high > 0 && this.#starts.at(0)! > offset) return 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#starts.at(middle)! <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
