/**
 * What goes to the peer: records first, then data in the scheduler's order.
 *
 * @module
 */
import { FLAG_PRIORITY_HIGH, FLAG_PRIORITY_LOW } from "../constants.ts";
import { CLASS_HIGH, CLASS_LOW, CLASS_RETRANSMIT, type ReadyNode } from "./scheduler.ts";
import type { Stream } from "./stream.ts";
import type { StreamTable } from "./stream_table.ts";
import type { ChunkRef, StreamChunk, StreamRecord } from "./types.ts";

/** Kind byte and the usual offset: what a full frame carries besides data. */
const TYPICAL_HEADER_BYTES = 10;

/** Hands out each record and range of bytes once, and again when it was lost. */
export class StreamOutput {
  readonly #table: StreamTable;
  rttMs: number | undefined = undefined;
  bytesResent: number = 0;

  constructor(table: StreamTable) {
    this.#table = table;
  }

  hasControl(): boolean {
    if (this.#table.destroyed !== undefined) return false;
    // Finding out that credit is used up is what makes BLOCKED.
    this.hasData();
    return this.#table.control.pending;
  }

  /** `room` in bytes of records; undefined when the next does not fit. `nowMs` decides on windows. */
  nextControl(room: number, nowMs: number): StreamRecord | undefined {
    if (this.#table.destroyed !== undefined) return undefined;
    const record = this.#table.control.next(room, nowMs, this.rttMs);
    if (record !== undefined && this.#table.config.reliable) this.onControlAcked(record);
    return record;
  }

  hasData(): boolean {
    return this.#next() !== undefined;
  }

  /** See `StreamSet.nextData`. */
  nextData(room: number, into: StreamChunk, fullRoom: number): boolean {
    const node = this.#next();
    if (node === undefined) return false;
    const stream = node.owner;
    const lost = node.class === CLASS_RETRANSMIT;
    const outcome = lost
      ? stream.send.fillLost(room, fullRoom, into)
      : stream.send.fillFresh(room, fullRoom, into);
    if (outcome !== "ready") return false;
    into.streamId = stream.id;
    if (stream.fresh.class === CLASS_HIGH) into.flags |= FLAG_PRIORITY_HIGH;
    else if (stream.fresh.class === CLASS_LOW) into.flags |= FLAG_PRIORITY_LOW;
    if (lost) this.bytesResent += into.length;
    this.#table.send.weighted.packetBytes = fullRoom - TYPICAL_HEADER_BYTES;
    this.#table.scheduler.sent(node, into.length, fullRoom - TYPICAL_HEADER_BYTES);
    this.#table.afterProgress(stream);
    return true;
  }

  onAcked(chunk: ChunkRef): void {
    const stream = this.#table.streams.get(chunk.streamId);
    if (stream === undefined) return;
    stream.send.onAcked(chunk);
    if (stream.blockedPending) this.#table.control.add(stream);
    this.#table.afterProgress(stream);
  }

  onLost(chunk: ChunkRef): void {
    const stream = this.#table.streams.get(chunk.streamId);
    if (stream === undefined) return;
    const gap = stream.send.onLost(chunk);
    if (gap !== undefined) this.#table.giveUp(stream, gap);
    this.#requeue(stream);
  }

  onProbe(chunk: ChunkRef): void {
    const stream = this.#table.streams.get(chunk.streamId);
    if (stream === undefined) return;
    stream.send.onProbe(chunk);
    this.#requeue(stream);
  }

  #requeue(stream: Stream): void {
    if (stream.send.hasLost) this.#table.scheduler.add(stream.lost);
    else if (stream.send.outlook() === "ready") this.#table.scheduler.add(stream.fresh);
  }

  onControlAcked(record: StreamRecord): void {
    if (record.type !== "streamReset" && record.type !== "streamGap") return;
    const stream = this.#table.streams.get(record.stream);
    if (stream === undefined) return;
    if (record.type === "streamReset") stream.send.resetAcked();
    else stream.send.gapAcked(record.offset, record.length);
    this.#table.settle(stream);
  }

  onControlLost(record: StreamRecord): void {
    if (record.type === "streamsLimit") return this.#table.control.streamsLimitLost(record.count);
    if (record.stream === 0) {
      if (record.type === "flowCredit") this.#table.control.sessionCreditLost(record.limit);
      return;
    }
    const stream = this.#table.streams.get(record.stream);
    if (stream === undefined) return;
    if (record.type === "flowCredit") {
      if (record.limit === stream.recv.credit.limit) stream.creditLost = true;
    } else if (record.type === "streamReset") stream.resetPending = !stream.send.done;
    else if (record.type === "streamStop") stream.stopPending = true;
    else if (record.type === "streamGap" && !stream.send.isReset) {
      stream.addGap({ offset: record.offset, length: record.length });
    }
    this.#table.control.add(stream);
  }

  /** The queued stream that can send now. Those that cannot leave the queue: each is looked at once. */
  #next(): ReadyNode<Stream> | undefined {
    for (
      let node = this.#table.scheduler.next();
      node !== undefined;
      node = this.#table.scheduler.next()
    ) {
      const stream = node.owner;
      if (node.class === CLASS_RETRANSMIT) {
        if (stream.send.hasLost) return node;
        this.#table.scheduler.remove(node);
        continue;
      }
      const outlook = stream.send.outlook();
      if (outlook === "ready") return node;
      if (outlook === "session") {
        this.#table.scheduler.hold(node);
        this.#table.control.sessionBlocked();
        continue;
      }
      this.#table.scheduler.remove(node);
      if (outlook === "stream" && stream.send.credit.noteBlocked()) {
        stream.blockedPending = true;
        this.#table.control.add(stream);
      }
    }
    return undefined;
  }
}
