/**
 * Fills protected frames: control records first, then datagrams and stream data in turn (SPEC 8, priority order).
 * One frame is one packet; it is built once, in place, and belongs to the caller afterwards.
 *
 * @module
 */
import { ByteWriter } from "../codec/byte_writer.ts";
import { FRAME_HEADROOM } from "../codec/frame.ts";
import { recordSize, type SessionRecord, writeRecord } from "../codec/records.ts";
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
import type { PingSet } from "./ping_set.ts";

/** Control records share a frame up to this many bytes of payload. */
const CONTROL_ROOM = 4096;
/** Payloads of packed frames are padded to multiples of this (SPEC 9). */
const PACKED_STEP = 64;
/** Most bytes of a STREAM_DATA record before its data, beyond what the short form needs. */
const STREAM_RECORD_EXTRA = 12;
/** Most bytes of a DATAGRAM record before its data: type, channel, length. */
const DATAGRAM_RECORD_EXTRA = 10;

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
  /** Frame body that bulk data is cut to. */
  readonly bulkFrame: number;
  readonly packed: boolean;
}

/** Builds the frames of one session. */
export class PacketBuilder {
  readonly #config: PacketBuilderConfig;
  /** Records that are neither the streams' nor pings: KEY_ROTATION goes by `protection.rotationPending`. */
  readonly control: BoundedQueue<SessionRecord> = new BoundedQueue(64);
  /** DATA and custom frames. */
  readonly frames: BoundedQueue<OutgoingFrame> = new BoundedQueue(DATAGRAM_QUEUE);
  readonly #chunk: StreamChunk = new StreamChunk();
  #framesTurn = true;

  constructor(config: PacketBuilderConfig) {
    this.#config = config;
  }

  /** Body bytes that are not payload: fixed header, metadata (varint epoch behind its length), tag. */
  overhead(): number {
    return FRAME_FIXED_BYTES + 1 + varintSize(this.#config.protection.sendEpoch) + TAG_BYTES;
  }

  /** Largest payload of one DATA or custom frame. */
  get largestPayload(): number {
    const room = this.#config.maxFrame - this.overhead();
    return this.#config.packed ? wholeSteps(room) - DATAGRAM_RECORD_EXTRA : room;
  }

  /**
   * The next frame, or undefined when nothing waits. `budget`: most bytes the whole frame may take (early data).
   */
  build(nowMs: number, budget: number = Infinity): Uint8Array | undefined {
    const room = this.#room(budget);
    if (room < 64) return undefined;
    const control = this.#buildControl(nowMs, Math.min(room, CONTROL_ROOM));
    if (control !== undefined) return control;
    const next = this.#nextFrame();
    // Datagrams and stream data take turns, so that neither a flood of one nor bulk of the other starves.
    if (next !== undefined && (this.#framesTurn || !this.#config.streams.hasData())) {
      if (next.payload.length + this.overhead() + 6 > budget) return undefined;
      this.#framesTurn = false;
      this.frames.shift();
      return this.#buildFrame(next);
    }
    this.#framesTurn = true;
    return this.#buildStream(room);
  }

  /** The next frame of control records, or undefined: data waits while a rotation is overdue (SPEC 7). */
  buildControl(nowMs: number): Uint8Array | undefined {
    return this.#buildControl(nowMs, Math.min(this.#room(Infinity), CONTROL_ROOM));
  }

  /** Bytes of payload that a frame may have, padding included. */
  #room(budget: number): number {
    const overhead = this.overhead();
    const room = Math.min(this.#config.bulkFrame - overhead, budget - overhead - 6);
    return this.#config.packed ? wholeSteps(room) : room;
  }

  /** A longer epoch number takes room: what was queued at the limit before may not fit any more. */
  #nextFrame(): OutgoingFrame | undefined {
    for (;;) {
      const next = this.frames.peek();
      if (next === undefined || next.payload.length <= this.largestPayload) return next;
      this.frames.shift();
      this.frames.dropped++;
    }
  }

  /** A frame of records alone, for SESSION_CLOSE. */
  buildRecords(records: readonly SessionRecord[]): Uint8Array {
    let size = 0;
    for (const record of records) size += recordSize(record);
    const { buffer, writer } = this.#start(this.#padded(size));
    for (const record of records) writeRecord(writer, record);
    return this.#seal(buffer, FRAME_CONTROL, 0, 0, FRAME_HEADROOM + this.#padded(size));
  }

  #hasControl(): boolean {
    const { protection, pings, streams } = this.#config;
    return protection.rotationPending || this.control.size > 0 || pings.pending ||
      streams.hasControl();
  }

  #buildControl(nowMs: number, room: number): Uint8Array | undefined {
    if (!this.#hasControl()) return undefined;
    const { protection, pings, streams } = this.#config;
    const records: SessionRecord[] = [];
    let size = 0;
    const add = (record: SessionRecord): void => {
      records.push(record);
      size += recordSize(record);
    };
    if (protection.rotationPending) add({ type: "keyRotation", epoch: protection.sendEpoch });
    for (;;) {
      const record = this.control.peek();
      if (record === undefined || size + recordSize(record) > room) break;
      this.control.shift();
      add(record);
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
    // SPEC 9: an empty payload is PROTOCOL. What did not fit waits for a larger budget.
    return records.length === 0 ? undefined : this.buildRecords(records);
  }

  #buildFrame(frame: OutgoingFrame): Uint8Array {
    if (this.#config.packed && frame.type === FRAME_DATA) {
      return this.buildRecords([{
        type: "datagram",
        channel: frame.streamId,
        data: frame.payload,
      }]);
    }
    const { buffer, writer } = this.#start(frame.payload.length);
    writer.bytes(frame.payload);
    return this.#seal(buffer, frame.type, frame.flags, frame.streamId, writer.offset);
  }

  #buildStream(room: number): Uint8Array | undefined {
    const { streams, packed } = this.#config;
    const chunk = this.#chunk;
    if (!streams.nextData(packed ? room - STREAM_RECORD_EXTRA : room, chunk)) {
      return undefined;
    }
    if (packed) return this.#buildStreamRecord(chunk);
    const { buffer, writer } = this.#start(1 + varintSize(chunk.offset) + chunk.length);
    writer.offset = writeStreamPayloadHeader(buffer, writer.offset, chunk.kind, chunk.offset);
    for (const part of chunk.parts) writer.bytes(part);
    chunk.parts.length = 0;
    return this.#seal(buffer, FRAME_STREAM, chunk.flags, chunk.streamId, writer.offset);
  }

  #buildStreamRecord(chunk: StreamChunk): Uint8Array {
    const data = new Uint8Array(chunk.length);
    let offset = 0;
    for (const part of chunk.parts) {
      data.set(part, offset);
      offset += part.length;
    }
    chunk.parts.length = 0;
    return this.buildRecords([{
      type: "streamData",
      stream: chunk.streamId,
      flags: chunk.flags,
      kind: chunk.kind,
      offset: chunk.offset,
      data,
    }]);
  }

  #padded(size: number): number {
    if (!this.#config.packed) return size;
    return Math.ceil(size / PACKED_STEP) * PACKED_STEP;
  }

  #start(payloadBytes: number): { buffer: Uint8Array; writer: ByteWriter } {
    const buffer = new Uint8Array(FRAME_HEADROOM + payloadBytes + TAG_BYTES);
    return { buffer, writer: new ByteWriter(buffer, FRAME_HEADROOM) };
  }

  #seal(
    buffer: Uint8Array,
    type: number,
    flags: number,
    streamId: number,
    payloadEnd: number,
  ): Uint8Array {
    const { protection } = this.#config;
    protection.seal(buffer, FRAME_HEADROOM, payloadEnd, type, flags, streamId, 0);
    return buffer.subarray(protection.frameStart, protection.frameEnd);
  }
}
