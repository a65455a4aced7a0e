/**
 * Received bytes that wait for the application: how they are kept, and in what order.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { RangeSet } from "./range_set.ts";

/** Below this, bytes are copied together: a piece per byte would cost a hundred times the byte. */
const SMALL_BYTES = 512;
const BLOCK_BYTES = 4096;
/** Above this many times its size, a buffer is too much to keep alive for a view. */
const MAX_PINNED_FACTOR = 4;
const EMPTY: Uint8Array = new Uint8Array(0);

/** A run of received bytes, or of bytes that the sender gave up (`bytes` undefined). */
export class Piece {
  start: number;
  length: number;
  /** True when keeping it costs more than its bytes: counted against the budget. */
  readonly isSmall: boolean;
  #bytes: Uint8Array | undefined;
  #from = 0;
  #owned = false;

  constructor(start: number, length: number, bytes: Uint8Array | undefined) {
    this.start = start;
    this.length = length;
    this.isSmall = length < SMALL_BYTES;
    this.#bytes = bytes;
    if (bytes === undefined) return;
    // A peer that sends one byte per 64 KiB buffer must not make this side keep the buffers.
    if (length < SMALL_BYTES || length * MAX_PINNED_FACTOR < bytes.buffer.byteLength) {
      this.#bytes = bytes.slice();
      this.#owned = true;
    }
  }

  get end(): number {
    return this.start + this.length;
  }

  get isGap(): boolean {
    return this.#bytes === undefined;
  }

  /** Takes `bytes`, which follow directly, into this piece if both are small; else returns false. */
  append(bytes: Uint8Array): boolean {
    if (!this.#owned || this.#bytes === undefined) return false;
    if (bytes.length >= SMALL_BYTES) return false;
    const used = this.#from + this.length;
    if (used + bytes.length > this.#bytes.length) {
      if (this.length + bytes.length > BLOCK_BYTES) return false;
      const wanted = Math.max(2 * this.length, this.length + bytes.length);
      const block = new Uint8Array(Math.min(BLOCK_BYTES, wanted));
      block.set(this.view());
      this.#bytes = block;
      this.#from = 0;
    }
    this.#bytes.set(bytes, this.#from + this.length);
    this.length += bytes.length;
    return true;
  }

  /** The first `length` bytes. Only for pieces that are no gap. */
  view(length: number = this.length): Uint8Array {
    if (this.#bytes === undefined) throw new SttError("INTERNAL", "cannot view a gap of a stream");
    return this.#bytes.subarray(this.#from, this.#from + length);
  }

  /** The byte at `offset` of the stream, which must lie inside. Only for pieces that are no gap. */
  byteAt(offset: number): number {
    return this.#bytes![this.#from + offset - this.start]!;
  }

  /** Removes bytes from the front. */
  skip(length: number): void {
    this.start += length;
    this.length -= length;
    this.#from += length;
  }

  /** Cuts this piece at `offset` of the stream and returns what lies behind. */
  split(offset: number): Piece {
    const keep = offset - this.start;
    const rest = this.#bytes === undefined
      ? undefined
      : this.#bytes.subarray(this.#from + keep, this.#from + this.length);
    const tail = new Piece(offset, this.length - keep, rest);
    this.length = keep;
    // Room behind the cut now belongs to the tail.
    this.#owned = false;
    return tail;
  }
}

/** How many small pieces and separate runs of bytes all streams of a session may hold at once. */
export class PieceBudget {
  readonly #max: number;
  #held = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get held(): number {
    return this.#held;
  }

  /** @throws {SttError} `PROTOCOL` when the session's streams are in too many pieces */
  change(by: number): void {
    this.#held += by;
    if (by > 0 && this.#held > this.#max) {
      // Bytes within the window may still cost a hundred times their number in bookkeeping when no
      // two are neighbours; no sender that retransmits gets here.
      throw new SttError(
        "PROTOCOL",
        `cannot keep stream data: ${this.#held} small pieces exceed ${this.#max}`,
        { limit: this.#max },
      );
    }
  }
}

/** Of every map that holds nothing; nothing is ever added to it. */
const NONE: Piece[] = [];

/** Sorted, disjoint pieces, and the ranges ever received. Bytes received twice are kept once. */
export class PieceMap {
  #pieces: Piece[] = NONE;
  readonly received: RangeSet = new RangeSet();
  readonly #budget: PieceBudget;
  /** Bytes held, gaps not counted. */
  bufferedBytes = 0;

  /** `taken`: bytes from the start that were received and taken before. */
  constructor(budget: PieceBudget, taken: number = 0) {
    this.#budget = budget;
    if (taken === 0) return;
    this.received.add(0, taken);
    budget.change(1);
  }

  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** Keeps the parts of [start, start + length) that are new. `data` undefined: a gap. */
  insert(start: number, length: number, data: Uint8Array | undefined): void {
    const end = start + length;
    let at = start;
    while (at < end) {
      const index = this.received.indexAbove(at);
      const next = index < this.received.size ? this.received.start(index) : Infinity;
      if (next <= at) {
        at = this.received.end(index);
        continue;
      }
      const stop = Math.min(next, end);
      this.#store(at, stop - at, data?.subarray(at - start, stop - start));
      at = stop;
    }
    const before = this.received.size;
    this.received.add(start, end);
    const change = this.received.size - before;
    if (change !== 0) this.#budget.change(change);
  }

  /** Removes and joins [start, end), all of which must be held as bytes. */
  take(start: number, end: number): Uint8Array {
    const length = end - start;
    if (length === 0) return EMPTY;
    let index = this.#firstEndingAbove(start);
    const first = this.pieces[index];
    if (first !== undefined && first.start < start) this.#add(++index, first.split(start));
    const head = this.pieces[index];
    if (head !== undefined && head.end >= end) {
      const view = head.view(length);
      this.#consume(index, length);
      return view;
    }
    const joined = new Uint8Array(length);
    let stop = index;
    let filled = 0;
    while (filled < length) {
      const piece = this.pieces[stop]!;
      const part = Math.min(piece.length, length - filled);
      joined.set(piece.view(part), filled);
      filled += part;
      if (part === piece.length) stop++;
      else piece.skip(part);
    }
    this.bufferedBytes -= length;
    this.#remove(index, stop - index);
    return joined;
  }

  /** At most `max` bytes of the first piece, which must start at `offset` and be no gap. */
  takeFirst(offset: number, max: number): Uint8Array | undefined {
    const piece = this.pieces[0];
    if (piece === undefined || piece.start !== offset) return undefined;
    const length = Math.min(max, piece.length);
    const view = piece.view(length);
    this.#consume(0, length);
    return view;
  }

  /** Removes the gaps from `offset` on and returns where they end. */
  takeGap(offset: number): number {
    let end = offset;
    let count = 0;
    for (const piece of this.pieces) {
      if (!piece.isGap || piece.start !== end) break;
      end = piece.end;
      count++;
    }
    this.#remove(0, count);
    return end;
  }

  /** Index of the piece that holds `offset`, or of the next one. */
  indexAt(offset: number): number {
    return this.#firstEndingAbove(offset);
  }

  /** The byte at `offset`, which must be held. */
  byteAt(offset: number): number {
    const piece = this.pieces[this.#firstEndingAbove(offset)];
    if (piece === undefined || piece.start > offset) {
      throw new SttError("INTERNAL", `cannot read byte ${offset} of a stream: it is not held`);
    }
    return piece.byteAt(offset);
  }

  /** Forgets everything. */
  clear(): void {
    this.#remove(0, this.pieces.length);
    this.#budget.change(-this.received.size);
    this.received.clear();
    this.bufferedBytes = 0;
  }

  #store(start: number, length: number, data: Uint8Array | undefined): void {
    const index = this.#firstEndingAbove(start);
    if (data === undefined) {
      this.#storeGap(index, start, start + length);
      return;
    }
    this.bufferedBytes += length;
    const previous = this.pieces[index - 1];
    if (previous !== undefined && previous.end === start && previous.append(data)) return;
    this.#add(index, new Piece(start, length, data));
  }

  /** Neighbouring gaps become one: no credit limits their number. */
  #storeGap(index: number, start: number, end: number): void {
    const previous = this.pieces[index - 1];
    const next = this.pieces[index];
    const joinsPrevious = previous !== undefined && previous.isGap && previous.end === start;
    const joinsNext = next !== undefined && next.isGap && next.start === end;
    const from = joinsPrevious ? previous.start : start;
    const to = joinsNext ? next.end : end;
    const first = joinsPrevious ? index - 1 : index;
    this.#remove(first, (joinsPrevious ? 1 : 0) + (joinsNext ? 1 : 0));
    this.#add(first, new Piece(from, to - from, undefined));
  }

  #add(index: number, piece: Piece): void {
    if (this.#pieces.length === 0) this.#pieces = [piece];
    else if (index === this.#pieces.length) this.#pieces.push(piece);
    else this.#pieces.splice(index, 0, piece);
    if (piece.isSmall) this.#budget.change(1);
  }

  #consume(index: number, length: number): void {
    const piece = this.pieces[index]!;
    this.bufferedBytes -= length;
    piece.skip(length);
    if (piece.length === 0) this.#remove(index, 1);
  }

  #remove(index: number, count: number): void {
    let small = 0;
    for (let at = index; at < index + count; at++) if (this.pieces[at]!.isSmall) small++;
    if (count === this.#pieces.length) this.#pieces = NONE;
    else if (index === 0 && count === 1) this.#pieces.shift();
    else this.#pieces.splice(index, count);
    if (small > 0) this.#budget.change(-small);
  }

  #firstEndingAbove(offset: number): number {
    const pieces = this.pieces;
    const count = pieces.length;
    if (count === 0 || pieces[count - 1]!.end <= offset) return count;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (pieces[middle]!.end <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
