/**
 * The receiving side of a stream whose bytes are read in order (kinds 0, 2, 4, 6).
 *
 * @module
 */
import { LengthPrefix, type MessageScanner } from "./message_framing.ts";
import { type PieceBudget, PieceMap } from "./piece.ts";
import type { StreamSegment } from "./types.ts";
import { SEGMENT_BYTES } from "./entropy.ts";

/** Puts pieces that arrive in any order into the order of the stream. */
export class Reassembly {
  readonly #map: PieceMap;
  readonly #scanner: MessageScanner | undefined;
  readonly #prefix: LengthPrefix = new LengthPrefix();
  #readOffset = 0;
  #contiguousEnd = 0;

  /** With a scanner, whole messages are counted as their bytes become contiguous. */
  constructor(budget: PieceBudget, scanner?: MessageScanner) {
    this.#map = new PieceMap(budget);
    this.#scanner = scanner;
  }

  /** Everything below was read. */
  get readOffset(): number {
    return this.#readOffset;
  }

  /** Everything below was received or given up. */
  get contiguousEnd(): number {
    return this.#contiguousEnd;
  }

  get bufferedBytes(): number {
    return this.#map.bufferedBytes;
  }

  insert(offset: number, data: Uint8Array): void {
    this.#map.insert(offset, data.length, data);
    this.#advance();
  }

  /** Bytes that came before the sender gave up stay readable. Returns how many did not come. */
  insertGap(offset: number, length: number): number {
    const before = this.#map.received.total;
    this.#map.insert(offset, length, undefined);
    this.#advance();
    return this.#map.received.total - before;
  }

  /** At most `max` of the next bytes, from one piece; undefined when there are none. */
  read(max: number): Uint8Array | undefined {
    const bytes = this.#map.takeFirst(this.#readOffset, max);
    if (bytes !== undefined) this.#readOffset += bytes.length;
    return bytes;
  }

  /** The next message, which the scanner must have seen whole. */
  readMessage(): Uint8Array {
    const start = this.#readOffset;
    let body = start;
    let size: number | undefined;
    while (size === undefined) size = this.#prefix.push(this.#map.byteAt(body++));
    this.#readOffset = body + size;
    return this.#map.take(start, body + size).subarray(body - start);
  }

  /** The next segment or gap, undefined while it is incomplete. `end`: size of the stream, if known. */
  readSegment(end: number | undefined): StreamSegment | undefined {
    const offset = this.#readOffset;
    const head = this.#map.pieces[0];
    if (head === undefined || head.start !== offset) return undefined;
    if (head.isGap) {
      this.#readOffset = this.#map.takeGap(offset);
      return { offset, gap: this.#readOffset - offset };
    }
    const stop = this.#segmentEnd(end);
    if (stop === undefined) return undefined;
    this.#readOffset = stop;
    return { offset, data: this.#map.take(offset, stop) };
  }

  /** What is held begins here or later: where the reader stands, or the end of the gap that comes next. */
  get heldFrom(): number {
    const head = this.#map.pieces[0];
    return head !== undefined && head.isGap && head.start === this.#readOffset
      ? head.end
      : this.#readOffset;
  }

  /** True when `readSegment` has something. */
  hasSegment(end: number | undefined): boolean {
    const head = this.#map.pieces[0];
    if (head === undefined || head.start !== this.#readOffset) return false;
    return head.isGap || this.#segmentEnd(end) !== undefined;
  }

  /** Drops all bytes. */
  clear(): void {
    this.#map.clear();
  }

  #segmentEnd(end: number | undefined): number | undefined {
    const offset = this.#readOffset;
    const boundary = offset - offset % SEGMENT_BYTES + SEGMENT_BYTES;
    const wanted = end === undefined ? boundary : Math.min(boundary, end);
    let at = offset;
    for (const piece of this.#map.pieces) {
      if (piece.start !== at) return undefined;
      if (piece.isGap) return at;
      at = piece.end;
      if (at >= wanted) return wanted;
    }
    return undefined;
  }

  #advance(): void {
    const from = this.#contiguousEnd;
    const end = this.#map.received.endOfRangeAt(0);
    this.#contiguousEnd = end;
    if (this.#scanner === undefined || end === from) return;
    const pieces = this.#map.pieces;
    for (let index = this.#map.indexAt(from); index < pieces.length; index++) {
      const piece = pieces[index]!;
      if (piece.start >= end) break;
      const view = piece.view();
      this.#scanner.scan(piece.start < from ? view.subarray(from - piece.start) : view);
    }
  }
}
