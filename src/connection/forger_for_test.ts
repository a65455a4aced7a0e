/**
 * An authenticated peer that breaks rules, for the tests beside it: it takes one side of an established pair over and
 * seals whatever it likes with that side's keys.
 *
 * @module
 */
import assert from "node:assert/strict";
import { FRAME_HEADROOM, FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { ByteWriter } from "../codec/byte_writer.ts";
import { decodeRecords, recordSize, type SessionRecord, writeRecord } from "../codec/records.ts";
import { FRAME_CONTROL, FRAME_HANDSHAKE, FRAME_MAX_BODY, TAG_BYTES } from "../constants.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Protection } from "../session/protection.ts";
import type { ConnectionPair } from "../testing/connection_pair.ts";
import type { Side } from "../testing/simulated_link.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionEvent } from "./events.ts";

/** A frame that the victim sent, opened. */
export interface OpenedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly bodyLength: number;
  readonly payload: Uint8Array;
  /** Empty but for CONTROL. */
  readonly records: readonly SessionRecord[];
}

/** Speaks for one side of a pair. That side must have sent no protected frame yet, and is not used any more. */
export class Forger {
  readonly victim: Connection;
  readonly protection: Protection;
  readonly events: ConnectionEvent[] = [];
  readonly received: OpenedFrame[] = [];
  readonly #run: ConnectionPair;

  /** `side`: the side to speak for. */
  constructor(run: ConnectionPair, side: Side = "a") {
    const session = run[side].session ?? assert.fail("no session yet");
    const { i2r, r2i } = run.traffic;
    this.#run = run;
    this.victim = side === "a" ? run.b : run.a;
    this.protection = new Protection({
      provider: nodeProvider(),
      suite: session.suite,
      sessionId: session.sessionId,
      sendSecret: side === "a" ? i2r : r2i,
      recvSecret: side === "a" ? r2i : i2r,
      reliable: true,
      nowMs: run.clock.nowMs,
    });
  }

  /** Seals a frame with the next sequence. */
  frame(type: number, payload: Uint8Array, flags = 0, streamId = 0): Uint8Array {
    const end = FRAME_HEADROOM + payload.length;
    const buffer = new Uint8Array(end + TAG_BYTES);
    buffer.set(payload, FRAME_HEADROOM);
    this.protection.seal(buffer, FRAME_HEADROOM, end, type, flags, streamId, 0);
    return buffer.slice(this.protection.frameStart, this.protection.frameEnd);
  }

  /** Seals a CONTROL frame. */
  control(...records: SessionRecord[]): Uint8Array {
    return this.frame(FRAME_CONTROL, payloadOf(...records));
  }

  /** Gives bytes to the victim and takes what it answers. */
  give(...chunks: Uint8Array[]): this {
    for (const chunk of chunks) {
      this.victim.receive(chunk, this.#run.clock.nowMs);
      this.take();
    }
    return this;
  }

  /** Gives whole messages, as WebSocket does. */
  giveMessage(...messages: Uint8Array[]): this {
    for (const message of messages) {
      this.victim.receive(message, this.#run.clock.nowMs);
      this.victim.endOfMessage(this.#run.clock.nowMs);
      this.take();
    }
    return this;
  }

  /** Drains the victim. */
  take(): this {
    for (;;) {
      const event = this.victim.nextEvent();
      if (event !== undefined) {
        this.events.push(event);
        continue;
      }
      const frame = this.victim.transmit(this.#run.clock.nowMs);
      if (frame === undefined) return this;
      this.#open(frame);
    }
  }

  /** Code of the SESSION_CLOSE that the victim sent. */
  get closeCode(): number | undefined {
    for (const { records } of this.received) {
      for (const record of records) if (record.type === "sessionClose") return record.code;
    }
    return undefined;
  }

  #open(frame: Uint8Array): void {
    const header = new FrameHeader();
    parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, header);
    const { type, flags, streamId } = header;
    if (type === FRAME_HANDSHAKE) return;
    const payload = this.protection.open(frame, header, this.#run.clock.nowMs);
    if (payload === undefined) assert.fail(`cannot open: ${this.protection.lastFailure}`);
    const records = type === FRAME_CONTROL ? decodeRecords(payload).records : [];
    const bodyLength = frame.length - (frame.length > 16_387 ? 5 : frame.length > 130 ? 4 : 3);
    this.received.push({ type, flags, streamId, bodyLength, payload, records });
  }
}

/** Records back to back. */
export function payloadOf(...records: SessionRecord[]): Uint8Array {
  const payload = new Uint8Array(records.reduce((sum, record) => sum + recordSize(record), 0));
  const writer = new ByteWriter(payload);
  for (const record of records) writeRecord(writer, record);
  return payload;
}
