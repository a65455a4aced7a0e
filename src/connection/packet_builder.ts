/**
 * Fills protected frames: control records first, then datagrams and stream data in turn (SPEC 8, priority order).
 * One frame is one packet; it is built once, in place, and belongs to the caller afterwards.
 *
 * What shares a packet travels as records of a CONTROL frame; what fills one alone takes the short form (SPEC 9).
 *
 * @module
 */
import { ByteWriter } from "../codec/byte_writer.ts";
import { FRAME_HEADROOM } from "../codec/frame.ts";
import { type AckRecord, recordSize, type SessionRecord, writeRecord } from "../codec/records.ts";
import { writeStreamPayloadHeader } from "../codec/stream_payload.ts";
import { varintSize } from "../codec/varint.ts";
import {
  DATAGRAM_QUEUE,
  FRAME_CONTROL,
  FRAME_DATA,
  FRAME_FIXED_BYTES,
  FRAME_STREAM,
  TAG_BYTES,
} from "../constants.ts";
import type { Protection } from "../session/protection.ts";
import { StreamChunk } from "../streams/types.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import { BoundedQueue } from "./bounded_queue.ts";
import { FrameBuffers } from "./frame_buffers.ts";
import type { PingSet } from "./ping_set.ts";
import type { PacketContent } from "./recovery/sent_packet.ts";
import type { ConnectionTrace } from "./tracing.ts";
import { pieceSize, refOf, type StreamPiece, takePiece, writePiece } from "./stream_piece.ts";

/** Control records share a frame up to this many bytes of payload. */
const CONTROL_ROOM = 4096;
/** Payloads of packed frames are padded to multiples of this (SPEC 9). */
const PACKED_STEP = 64;
/** Most bytes of a STREAM_DATA record before its data, beyond what the short form needs: type, stream, flags, length. */
const STREAM_RECORD_EXTRA = 12;
/** Most bytes of a DATAGRAM record before its data: type, channel, length. */
const DATAGRAM_RECORD_EXTRA = 10;
/** Stream data joins records only where at least this much room is left. */
const WORTH_SHARING = 64;

/** The part of `room` that padded payloads can use. */
function wholeSteps(room: number): number {
  return room - room % PACKED_STEP;
}

/** A DATA or custom frame that waits to be sent. */
export interface OutgoingFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Uint8Array;
}

/** What a builder fills frames from and with. */
export interface PacketBuilderConfig {
  readonly protection: Protection;
  readonly streams: StreamSet;
  readonly pings: PingSet;
  /** Largest frame body the peer takes. */
  readonly maxFrame: number;
  /** Frame body that packets are cut to, to begin with. */
  readonly bulkFrame: number;
  readonly packed: boolean;
  /** Packets can be lost: `content` says what the packet built last holds. */
  readonly tracked: boolean;
  readonly trace?: ConnectionTrace | undefined;
}

/** What a packet may hold. */
export interface PacketLimits {
  /** Most bytes the whole frame may take (early data, an unvalidated address). */
  readonly budget?: number;
  /** Acknowledgement to put first. */
  readonly ack?: AckRecord | undefined;
  /** False: records only; data waits. */
  readonly data?: boolean;
  /** False: nothing but the acknowledgement. */
  readonly control?: boolean;
}

/** Largest frame body in a datagram of `size` bytes: magic and length take the rest (SPEC 3). */
export function datagramBody(size: number): number {
  return size - 2 - varintSize(size - 4);
}

const NOTHING: readonly never[] = [];

/** Builds the frames of one session. */
export class PacketBuilder {
  readonly #config: PacketBuilderConfig;
  /** Records that are neither the streams' nor pings: KEY_ROTATION goes by `protection.rotationPending`. */
  readonly control: BoundedQueue<SessionRecord> = new BoundedQueue(64);
  /** DATA and custom frames. */
  readonly frames: BoundedQueue<OutgoingFrame> = new BoundedQueue(DATAGRAM_QUEUE);
  /** Frame body that packets are cut to; on UDP it follows the path. */
  bulkFrame: number;
  /** UDP: as `bulkFrame`, but for what the application may send, which does not shrink while probes are small. */
  datagramFrame: number;
  /** Tracked builders: what the packet built last holds. */
  content: PacketContent = { chunks: NOTHING, records: NOTHING, ackLargest: -1 };
  /** False when the packet built last holds nothing but ACK, PADDING and SESSION_CLOSE (SPEC 10). */
  ackEliciting = false;
  readonly #chunk: StreamChunk = new StreamChunk();
  #framesTurn = true;
  readonly #buffers: FrameBuffers;

  constructor(config: PacketBuilderConfig) {
    this.#config = config;
    this.bulkFrame = config.bulkFrame;
    this.datagramFrame = config.bulkFrame;
    const { tracked, bulkFrame } = config;
    this.#buffers = new FrameBuffers(tracked ? 0 : FRAME_HEADROOM + bulkFrame + TAG_BYTES);
  }

  /** Body bytes that are not payload: fixed header, metadata (varint epoch behind its length), tag. */
  overhead(): number {
    return FRAME_FIXED_BYTES + 1 + varintSize(this.#config.protection.sendEpoch) + TAG_BYTES;
  }

  /** Largest payload of one DATA or custom frame. */
  get largestPayload(): number {
    const body = this.#config.tracked ? this.datagramFrame : this.#config.maxFrame;
    const room = body - this.overhead();
    return this.#config.packed ? wholeSteps(room) - DATAGRAM_RECORD_EXTRA : room;
  }

  /** True when something other than an acknowledgement waits. */
  get hasWork(): boolean {
    return this.#hasControl() || this.hasData;
  }

  /** As {@link PacketBuilder.hasWork}, without what only a session that goes on is asked for. */
  get hasLastWords(): boolean {
    return this.hasData || this.control.size > 0 || this.#config.streams.hasControl();
  }

  /** True when datagrams, custom frames or stream data wait. */
  get hasData(): boolean {
    return this.frames.size > 0 || this.#config.streams.hasData();
  }

  /** The next frame, or undefined when nothing waits that fits the limits. */
  build(nowMs: number, limits: PacketLimits = {}): Uint8Array | undefined {
    const { ack, budget = Infinity, data = true, control = true } = limits;
    const room = this.#room(budget);
    if (room < 64) return undefined;
    const records: SessionRecord[] = ack === undefined ? [] : [ack];
    let size = ack === undefined ? 0 : recordSize(ack);
    if (!control) this.#announceEpoch(records);
    else if (this.#hasControl()) {
      size = this.#gatherControl(records, size, Math.min(room, CONTROL_ROOM), nowMs);
    }
    if (!data) return records.length === 0 ? undefined : this.buildRecords(records);
    if (records.length === 0) return this.#buildAlone(room, budget);
    return this.#buildShared(records, size, room);
  }

  /** A frame was sent and nobody holds it: its buffer serves again. */
  recycle(frame: Uint8Array): void {
    this.#buffers.recycle(frame, this.#config.tracked || this.hasWork);
  }

  /** Size of the whole frame that `buildRecords` makes of records of `bytes` in all. */
  recordFrameBytes(bytes: number): number {
    const payload = this.#config.packed ? Math.ceil(bytes / PACKED_STEP) * PACKED_STEP : bytes;
    const body = payload + this.overhead();
    return 2 + varintSize(body) + body;
  }

  /** A frame of records alone. */
  buildRecords(records: readonly SessionRecord[]): Uint8Array {
    return this.#write(records, []);
  }

  /** A path MTU probe: PING, padded so that the datagram has exactly `size` bytes (SPEC 10). */
  buildPadded(size: number, token: Uint8Array): Uint8Array {
    const payload = datagramBody(size) - this.overhead();
    const padding = { type: "padding", count: payload - 9 } as const;
    // No further padding in packed mode: a probe of another size would say nothing about this one.
    return this.#write([{ type: "ping", token }, padding], [], 1);
  }

  /** Nothing but data: a datagram, or one chunk in the short form, or several small ones together. */
  #buildAlone(room: number, budget: number): Uint8Array | undefined {
    const { streams } = this.#config;
    const next = this.#nextFrame();
    // Datagrams and stream data take turns, so that neither a flood of one nor bulk of the other starves.
    const fits = next !== undefined &&
      (!this.#config.tracked || next.payload.length <= this.bulkFrame - this.overhead());
    if (next !== undefined && fits && (this.#framesTurn || !streams.hasData())) {
      if (next.payload.length + this.overhead() + 6 > budget) return undefined;
      this.#framesTurn = false;
      this.frames.shift();
      return this.#buildFrame(next);
    }
    this.#framesTurn = true;
    const chunk = this.#chunk;
    const { packed } = this.#config;
    if (!streams.nextData(packed ? room - STREAM_RECORD_EXTRA : room, chunk)) return undefined;
    const used = 1 + varintSize(chunk.offset) + chunk.length;
    const left = room - used - STREAM_RECORD_EXTRA;
    if (packed || (left >= WORTH_SHARING && streams.hasData())) {
      const pieces = [takePiece(chunk)];
      this.#gatherData(pieces, used + STREAM_RECORD_EXTRA, room);
      if (packed || pieces.length > 1) return this.#write([], pieces);
      return this.#writeShort(pieces[0] as StreamPiece);
    }
    const frame = this.#writeShort(chunk);
    chunk.parts.length = 0;
    return frame;
  }

  #buildShared(records: SessionRecord[], size: number, room: number): Uint8Array {
    const pieces: StreamPiece[] = [];
    const next = this.#nextFrame();
    if (
      next?.type === FRAME_DATA && size + next.payload.length + DATAGRAM_RECORD_EXTRA <= room
    ) {
      this.frames.shift();
      const record = { type: "datagram", channel: next.streamId, data: next.payload } as const;
      records.push(record);
      size += recordSize(record);
    }
    this.#gatherData(pieces, size, room);
    return this.#write(records, pieces);
  }

  #gatherData(pieces: StreamPiece[], size: number, room: number): void {
    const { streams } = this.#config;
    const chunk = this.#chunk;
    while (room - size - STREAM_RECORD_EXTRA >= WORTH_SHARING && streams.hasData()) {
      if (!streams.nextData(room - size - STREAM_RECORD_EXTRA, chunk, room)) return;
      size += STREAM_RECORD_EXTRA + 1 + varintSize(chunk.offset) + chunk.length;
      pieces.push(takePiece(chunk));
    }
  }

  /** Bytes of payload that a frame may have, padding included. */
  #room(budget: number): number {
    const overhead = this.overhead();
    const room = Math.min(this.bulkFrame - overhead, budget - overhead - 6);
    return this.#config.packed ? wholeSteps(room) : room;
  }

  /** A longer epoch number or a smaller path takes room: what was queued at the limit before may not fit any more. */
  #nextFrame(): OutgoingFrame | undefined {
    for (;;) {
      const next = this.frames.peek();
      if (next === undefined || next.payload.length <= this.largestPayload) return next;
      this.frames.shift();
      this.frames.dropped++;
    }
  }

  #hasControl(): boolean {
    const { protection, pings, streams } = this.#config;
    return protection.rotationPending || this.control.size > 0 || pings.pending ||
      streams.hasControl();
  }

  #gatherControl(records: SessionRecord[], size: number, room: number, nowMs: number): number {
    const { protection, pings, streams } = this.#config;
    const add = (record: SessionRecord): void => {
      records.push(record);
      size += recordSize(record);
    };
    size += this.#announceEpoch(records);
    for (;;) {
      const record = this.control.peek();
      if (record === undefined || size + recordSize(record) > room) break;
      this.control.shift();
      // SPEC 7: a lost KEY_ROTATION waits here, and the epoch may have moved on meanwhile.
      if (record.type !== "keyRotation" || record.epoch === protection.sendEpoch) add(record);
    }
    while (size + 9 <= room) {
      const token = pings.pongs.shift();
      if (token === undefined) break;
      add({ type: "pong", token });
    }
    while (size + 9 <= room) {
      const token = pings.take(nowMs);
      if (token === undefined) break;
      add({ type: "ping", token });
    }
    for (;;) {
      const record = streams.nextControl(room - size, nowMs);
      if (record === undefined) break;
      add(record);
    }
    return size;
  }

  /** SPEC 7: the first record of an epoch's first frame, whatever else the frame holds. Returns its bytes. */
  #announceEpoch(records: SessionRecord[]): number {
    const { protection } = this.#config;
    if (!protection.rotationPending) return 0;
    const record = { type: "keyRotation", epoch: protection.sendEpoch } as const;
    records.unshift(record);
    return recordSize(record);
  }

  #buildFrame(frame: OutgoingFrame): Uint8Array {
    if (this.#config.packed && frame.type === FRAME_DATA) {
      return this.buildRecords([{
        type: "datagram",
        channel: frame.streamId,
        data: frame.payload,
      }]);
    }
    const buffer = this.#start(frame.payload.length);
    buffer.set(frame.payload, FRAME_HEADROOM);
    this.#note(NOTHING, NOTHING);
    this.ackEliciting = true;
    const end = FRAME_HEADROOM + frame.payload.length;
    return this.#seal(buffer, frame.type, frame.flags, frame.streamId, end);
  }

  #writeShort(piece: StreamPiece): Uint8Array {
    const buffer = this.#start(1 + varintSize(piece.offset) + piece.length);
    let end = writeStreamPayloadHeader(buffer, FRAME_HEADROOM, piece.kind, piece.offset);
    for (const part of piece.parts) {
      buffer.set(part, end);
      end += part.length;
    }
    this.ackEliciting = true;
    if (this.#config.tracked) {
      this.content = { chunks: [refOf(piece)], records: NOTHING, ackLargest: -1 };
    }
    return this.#seal(buffer, FRAME_STREAM, piece.flags, piece.streamId, end);
  }

  #write(
    records: readonly SessionRecord[],
    pieces: readonly StreamPiece[],
    step: number = this.#config.packed ? PACKED_STEP : 1,
  ): Uint8Array {
    let size = 0;
    for (const record of records) size += recordSize(record);
    for (const piece of pieces) size += pieceSize(piece);
    const padded = Math.ceil(size / step) * step;
    const buffer = this.#start(padded);
    const writer = new ByteWriter(buffer, FRAME_HEADROOM);
    for (const record of records) writeRecord(writer, record);
    for (const piece of pieces) writePiece(buffer, writer, piece);
    const end = FRAME_HEADROOM + padded;
    // SPEC 9: zeros are PADDING; a buffer that serves again holds what it held before.
    if (writer.offset < end) buffer.fill(0, writer.offset, end);
    this.#note(records, pieces);
    return this.#seal(buffer, FRAME_CONTROL, 0, 0, end);
  }

  #note(records: readonly SessionRecord[], pieces: readonly StreamPiece[]): void {
    this.ackEliciting = pieces.length > 0 || records.some(elicitsAck);
    if (!this.#config.tracked) return;
    let ackLargest = -1;
    for (const record of records) if (record.type === "ack") ackLargest = record.largest;
    this.content = { chunks: pieces.map(refOf), records: records.filter(matters), ackLargest };
  }

  /** A buffer with room for a frame with this payload; what it holds is not cleared. */
  #start(payloadBytes: number): Uint8Array {
    return this.#buffers.take(FRAME_HEADROOM + payloadBytes + TAG_BYTES);
  }

  #seal(
    buffer: Uint8Array,
    type: number,
    flags: number,
    streamId: number,
    payloadEnd: number,
  ): Uint8Array {
    const { protection, trace } = this.#config;
    // Sealing is in place: a trace of the records needs them before.
    const plain = trace?.enabled ? buffer.slice(FRAME_HEADROOM, payloadEnd) : undefined;
    protection.seal(buffer, FRAME_HEADROOM, payloadEnd, type, flags, streamId, 0);
    const frame = buffer.subarray(protection.frameStart, protection.frameEnd);
    if (plain !== undefined) {
      const { lastSequence, sendEpoch } = protection;
      trace?.frameSent(frame, type, flags, streamId, plain, lastSequence, sendEpoch);
    }
    return frame;
  }
}

function elicitsAck(record: SessionRecord): boolean {
  return record.type !== "ack" && record.type !== "padding" && record.type !== "sessionClose";
}

/** False for records that never go again: datagrams must not stay in memory until they are acknowledged (SPEC 10). */
function matters(record: SessionRecord): boolean {
  return elicitsAck(record) && record.type !== "datagram" && record.type !== "ping" &&
    record.type !== "pong";
}
