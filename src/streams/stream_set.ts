/**
 * All streams of one session.
 *
 * @module
 */
import { isStreamKind } from "../codec/stream_payload.ts";
import { encodeVarint } from "../codec/varint.ts";
import { SttError } from "../errors.ts";
import { classOf } from "./scheduler.ts";
import { checkCode, checkPriority, checkTarget } from "./command_checks.ts";
import {
  afterRead,
  afterWrite,
  checkAlive,
  existingStream,
  writableStream,
} from "./stream_commands.ts";
import { StreamInput } from "./stream_input.ts";
import { framesMessages, isPartialKind, KIND_UNKNOWN } from "./stream_kind.ts";
import { StreamOutput } from "./stream_output.ts";
import { DEFAULT_PRIORITY, StreamTable } from "./stream_table.ts";
import type {
  ChunkRef,
  StreamChunk,
  StreamEvent,
  StreamInfo,
  StreamLimits,
  StreamRecord,
  StreamSegment,
  StreamSetConfig,
  StreamStats,
} from "./types.ts";

/**
 * Streams with credit, priorities and loss handling, as a pure state machine.
 *
 * Commands and `on…` calls change the state; after any of them, drain `nextEvent`, then send what
 * `nextControl` and `nextData` hand out. A stream's state goes when its `closed` event is taken.
 * On reliable transports what was handed out counts as acknowledged; otherwise report every chunk and
 * record as acknowledged or lost.
 *
 * @example
 * ```ts
 * import { StreamSet } from "@seigr/stt/core";
 * import assert from "node:assert/strict";
 * const local = { maxData: 1_048_576, maxStreamData: 262_144, maxStreams: 256 };
 * const streams = new StreamSet({ role: "responder", reliable: true, local });
 * streams.setPeerLimits(local);
 *
 * // Stream 1, flag 04 (end), kind 0, offset 0, at time 0.
 * streams.onData(1, 0x04, 0, 0, new TextEncoder().encode("hello"), 0);
 * assert.deepEqual(streams.nextEvent(), { type: "opened", id: 1, kind: 0 });
 * assert.equal(new TextDecoder().decode(streams.read(1)!), "hello");
 * assert.equal(streams.read(1), null);
 * streams.finish(1);
 * assert.equal(streams.hasData(), true);
 * ```
 */
export class StreamSet {
  readonly #table: StreamTable;
  readonly #input: StreamInput;
  readonly #output: StreamOutput;

  /** The limits in `config.local` must be the ones told to the peer in the handshake. */
  constructor(config: StreamSetConfig) {
    this.#table = new StreamTable(config);
    this.#input = new StreamInput(this.#table);
    this.#output = new StreamOutput(this.#table);
  }

  /** Known after RESPONSE / AUTH_PROOF; before that `open` returns undefined and nothing is sent. */
  setPeerLimits(limits: StreamLimits): void {
    this.#table.setPeerLimits(limits);
  }

  /**
   * For the growth of windows; without it they do not grow. `minMs`, the smallest of the path, decides whether
   * `config.burst` holds: a smoothed one also grows when this side is slow, which is when a buffer overflows.
   */
  setRtt(rttMs: number, minMs: number = rttMs): void {
    this.#input.rttMs = rttMs;
    this.#output.rttMs = rttMs;
    this.#table.limitBurst(minMs);
  }

  // ---- Commands of the application. All throw SttError; an id without state is STREAM_CLOSED. ----

  /**
   * A new stream, or undefined at the peer's limit; then `streams` follows when it is raised.
   *
   * @throws {SttError} `CONFIG` for a kind or priority that does not exist
   */
  open(kind: number, priority: number = DEFAULT_PRIORITY): number | undefined {
    checkAlive(this.#table);
    if (!isStreamKind(kind)) {
      throw new SttError("CONFIG", `cannot open stream: kind ${kind} does not exist`);
    }
    checkPriority(priority);
    return this.#table.open(kind, priority);
  }

  /** True until the stream's `closed` event is taken. */
  has(id: number): boolean {
    return this.#table.streams.has(id);
  }

  /** Undefined while only records have named the stream. */
  kindOf(id: number): number | undefined {
    const kind = this.#table.streams.get(id)?.kind;
    return kind === KIND_UNKNOWN ? undefined : kind;
  }

  /** A snapshot; undefined for an id without state. */
  info(id: number): StreamInfo | undefined {
    return this.#table.streams.get(id)?.info();
  }

  /**
   * Queues bytes. `own`: the set keeps `chunk`, so it must not be changed; else it is copied. Returns
   * false while `sendBuffer` or more bytes wait to be sent: wait for `writable`. What is sent and not
   * acknowledged is bounded by the peer's windows instead: on a long path with losses that is several
   * times what is on its way.
   *
   * @throws {SttError} `STREAM_CLOSED` after finish or reset, `STREAM_STOPPED` (wire: the peer's code),
   * `CONFIG` for a stream of messages
   */
  write(id: number, chunk: Uint8Array, own: boolean = true): boolean {
    const stream = writableStream(this.#table, id);
    if (framesMessages(stream.kind)) {
      throw new SttError("CONFIG", `cannot write bytes to stream ${id}: it carries messages`);
    }
    stream.send.write(chunk, false, own);
    return afterWrite(this.#table, stream);
  }

  /** The same for one message; `CONFIG` for a stream of bytes. */
  writeMessage(id: number, message: Uint8Array, own: boolean = true): boolean {
    const stream = writableStream(this.#table, id);
    if (!framesMessages(stream.kind)) {
      throw new SttError("CONFIG", `cannot write message to stream ${id}: it carries bytes`);
    }
    stream.send.write(encodeVarint(message.length), true, own);
    stream.send.write(message, false, own);
    return afterWrite(this.#table, stream);
  }

  /** Ends our half; what was written still goes out. */
  finish(id: number): void {
    const stream = writableStream(this.#table, id);
    stream.send.finish();
    this.#table.scheduler.add(stream.fresh);
    this.#table.settle(stream);
  }

  /** Ends our half and drops what is not sent. Does nothing when it was sent whole or reset. */
  reset(id: number, code: number): void {
    const stream = existingStream(this.#table, id);
    checkCode(code);
    if (stream.send.isReset || stream.send.done) return;
    this.#table.resetSend(stream, code);
    this.#table.settle(stream);
  }

  /** Reads no more: drops what is buffered and what comes, and asks the peer to send no more. */
  stop(id: number, code: number): void {
    const stream = existingStream(this.#table, id);
    checkCode(code);
    const failure = new SttError("STREAM_CLOSED", `cannot read stream ${id}: it was stopped here`);
    this.#table.stopRecv(stream, code, failure);
    // Whoever stopped does not want to hear of it again.
    stream.readableAnnounced = true;
    this.#table.settle(stream);
  }

  /** 0 to 1000; 667 and above is high, 333 and below low. */
  setPriority(id: number, priority: number): void {
    const stream = existingStream(this.#table, id);
    checkPriority(priority);
    stream.priority = priority;
    this.#table.scheduler.reclassify(stream.fresh, classOf(priority));
  }

  /** Unsent plus unacknowledged bytes; 0 for an id without state. */
  bufferedBytes(id: number): number {
    return this.#table.streams.get(id)?.send.buffered ?? 0;
  }

  /** True when a write would be taken and less than `sendBuffer` waits to be sent. */
  canWrite(id: number): boolean {
    const send = this.#table.streams.get(id)?.send;
    return this.#table.destroyed === undefined && send !== undefined && send.isOpen &&
      send.unsent < this.#table.sendBuffer;
  }

  /**
   * The next bytes of a kind-0 stream, null at its end, undefined when there are none yet. Reading is
   * what returns credit to the peer.
   *
   * @throws {SttError} `STREAM_RESET` (wire: the peer's code) once reset, `STREAM_CLOSED` once stopped
   */
  read(id: number, maxBytes: number = Infinity): Uint8Array | null | undefined {
    const stream = existingStream(this.#table, id);
    return afterRead(this.#table, stream, stream.recv.read(maxBytes));
  }

  /** The next whole message of kinds 4 and 5, as `read`; also throws `BUFFER_EXCEEDED`. */
  readMessage(id: number): Uint8Array | null | undefined {
    const stream = existingStream(this.#table, id);
    return afterRead(this.#table, stream, stream.recv.readMessage());
  }

  /** The next segment, or range given up, of a kind-2 stream, as `read`. */
  readSegment(id: number): StreamSegment | null | undefined {
    const stream = existingStream(this.#table, id);
    return afterRead(this.#table, stream, stream.recv.readSegment());
  }

  /**
   * Gives up the 16 KiB segment of a kind-2 stream that holds `offset`, if any of it was sent and is
   * not acknowledged: STREAM_GAP tells the peer (SPEC 11).
   */
  giveUpSegment(id: number, offset: number): void {
    const stream = existingStream(this.#table, id);
    if (!isPartialKind(stream.kind)) {
      throw new SttError("CONFIG", `cannot give up bytes of stream ${id}: kind ${stream.kind}`);
    }
    const gap = stream.send.giveUp(offset);
    if (gap === undefined) return;
    this.#table.giveUp(stream, gap);
    this.#table.scheduler.add(stream.fresh);
  }

  /**
   * Probability with which each segment of a kind-2 stream is to arrive whole, 0 to 1; undefined: what its entropy says
   * (SPEC 11).
   */
  setTarget(id: number, target: number | undefined): void {
    const { weighting } = existingStream(this.#table, id).send;
    if (weighting === undefined) {
      throw new SttError(
        "CONFIG",
        `cannot set target of stream ${id}: its delivery is not weighted`,
      );
    }
    checkTarget(target);
    weighting.target = target;
  }

  // ---- From the wire. Each throws SttError with a wire code that closes the session. ----

  /** A STREAM frame or STREAM_DATA record; the set keeps `data`. */
  onData(
    id: number,
    flags: number,
    kind: number,
    offset: number,
    data: Uint8Array,
    nowMs: number,
  ): void {
    this.#input.onData(id, flags, kind, offset, data, nowMs);
  }

  /** STREAM_RESET: ends the receiving half and drops what was not read. */
  onReset(id: number, code: number, finalSize: number, _nowMs: number): void {
    this.#input.onReset(id, code, finalSize);
  }

  /** STREAM_STOP: answered by STREAM_RESET unless all was sent and acknowledged. */
  onStop(id: number, code: number): void {
    this.#input.onStop(id, code);
  }

  /** `stream` 0: the session. */
  onFlowCredit(stream: number, limit: number): void {
    this.#input.onFlowCredit(stream, limit);
  }

  /** STREAMS_LIMIT; a count below an earlier one is late and ignored. */
  onStreamsLimit(count: number): void {
    this.#input.onStreamsLimit(count);
  }

  /** Informative; `stream` 0: the session. */
  onBlocked(stream: number, limit: number): void {
    this.#input.onBlocked(stream, limit);
  }

  /** STREAM_GAP: the range counts as received. Ignored for a half that is over. */
  onGap(id: number, offset: number, length: number): void {
    this.#input.onGap(id, offset, length);
  }

  // ---- To the wire. ----

  /** True when `nextControl` has a record. */
  hasControl(): boolean {
    return this.#output.hasControl();
  }

  /** True when a read left something to do: an event, or a record to send. */
  hasNews(): boolean {
    return this.#table.events.length > 0 || this.#table.control.pending;
  }

  /** `room` in bytes of records; undefined when the next does not fit. `nowMs` decides on windows. */
  nextControl(room: number, nowMs: number): StreamRecord | undefined {
    return this.#output.nextControl(room, nowMs);
  }

  /** True when `nextData` has something for a frame with enough room. */
  hasData(): boolean {
    return this.#output.hasData();
  }

  /**
   * `room`: bytes for kind, offset and data in this frame. `fullRoom`: the same of an otherwise empty
   * packet (default `room`); an unordered message that fits it is not split to fit `room`, and then
   * the answer may be false although `hasData()` is true: send the packet and ask again.
   */
  nextData(room: number, into: StreamChunk, fullRoom: number = room): boolean {
    const some = this.#output.nextData(room, into, fullRoom);
    if (some) this.#table.config.handedOut?.(into.streamId, into.offset + into.length);
    return some;
  }

  /** Unreliable transports: the peer has this chunk. Late and repeated reports do no harm. */
  onAcked(chunk: ChunkRef): void {
    this.#output.onAcked(chunk);
  }

  /** Unreliable transports: the chunk's packet is lost; what is not acknowledged goes out again. */
  onLost(chunk: ChunkRef): void {
    this.#output.onLost(chunk);
  }

  /**
   * Unreliable transports: a probe is to repeat what the chunk's packet carried, which is not lost yet. Bytes of kind 2 do
   * not go again: it would use up a transmission.
   */
  onProbe(chunk: ChunkRef): void {
    this.#output.onProbe(chunk);
  }

  /** Unreliable transports: where to ask for the share of the last packets that was lost, for kind 2 (SPEC 11). */
  followLoss(loss: () => number): void {
    this.#table.send.weighted.loss = loss;
  }

  /** Unreliable transports: the peer has this record. */
  onControlAcked(record: StreamRecord): void {
    this.#output.onControlAcked(record);
  }

  /** Unreliable transports: lost; sent again with the value of the moment, if it still matters. */
  onControlLost(record: StreamRecord): void {
    this.#output.onControlLost(record);
  }

  // ---- For the driver. ----

  /** The next event; taking `closed` drops the stream's state. */
  nextEvent(): StreamEvent | undefined {
    const event = this.#table.events.shift();
    if (event?.type === "closed") this.#table.forget(event.id);
    return event;
  }

  /** Unsent plus unacknowledged bytes. */
  get sendBuffered(): number {
    return this.#table.send.buffered;
  }

  /** Counters over all streams. */
  stats(): StreamStats {
    return {
      open: this.#table.streams.size,
      opened: this.#table.opened,
      accepted: this.#table.peers.opened,
      closed: this.#table.closed,
      sendBuffered: this.#table.send.buffered,
      recvBuffered: this.#table.recv.buffered,
      bytesSent: this.#table.send.credit.used,
      bytesResent: this.#output.bytesResent,
      bytesReceived: this.#table.recv.credit.arrived,
      bytesRead: this.#table.recv.read,
      sendCredit: this.#table.send.credit.available,
      weighted: this.#table.send.weighted.counters.snapshot(),
      loss: this.#table.send.weighted.loss(),
    };
  }

  /** True when nothing waits to be sent (unreliable: nor to be acknowledged). */
  isIdle(): boolean {
    return this.#table.busy === 0 && !this.hasControl();
  }

  /** Drops all buffers and events; every command throws `error` from now on. */
  destroy(error: SttError): void {
    if (this.#table.destroyed === undefined) this.#table.destroy(error);
  }
}
