/**
 * The sending half of a stream.
 *
 * @module
 */
import { FLAG_SEGMENT, FLAG_STREAM_END, FLAG_STREAM_INIT, KIND_UNORDERED } from "../constants.ts";
import { varintSize } from "../codec/varint.ts";
import { AckedRanges } from "./acked_ranges.ts";
import { MessageBoundaries } from "./boundaries.ts";
import { SendCredit } from "./flow_control.ts";
import type { BlockPool } from "./block_pool.ts";
import { RangeSet } from "./range_set.ts";
import { SEGMENT_BYTES } from "./entropy.ts";
import { SendBuffer } from "./send_buffer.ts";
import { framesMessages, isPartialKind } from "./stream_kind.ts";
import type { ChunkRef, StreamChunk, StreamInfo } from "./types.ts";
import { type WeightedShared, Weighting } from "./weighting.ts";

/**
 * What a sending half can do now: nothing, send, wait for the stream's or the session's credit, or
 * (when filling a chunk) wait for a packet with more room.
 */
export type SendOutlook = "idle" | "ready" | "stream" | "session" | "room";

/** Constants that the sending halves of a session share. */
export interface SendShared {
  readonly reliable: boolean;
  readonly credit: SendCredit;
  readonly blocks: BlockPool;
  /** Unsent plus unacknowledged bytes. */
  buffered: number;
  /** Half of the smallest window the peer started with: an unordered message up to this is not split for want of credit. */
  wholeMessage: number;
  readonly weighted: WeightedShared;
}

/** A range of a stream. */
export interface SendGap {
  readonly offset: number;
  readonly length: number;
}

/** Cuts the written bytes into frames, keeps them until acknowledged, and sends lost ranges again. */
export class SendStream {
  readonly #shared: SendShared;
  readonly #kind: number;
  readonly #announce: boolean;
  readonly #buffer: SendBuffer;
  /** Streams of bytes have none. */
  readonly #boundaries: MessageBoundaries | undefined;
  /** From the first loss on. */
  #lost: RangeSet | undefined;
  readonly #acked: AckedRanges = new AckedRanges();
  readonly credit: SendCredit;
  /** Set for partial kinds. */
  readonly weighting: Weighting | undefined;
  #sent = 0;
  #initPending: boolean;
  #finRequested = false;
  #finSent = false;
  #finLost = false;
  #finAcked = false;
  /** Gaps the peer may not know of yet. */
  readonly #gapsOut: RangeSet | undefined;
  #reset: "none" | "sent" | "acked" = "none";

  /** `announce`: this side opened the stream, so its first frame tells the peer, data or not. */
  constructor(kind: number, announce: boolean, limit: number, shared: SendShared) {
    this.#kind = kind;
    this.#announce = announce;
    this.#initPending = announce;
    this.#shared = shared;
    this.#buffer = new SendBuffer(shared.blocks);
    const partial = isPartialKind(kind);
    this.#boundaries = framesMessages(kind) || partial ? new MessageBoundaries(kind) : undefined;
    this.credit = new SendCredit(limit);
    this.weighting = partial ? new Weighting(shared.weighted) : undefined;
    this.#gapsOut = partial ? new RangeSet() : undefined;
  }

  /** Highest offset sent. */
  get sent(): number {
    return this.#sent;
  }

  get written(): number {
    return this.#buffer.end;
  }

  /** Unsent plus unacknowledged bytes. */
  get buffered(): number {
    return this.#buffer.end - this.#buffer.base;
  }

  /** Bytes that were never sent. */
  get unsent(): number {
    return this.#buffer.end - this.#sent;
  }

  get isOpen(): boolean {
    return !this.#finRequested && this.#reset === "none";
  }

  /** False once every byte was sent or dropped: BLOCKED would be stale. */
  get isOpenForData(): boolean {
    return this.#reset === "none" && this.#sent < this.#buffer.end;
  }

  get isReset(): boolean {
    return this.#reset !== "none";
  }

  /** All sent and acknowledged, or the reset acknowledged. */
  get done(): boolean {
    // A reset drops what is not acknowledged, which must not look as if all had been.
    return this.#reset === "none" ? this.#allAcked() : this.#reset === "acked";
  }

  /** True while something waits to be sent or acknowledged. */
  get busy(): boolean {
    if (this.#reset !== "none") return this.#reset === "sent";
    return this.buffered > 0 || this.#initPending || this.#gaps > 0 ||
      (this.#finRequested && !this.#finAcked);
  }

  /** Ranges given up that the peer may not know of. */
  get #gaps(): number {
    return this.#gapsOut?.size ?? 0;
  }

  get state(): StreamInfo["sendState"] {
    if (this.#reset !== "none") return this.#reset === "acked" ? "reset" : "resetting";
    if (!this.#finRequested) return "open";
    return this.#allAcked() ? "finished" : "finishing";
  }

  get hasLost(): boolean {
    return (this.#lost !== undefined && this.#lost.size > 0) || this.#finLost;
  }

  /**
   * `startsMessage`: the chunk is the beginning of a message, its length prefix included. `own`: the array is taken
   * over, else copied.
   */
  write(chunk: Uint8Array, startsMessage: boolean, own: boolean): void {
    if (startsMessage) this.#boundaries?.push(this.#buffer.end);
    this.weighting?.write(chunk);
    if (own) this.#buffer.push(chunk);
    else this.#buffer.copy(chunk);
    this.#shared.buffered += chunk.length;
  }

  finish(): void {
    this.#finRequested = true;
  }

  /** Drops what is not acknowledged. Returns the final size for STREAM_RESET. */
  reset(): number {
    this.#drop();
    this.#initPending = false;
    this.#finLost = false;
    this.#reset = "sent";
    return this.#sent;
  }

  resetAcked(): void {
    this.#reset = "acked";
  }

  /** Whether new bytes, the end, or the announcement can go out. */
  outlook(): SendOutlook {
    if (this.#reset !== "none") return "idle";
    if (this.unsent === 0) {
      return this.#initPending || (this.#finRequested && !this.#finSent) ? "ready" : "idle";
    }
    if (this.#initPending) return "ready";
    const wanted = this.#wantedCredit();
    if (this.credit.available < wanted) return "stream";
    return this.#shared.credit.available < wanted ? "session" : "ready";
  }

  /** Fills `into` with new bytes. Only when `outlook` says "ready"; answers "room" if nothing fits. */
  fillFresh(room: number, fullRoom: number, into: StreamChunk): SendOutlook {
    const offset = this.#sent;
    const end = this.#buffer.end;
    const header = 1 + varintSize(offset);
    const credit = Math.max(
      0,
      Math.min(end - offset, this.credit.available, this.#shared.credit.available),
    );
    let stop = Math.min(offset + Math.min(credit, room - header), this.#segmentEnd(offset));
    // Only the announcement and the end are worth a frame without bytes.
    if (stop < offset || (stop === offset && credit > 0)) return "room";
    if (credit > 0 && this.#kind === KIND_UNORDERED) {
      stop = this.#wholeMessages(offset, stop, offset + credit, fullRoom - header);
      if (stop === offset) return "room";
    }
    into.flags = this.#initPending ? FLAG_STREAM_INIT : 0;
    this.#fill(offset, stop, into);
    into.retransmission = false;
    this.#initPending = false;
    if (stop > offset) this.weighting?.sent(false);
    this.#sent = stop;
    this.credit.use(stop - offset);
    this.#shared.credit.use(stop - offset);
    if (into.fin) this.#finSent = true;
    if (this.#shared.reliable) {
      this.#release(stop);
      if (into.fin) this.#finAcked = true;
    }
    return "ready";
  }

  /** Fills `into` with the first lost range, which needs no credit. */
  fillLost(room: number, fullRoom: number, into: StreamChunk): SendOutlook {
    if (!this.hasLost) return "idle";
    const lost = this.#lost;
    const empty = lost === undefined || lost.size === 0;
    const offset = empty ? this.#buffer.end : lost.start(0);
    const end = empty ? offset : lost.end(0);
    const header = 1 + varintSize(offset);
    let stop = Math.min(end, offset + room - header, this.#segmentEnd(offset));
    if (stop < offset || (stop === offset && !empty)) return "room";
    if (!empty && this.#kind === KIND_UNORDERED) {
      stop = this.#wholeMessages(offset, stop, end, fullRoom - header);
      if (stop === offset) return "room";
    }
    into.flags = this.#announce && offset === 0 ? FLAG_STREAM_INIT : 0;
    this.#fill(offset, stop, into);
    into.retransmission = true;
    lost?.remove(offset, stop);
    if (stop > offset) this.weighting?.sent(true);
    if (into.fin) this.#finLost = false;
    return "ready";
  }

  onAcked(chunk: ChunkRef): void {
    if (this.#reset !== "none") return;
    const end = chunk.offset + chunk.length;
    this.#lost?.remove(chunk.offset, end);
    this.weighting?.acked(chunk.offset, end);
    if (chunk.fin) {
      this.#finAcked = true;
      this.#finLost = false;
    }
    this.#release(this.#acked.add(chunk.offset, end, this.#buffer.base));
  }

  /** Returns what is given up because of it (SPEC 11), for STREAM_GAP. */
  onLost(chunk: ChunkRef): SendGap | undefined {
    if (this.#reset !== "none") return undefined;
    if (chunk.length === 0 && !chunk.fin) {
      // The frame that announced the stream; anything sent since announces it as well.
      if (this.#announce && this.#sent === 0 && !this.#finSent) this.#initPending = true;
      return undefined;
    }
    if (chunk.fin && !this.#finAcked) this.#finLost = true;
    const end = chunk.offset + chunk.length;
    let worthless = false;
    const acked = this.#acked;
    for (let at = acked.skip(Math.max(chunk.offset, this.#buffer.base)); at < end;) {
      const stop = Math.min(acked.startAbove(at), end);
      this.#lost ??= new RangeSet();
      this.#lost.add(at, stop);
      if (this.weighting?.lost(at, stop, this.#buffer.end) === true) worthless = true;
      at = acked.skip(stop);
    }
    return worthless ? this.giveUp(chunk.offset) : undefined;
  }

  /** A probe is to repeat this chunk, which may still be on its way: no loss, and no further transmission of its bytes. */
  onProbe(chunk: ChunkRef): void {
    if (this.weighting === undefined) void this.onLost(chunk);
    else if (this.#reset === "none" && chunk.fin && !this.#finAcked) this.#finLost = true;
  }

  /**
   * Stops caring for the segment that holds `offset`, if any of it is sent and not acknowledged (SPEC 11). What is not
   * sent yet is not sent any more, as far as credit covers the gap. Returns what STREAM_GAP names.
   */
  giveUp(offset: number): SendGap | undefined {
    const start = offset - offset % SEGMENT_BYTES;
    const from = Math.max(start, this.#buffer.base);
    if (this.#reset !== "none" || from >= Math.min(start + SEGMENT_BYTES, this.#sent)) {
      return undefined;
    }
    const credit = Math.min(this.credit.available, this.#shared.credit.available);
    const reach = Math.max(this.#sent, Math.min(this.#buffer.end, this.#sent + credit));
    const to = Math.min(start + SEGMENT_BYTES, reach);
    if (to > this.#sent) {
      this.credit.use(to - this.#sent);
      this.#shared.credit.use(to - this.#sent);
      this.#sent = to;
    }
    this.#lost?.remove(from, to);
    this.#gapsOut?.add(from, to);
    this.weighting?.giveUp(from, to);
    this.#release(this.#acked.add(from, to, this.#buffer.base));
    return { offset: from, length: to - from };
  }

  /** The peer knows of a gap. */
  gapAcked(offset: number, length: number): void {
    this.#gapsOut?.remove(offset, offset + length);
  }

  /** Drops everything without a word to the peer. */
  destroy(): void {
    this.#drop();
    this.#reset = "acked";
  }

  #allAcked(): boolean {
    return this.#finAcked && this.#buffer.base === this.#buffer.end && this.#gaps === 0;
  }

  /** Credit without which sending now would split a message that could soon go whole. */
  #wantedCredit(): number {
    const boundaries = this.#boundaries;
    if (this.#kind !== KIND_UNORDERED || boundaries?.isStart(this.#sent) !== true) return 1;
    const size = boundaries.messageEnd(this.#sent, this.#buffer.end) - this.#sent;
    return size <= this.#shared.wholeMessage ? size : 1;
  }

  /**
   * SPEC 8: unordered messages start at a frame start or right behind a whole one; one that fits a
   * frame is not split. Returns `offset` when the first fits a full packet but not this one.
   */
  #wholeMessages(offset: number, stop: number, available: number, fullSpace: number): number {
    const end = this.#buffer.end;
    const boundaries = this.#boundaries!;
    const messageEnd = boundaries.messageEnd(offset, end);
    if (!boundaries.isStart(offset)) return Math.min(stop, messageEnd);
    const whole = boundaries.lastWhole(offset, stop, end);
    if (whole > offset) return whole;
    const fits = messageEnd <= available && messageEnd - offset <= fullSpace;
    return fits ? offset : stop;
  }

  /** SPEC 11: a packet's loss costs one segment at most. */
  #segmentEnd(offset: number): number {
    if (this.weighting === undefined) return Infinity;
    return offset - offset % SEGMENT_BYTES + SEGMENT_BYTES;
  }

  #fill(offset: number, stop: number, into: StreamChunk): void {
    into.kind = this.#kind;
    into.offset = offset;
    into.length = stop - offset;
    into.parts.length = 0;
    if (stop > offset) {
      this.#buffer.view(offset, stop, into.parts);
      if (this.#boundaries?.isStart(offset) === true) into.flags |= FLAG_SEGMENT;
    }
    into.fin = this.#finRequested && stop === this.#buffer.end;
    if (into.fin) into.flags |= FLAG_STREAM_END;
  }

  #release(base: number): void {
    const bytes = Math.max(0, base - this.#buffer.base);
    this.#shared.buffered -= bytes;
    this.#land(bytes);
    this.#buffer.release(base);
    this.#boundaries?.release(base);
    this.weighting?.release(base, this.#finRequested ? this.#buffer.end : undefined);
    this.#rest();
  }

  #drop(): void {
    this.#shared.buffered -= this.buffered;
    this.#land(this.credit.inFlight);
    this.#buffer.clear();
    this.#boundaries?.clear();
    this.#lost = undefined;
    this.#acked.clear();
    this.weighting?.clear();
    this.#rest();
  }

  #land(bytes: number): void {
    this.credit.inFlight -= bytes;
    this.#shared.credit.inFlight -= bytes;
  }

  #rest(): void {
    if (this.#shared.buffered === 0) this.#shared.blocks.rest();
  }
}
