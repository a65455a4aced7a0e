/**
 * Acts on what verified frames carry. Everything here comes from an authenticated peer; malformed content still closes
 * the session (SPEC 3, protection rule).
 *
 * @module
 */
import { type AckRecord, decodeRecords, type SessionRecord } from "../codec/records.ts";
import { parseStreamPayload, StreamPayload } from "../codec/stream_payload.ts";
import {
  DATAGRAM_QUEUE,
  FLAG_FRAGMENT,
  FLAG_STREAM_END,
  FLAGS_RESERVED,
  FRAME_CONTROL,
  FRAME_CUSTOM_MIN,
  FRAME_DATA,
  FRAME_STREAM,
} from "../constants.ts";
import { SttError } from "../errors.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import { decodeReason } from "./closing.ts";
import { BoundedQueue } from "./bounded_queue.ts";
import type { CustomFrame, Datagram } from "./events.ts";

/** What inbound frames reach outside of streams and datagrams. */
export interface InboundSink {
  ping(token: Uint8Array): void;
  pong(token: Uint8Array, nowMs: number): void;
  keyRotation(epoch: number): void;
  sessionClose(code: number, reason: string, nowMs: number): void;
  peerError(stream: number, code: number, reason: string): void;
  pathChallenge(token: Uint8Array): void;
  pathResponse(token: Uint8Array, nowMs: number): void;
  /** @throws {SttError} where nothing is acknowledged, or for a sequence that was never sent. */
  ack(record: AckRecord, nowMs: number): void;
}

/** Dispatches the payloads of verified frames. */
export class Inbound {
  readonly datagrams: BoundedQueue<Datagram> = new BoundedQueue(DATAGRAM_QUEUE);
  readonly customFrames: BoundedQueue<CustomFrame> = new BoundedQueue(DATAGRAM_QUEUE);
  received = 0;
  readonly #streams: StreamSet;
  /** The frame taken last asks for an acknowledgement (SPEC 10). */
  ackEliciting = false;
  /** The frame taken last holds nothing but PATH_CHALLENGE, PATH_RESPONSE, PADDING and ACK (SPEC 10.6). */
  probing = false;
  /** The frame taken last brought bytes of a stream. */
  streamData = false;
  /** They were the last ones of theirs. */
  streamEnd = false;
  /** The frame taken last should be acknowledged at once: PING, PATH records, key rotation, end of a stream (SPEC 10). */
  urgent = false;
  readonly #sink: InboundSink;
  readonly #maxDatagram: number;
  readonly #stream: StreamPayload = new StreamPayload();

  constructor(streams: StreamSet, sink: InboundSink, maxDatagram: number) {
    this.#streams = streams;
    this.#sink = sink;
    this.#maxDatagram = maxDatagram;
  }

  /**
   * One verified frame. `payload` is taken over.
   *
   * @throws {SttError} with the wire code that the session must close with.
   */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array, nowMs: number): void {
    this.ackEliciting = type !== FRAME_CONTROL;
    this.probing = type === FRAME_CONTROL;
    this.streamData = type === FRAME_STREAM;
    this.streamEnd = type === FRAME_STREAM && (flags & FLAG_STREAM_END) !== 0;
    this.urgent = this.streamEnd;
    if (type >= FRAME_CUSTOM_MIN) {
      this.#checkDatagram(payload.length);
      this.received++;
      this.customFrames.push({ frameType: type, flags, streamId, payload });
      return;
    }
    if ((flags & (FLAGS_RESERVED | FLAG_FRAGMENT)) !== 0) {
      throw new SttError(
        "PROTOCOL",
        `cannot take frame of type ${type}: flags 0x${flags.toString(16)} are not allowed`,
      );
    }
    if (type === FRAME_STREAM) {
      const stream = this.#stream;
      parseStreamPayload(payload, stream);
      this.#streams.onData(streamId, flags, stream.kind, stream.offset, stream.data, nowMs);
    } else if (type === FRAME_DATA) {
      this.#datagram(streamId, payload);
    } else if (type === FRAME_CONTROL) {
      if (flags !== 0 || streamId !== 0) {
        throw new SttError("PROTOCOL", "cannot take CONTROL frame: flags or stream id are not 0");
      }
      this.#control(payload, nowMs);
    } else {
      // SPEC 3: AUTH, 00 and 06-7F are never used in sessions.
      throw new SttError("PROTOCOL", `cannot take frame: type ${type} is not used in sessions`);
    }
  }

  #control(payload: Uint8Array, nowMs: number): void {
    const { records, error } = decodeRecords(payload);
    for (const record of records) {
      this.#record(record, nowMs);
      // SPEC 9: the session is over; what its peer says behind the end has no meaning.
      if (record.type === "sessionClose") return;
    }
    if (error !== undefined) throw error;
  }

  #record(record: SessionRecord, nowMs: number): void {
    const streams = this.#streams;
    this.#noteRecord(record);
    switch (record.type) {
      case "padding":
        return;
      case "ping":
        return this.#sink.ping(record.token);
      case "pong":
        return this.#sink.pong(record.token, nowMs);
      case "flowCredit":
        return streams.onFlowCredit(record.stream, record.limit);
      case "keyRotation":
        return this.#sink.keyRotation(record.epoch);
      case "sessionClose":
        return this.#sink.sessionClose(record.code, decodeReason(record.reason), nowMs);
      case "error":
        return this.#sink.peerError(record.stream, record.code, decodeReason(record.reason));
      case "streamReset":
        return streams.onReset(record.stream, record.code, record.finalSize, nowMs);
      case "streamStop":
        return streams.onStop(record.stream, record.code);
      case "streamsLimit":
        return streams.onStreamsLimit(record.count);
      case "pathChallenge":
        return this.#sink.pathChallenge(record.token);
      case "pathResponse":
        return this.#sink.pathResponse(record.token, nowMs);
      case "streamGap":
        return streams.onGap(record.stream, record.offset, record.length);
      case "blocked":
        return streams.onBlocked(record.stream, record.limit);
      case "streamData":
        if ((record.flags & (FLAGS_RESERVED | FLAG_FRAGMENT)) !== 0) {
          throw new SttError(
            "PROTOCOL",
            `cannot take STREAM_DATA: flags 0x${record.flags.toString(16)} are not allowed`,
          );
        }
        return streams.onData(
          record.stream,
          record.flags,
          record.kind,
          record.offset,
          record.data,
          nowMs,
        );
      case "datagram":
        return this.#datagram(record.channel, record.data);
      case "ack":
        return this.#sink.ack(record, nowMs);
    }
  }

  #noteRecord(record: SessionRecord): void {
    const { type } = record;
    if (type === "padding" || type === "ack") return;
    const path = type === "pathChallenge" || type === "pathResponse";
    if (!path) this.probing = false;
    if (type === "sessionClose") return;
    this.ackEliciting = true;
    if (path || type === "ping" || type === "keyRotation") this.urgent = true;
    if (type !== "streamData") return;
    this.streamData = true;
    this.streamEnd = (record.flags & FLAG_STREAM_END) !== 0;
    if (this.streamEnd) this.urgent = true;
  }

  #datagram(channel: number, data: Uint8Array): void {
    this.#checkDatagram(data.length);
    this.received++;
    this.datagrams.push({ channel, data });
  }

  #checkDatagram(length: number): void {
    if (this.#maxDatagram === 0 || length > this.#maxDatagram) {
      throw new SttError(
        "PROTOCOL",
        `cannot take datagram: ${length} bytes exceed max_datagram ${this.#maxDatagram}`,
        { limit: this.#maxDatagram },
      );
    }
  }
}
