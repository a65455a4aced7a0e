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
  readonly #budget: PieceBudget;
  /** While bytes are held or missing: a session may have thousands of streams that rest. */
  #map: PieceMap | undefined;
  readonly #scanner: MessageScanner | undefined;
  /** Streams of messages alone. */
  readonly #prefix: LengthPrefix | undefined;
  #readOffset = 0;
  #contiguousEnd = 0;

  /** With a scanner, whole messages are counted as their bytes become contiguous. */
  constructor(budget: PieceBudget, scanner?: MessageScanner) {
    this.#budget = budget;
    this.#scanner = scanner;
    this.#prefix = scanner && new LengthPrefix();
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
    return this.#map?.bufferedBytes ?? 0;
  }

  insert(offset: number, data: Uint8Array): void {
    const map = this.#wake();
    map.insert(offset, data.length, data);
    this.#advance(map);
  }

  /** Bytes that came before the sender gave up stay readable. Returns how many did not come. */
  insertGap(offset: number, length: number): number {
    const map = this.#wake();
    const before = map.received.total;
    map.insert(offset, length, undefined);
    this.#advance(map);
    return map.received.total - before;
  }

  /** At most `max` of the next bytes, from one piece; undefined when there are none. */
  read(max: number): Uint8Array | undefined {
    const bytes = this.#map?.takeFirst(this.#readOffset, max);
    if (bytes === undefined) return undefined;
    this.#readOffset += bytes.length;
    this.#rest();
    return bytes;
  }

  /** The next message, which the scanner must have seen whole. */
  readMessage(): Uint8Array {
    const map = this.#wake();
    const start = this.#readOffset;
    let body = start;
    let size: number | undefined;
    while (size === undefined) size = this.#prefix!.push(map.byteAt(body++));
    this.#readOffset = body + size;
    const message = map.take(start, body + size).subarray(body - start);
    this.#rest();
    return message;
  }

  /** The next segment or gap, undefined while it is incomplete. `end`: size of the stream, if known. */
  readSegment(end: number | undefined): StreamSegment | undefined {
    const offset = this.#readOffset;
    const map = this.#map;
    const head = map?.pieces[0];
    if (map === undefined || head === undefined || head.start !== offset) return undefined;
    if (head.isGap) {
      this.#readOffset = map.takeGap(offset);
      this.#rest();
      return { offset, gap: this.#readOffset - offset };
    }
    const stop = this.#segmentEnd(end);
    if (stop === undefined) return undefined;
    this.#readOffset = stop;
    const data = map.take(offset, stop);
    this.#rest();
    return { offset, data };
  }

  /** What is held begins here or later: where the reader stands, or the end of the gap that comes next. */
  get heldFrom(): number {
    const head = this.#map?.pieces[0];
    return head !== undefined && head.isGap && head.start === this.#readOffset
      ? head.end
      : this.#readOffset;
  }

  /** True when `readSegment` has something. */
  hasSegment(end: number | undefined): boolean {
    const head = this.#map?.pieces[0];
    if (head === undefined || head.start !== this.#readOffset) return false;
    return head.isGap || this.#segmentEnd(end) !== undefined;
  }

  /** Drops all bytes. */
  clear(): void {
    this.#map?.clear();
    this.#map = undefined;
  }

  #wake(): PieceMap {
    return this.#map ??= new PieceMap(this.#budget, this.#readOffset);
  }

  /** Everything received was read, and nothing is missing before it: `readOffset` says it all. */
  #rest(): void {
    const map = this.#map;
    if (map === undefined || map.pieces.length > 0) return;
    if (map.received.total === this.#readOffset) this.clear();
  }

  #segmentEnd(end: number | undefined): number | undefined {
    const offset = this.#readOffset;
    const boundary = offset - offset % SEGMENT_BYTES + SEGMENT_BYTES;
    const wanted = end === undefined ? boundary : Math.min(boundary, end);
    let at = offset;
    for (const piece of this.#map?.pieces ?? []) {
      if (piece.start !== at) return undefined;
      if (piece.isGap) return at;
      at = piece.end;
      if (at >= wanted) return wanted;
    }
    return undefined;
  }

  #advance(map: PieceMap): void {
    const from = this.#contiguousEnd;
    const end = map.received.endOfRangeAt(0);
    this.#contiguousEnd = end;
    if (this.#scanner === undefined || end === from) return;
    const pieces = map.pieces;
    for (let index = map.indexAt(from); index < pieces.length; index++) {
      const piece = pieces[index]!;
      if (piece.start >= end) break;
      const view = piece.view();
      this.#scanner.scan(piece.start < from ? view.subarray(from - piece.start) : view);
    }
  }
}
