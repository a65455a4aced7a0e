/**
 * The receiving side of a kind-5 stream: messages are handed over in the order in which they become
 * whole (SPEC 8).
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { LengthPrefix } from "./message_framing.ts";
import { type PieceBudget, PieceMap } from "./piece.ts";
import { Queue } from "./queue.ts";
import { RangeSet } from "./range_set.ts";

interface PartialMessage {
  /** Offset of the length prefix. */
  readonly start: number;
  bodyStart: number;
  /** Undefined until the prefix is whole. */
  end: number | undefined;
  /** Bytes whose credit returned before the message was whole. */
  credited: number;
}

/** Finds messages from the SEGMENT flag, and from the ends of messages already found. */
export class UnorderedMessages {
  readonly #map: PieceMap;
  readonly #maxSize: number;
  readonly #partial: PartialMessage[] = [
    { start: 0, bodyStart: 0, end: undefined, credited: 0 },
  ];
  readonly #taken: RangeSet = new RangeSet();
  /** Four numbers per whole message: start, start of the body, end, bytes whose credit is still out. */
  readonly #whole: Queue<number> = new Queue();
  #consumed = 0;
  #finalSize: number | undefined;
  /** Set to the size of the first message above the limit; the object is of no use then. */
  tooLarge: number | undefined;

  constructor(budget: PieceBudget, maxSize: number) {
    this.#map = new PieceMap(budget);
    this.#maxSize = maxSize;
  }

  /** Number of messages that wait to be read. */
  get complete(): number {
    return this.#whole.length / 4;
  }

  get bufferedBytes(): number {
    return this.#map.bufferedBytes;
  }

  /** Bytes whose credit returns to the peer. */
  get consumed(): number {
    return this.#consumed;
  }

  /** True when every byte of the stream was received. */
  get allReceived(): boolean {
    return this.#map.received.total === this.#finalSize;
  }

  /** `startsMessage`: the SEGMENT flag. @throws {SttError} `PROTOCOL` when the framing contradicts itself */
  insert(offset: number, data: Uint8Array, startsMessage: boolean): void {
    this.#map.insert(offset, data.length, data);
    if (startsMessage && data.length > 0) this.#addStart(offset);
    this.#resolve(offset, offset + data.length);
    this.#creditLowest();
  }

  /** @throws {SttError} `PROTOCOL` when the stream ends inside a message */
  setFinalSize(size: number): void {
    this.#finalSize = size;
    const last = this.#partial[this.#partial.length - 1];
    if (last !== undefined && last.start === size) this.#partial.pop();
    const open = this.#partial[this.#partial.length - 1];
    const passed = open !== undefined && open.end !== undefined && open.end > size;
    if (passed || (this.allReceived && this.#partial.length > 0)) throw insideMessage(size);
  }

  read(): Uint8Array | undefined {
    if (this.#whole.length === 0) return undefined;
    const start = this.#whole.at(0)!;
    const bodyStart = this.#whole.at(1)!;
    const end = this.#whole.at(2)!;
    this.#consumed += this.#whole.at(3)!;
    this.#whole.drop(4);
    this.#creditLowest();
    return this.#map.take(start, end).subarray(bodyStart - start);
  }

  /** Drops all bytes. */
  clear(): void {
    this.#map.clear();
    this.#taken.clear();
    this.#whole.clear();
    this.#partial.length = 0;
  }

  /** Looks at every known message that the bytes [from, to) may have completed. */
  #resolve(from: number, to: number): void {
    let index = Math.max(0, this.#indexAbove(from) - 1);
    while (index < this.#partial.length && this.tooLarge === undefined) {
      const message = this.#partial[index]!;
      if (message.start >= to) break;
      if (!this.#complete(message)) {
        index++;
        continue;
      }
      const end = message.end!;
      this.#extract(message, end);
      // The end of a message is the start of the next, flagged or not.
      const known = this.#partial[index + 1]?.start === end;
      if (known || this.#taken.has(end) || end === this.#finalSize) this.#partial.splice(index, 1);
      else {
        this.#partial[index] = { start: end, bodyStart: end, end: undefined, credited: 0 };
        // Bytes behind it may have been here before.
        to = Math.max(to, this.#map.received.endOfRangeAt(end));
      }
    }
    if (this.tooLarge === undefined && this.allReceived && this.#partial.length > 0) {
      throw insideMessage(this.#finalSize!);
    }
  }

  #complete(message: PartialMessage): boolean {
    const run = this.#map.received.endOfRangeAt(message.start);
    if (message.end === undefined) {
      const prefix = new LengthPrefix();
      let at = message.start;
      let size: number | undefined;
      while (size === undefined) {
        if (at >= run) return false;
        if (this.#taken.has(at)) throw overlapping(message.start);
        size = prefix.push(this.#map.byteAt(at++));
      }
      if (size > this.#maxSize) {
        this.tooLarge = size;
        return false;
      }
      message.bodyStart = at;
      message.end = at + size;
      this.#checkRange(message.start, message.end);
    }
    return run >= message.end;
  }

  #checkRange(start: number, end: number): void {
    const next = this.#partial[this.#indexAbove(start)];
    const taken = this.#taken.indexAbove(start);
    if (
      (next !== undefined && next.start < end) ||
      (taken < this.#taken.size && this.#taken.start(taken) < end)
    ) throw overlapping(start);
    if (this.#finalSize !== undefined && end > this.#finalSize) {
      throw insideMessage(this.#finalSize);
    }
  }

  #extract(message: PartialMessage, end: number): void {
    this.#taken.add(message.start, end);
    this.#whole.push(message.start);
    this.#whole.push(message.bodyStart);
    this.#whole.push(end);
    this.#whole.push(end - message.start - message.credited);
  }

  #addStart(start: number): void {
    if (this.#taken.has(start)) return;
    const index = this.#indexAbove(start);
    const previous = this.#partial[index - 1];
    if (previous !== undefined) {
      if (previous.start === start) return;
      if (previous.end !== undefined && previous.end > start) throw overlapping(previous.start);
    }
    this.#partial.splice(index, 0, { start, bodyStart: start, end: undefined, credited: 0 });
  }

  /**
   * SPEC 8: the credit of a message returns while it is assembled, or one larger than the window could
   * never arrive. Only for the lowest one, and only while nothing waits to be read: so a stream holds
   * no more than one message and one window.
   */
  #creditLowest(): void {
    const lowest = this.#partial[0];
    if (lowest === undefined || this.#whole.length > 0) return;
    const run = this.#map.received.endOfRangeAt(lowest.start);
    const held = Math.min(run, lowest.end ?? run) - lowest.start;
    this.#consumed += held - lowest.credited;
    lowest.credited = held;
  }

  #indexAbove(offset: number): number {
    let low = 0;
    let high = this.#partial.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#partial[middle]!.start <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function overlapping(start: number): SttError {
  return new SttError("PROTOCOL", "cannot read message: another one starts inside it", {
    offset: start,
  });
}

function insideMessage(size: number): SttError {
  return new SttError("PROTOCOL", "cannot end stream: its final size lies inside a message", {
    offset: size,
  });
}
