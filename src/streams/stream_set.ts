/**
 * All streams of one session.
 *
 * @module
 */
import { isStreamKind } from "../codec/stream_payload.ts";
import {
  DEFAULT_MAX_MESSAGE_SIZE,
  FLAG_FRAGMENT,
  FLAG_PRIORITY_HIGH,
  FLAG_PRIORITY_LOW,
  FLAG_SEGMENT,
  FLAG_STREAM_END,
  FLAGS_RESERVED,
  KIND_PARTIAL,
  MAX_SESSION_WINDOW,
  MAX_STREAM_WINDOW,
} from "../constants.ts";
import { ERRORS, SttError } from "../errors.ts";
import { encodeVarint } from "../codec/varint.ts";
import { ControlQueue } from "./control_queue.ts";
import { SEGMENT_BYTES } from "./entropy.ts";
import { ReceiveCredit, SendCredit } from "./flow_control.ts";
import { MAX_STREAM_COUNT, PeerStreams } from "./peer_streams.ts";
import { PieceBudget } from "./piece.ts";
import { Queue } from "./queue.ts";
import { type ReceiveShared, RecvStream } from "./recv_stream.ts";
import {
  CLASS_HIGH,
  CLASS_LOW,
  CLASS_RETRANSMIT,
  classOf,
  type ReadyNode,
  Scheduler,
} from "./scheduler.ts";
import { type SendShared, SendStream } from "./send_stream.ts";
import { Stream } from "./stream.ts";
import { framesMessages, isPartialKind, KIND_UNKNOWN } from "./stream_kind.ts";
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

const DEFAULT_PRIORITY = 500;
const MAX_PRIORITY = 1000;
const DEFAULT_SEND_BUFFER = 1_048_576;
const MAX_PIECES = 65_536;
/** Kind byte and the usual offset: what a full frame carries besides data. */
const TYPICAL_HEADER_BYTES = 10;
const FLAGS_REFUSED = FLAG_FRAGMENT | FLAGS_RESERVED;

/**
 * Streams with credit, priorities and loss handling, as a pure state machine.
 *
 * Commands and `on…` calls change the state; after any of them, drain `nextEvent`, then send what
 * `nextControl` and `nextData` hand out. A stream's state goes when its `closed` event is taken.
 * On reliable transports what was handed out counts as acknowledged; otherwise report every chunk and
 * record as acknowledged or lost.
 */
export class StreamSet {
  readonly #config: StreamSetConfig;
  readonly #localParity: number;
  readonly #sendBuffer: number;
  readonly #streams: Map<number, Stream> = new Map();
  readonly #peers: PeerStreams;
  readonly #scheduler: Scheduler<Stream> = new Scheduler();
  readonly #control: ControlQueue;
  readonly #events: Queue<StreamEvent> = new Queue();
  readonly #send: SendShared;
  readonly #recv: ReceiveShared;
  #peerStreamData = 0;
  #peerStreamCount = 0;
  #opened = 0;
  #openRefused = false;
  #closed = 0;
  #busy = 0;
  #rttMs: number | undefined;
  #bytesResent = 0;
  #destroyed: SttError | undefined;

  constructor(config: StreamSetConfig) {
    const { local, reliable } = config;
    this.#config = config;
    this.#localParity = config.role === "initiator" ? 1 : 0;
    this.#sendBuffer = config.sendBuffer ?? DEFAULT_SEND_BUFFER;
    this.#peers = new PeerStreams(local.maxStreams);
    this.#send = { reliable, credit: new SendCredit(0), buffered: 0, wholeMessage: 0 };
    this.#recv = {
      credit: new ReceiveCredit(local.maxData, config.maxSessionWindow ?? MAX_SESSION_WINDOW),
      budget: new PieceBudget(MAX_PIECES),
      maxMessageSize: config.maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE,
      received: 0,
      buffered: 0,
      read: 0,
    };
    this.#control = new ControlQueue(this.#recv.credit, this.#send.credit, this.#peers);
  }

  /** Known after RESPONSE / AUTH_PROOF; before that `open` returns undefined and nothing is sent. */
  setPeerLimits(limits: StreamLimits): void {
    this.#peerStreamData = limits.maxStreamData;
    this.#peerStreamCount = Math.max(
      this.#peerStreamCount,
      Math.min(limits.maxStreams, MAX_STREAM_COUNT),
    );
    this.#send.wholeMessage = Math.floor(Math.min(limits.maxStreamData, limits.maxData) / 2);
    this.#send.credit.raise(limits.maxData);
    for (const stream of this.#streams.values()) {
      stream.send.credit.raise(limits.maxStreamData);
      this.#scheduler.add(stream.fresh);
    }
    this.#scheduler.release();
    this.#announceStreams();
  }

  /** For the growth of windows; without it they do not grow. */
  setRtt(rttMs: number): void {
    this.#rttMs = rttMs;
  }

  // ---- Commands of the application. All throw SttError; an id without state is STREAM_CLOSED. ----

  /**
   * A new stream, or undefined at the peer's limit; then `streams` follows when it is raised.
   *
   * @throws {SttError} `CONFIG` for a kind or priority that does not exist
   */
  open(kind: number, priority: number = DEFAULT_PRIORITY): number | undefined {
    this.#checkAlive();
    if (!isStreamKind(kind) || (isPartialKind(kind) && this.#config.partial !== true)) {
      throw new SttError("CONFIG", `cannot open stream: kind ${kind} is not allowed`);
    }
    checkPriority(priority);
    if (this.#opened >= this.#peerStreamCount) {
      this.#openRefused = true;
      return undefined;
    }
    const id = 2 * this.#opened + (this.#localParity === 1 ? 1 : 2);
    this.#opened++;
    this.#create(id, true, kind, priority);
    return id;
  }

  has(id: number): boolean {
    return this.#streams.has(id);
  }

  /** Undefined while only records have named the stream. */
  kindOf(id: number): number | undefined {
    const kind = this.#streams.get(id)?.kind;
    return kind === KIND_UNKNOWN ? undefined : kind;
  }

  info(id: number): StreamInfo | undefined {
    return this.#streams.get(id)?.info();
  }

  /**
   * Queues bytes; the set keeps `chunk`, so it must not be changed. Returns false from the mark of
   * `sendBuffer` on: wait for `writable`.
   *
   * @throws {SttError} `STREAM_CLOSED` after finish or reset, `STREAM_STOPPED` (wire: the peer's code),
   * `CONFIG` for a stream of messages
   */
  write(id: number, chunk: Uint8Array): boolean {
    const stream = this.#writable(id);
    if (framesMessages(stream.kind)) {
      throw new SttError("CONFIG", `cannot write bytes to stream ${id}: it carries messages`);
    }
    stream.send.write(chunk, false);
    return this.#written(stream);
  }

  /** The same for one message; `CONFIG` for a stream of bytes. */
  writeMessage(id: number, message: Uint8Array): boolean {
    const stream = this.#writable(id);
    if (!framesMessages(stream.kind)) {
      throw new SttError("CONFIG", `cannot write message to stream ${id}: it carries bytes`);
    }
    stream.send.write(encodeVarint(message.length), true);
    stream.send.write(message, false);
    return this.#written(stream);
  }

  /** Ends our half; what was written still goes out. */
  finish(id: number): void {
    const stream = this.#writable(id);
    stream.send.finish();
    this.#scheduler.add(stream.fresh);
    this.#settle(stream);
  }

  /** Ends our half and drops what is not sent. Does nothing when it was sent whole or reset. */
  reset(id: number, code: number): void {
    const stream = this.#existing(id);
    checkCode(code);
    if (stream.send.isReset || stream.send.done) return;
    this.#resetSend(stream, code);
    this.#settle(stream);
  }

  /** Reads no more: drops what is buffered and what comes, and asks the peer to send no more. */
  stop(id: number, code: number): void {
    const stream = this.#existing(id);
    checkCode(code);
    const failure = new SttError("STREAM_CLOSED", `cannot read stream ${id}: it was stopped here`);
    this.#stopRecv(stream, code, failure);
    // Whoever stopped does not want to hear of it again.
    stream.readableAnnounced = true;
    this.#settle(stream);
  }

  /** 0 to 1000; 667 and above is high, 333 and below low. */
  setPriority(id: number, priority: number): void {
    const stream = this.#existing(id);
    checkPriority(priority);
    stream.priority = priority;
    this.#scheduler.reclassify(stream.fresh, classOf(priority));
  }

  /** Unsent plus unacknowledged bytes; 0 for an id without state. */
  bufferedBytes(id: number): number {
    return this.#streams.get(id)?.send.buffered ?? 0;
  }

  /** True when a write would be taken and the buffer is below its mark. */
  canWrite(id: number): boolean {
    const send = this.#streams.get(id)?.send;
    return this.#destroyed === undefined && send !== undefined && send.isOpen &&
      send.buffered < this.#sendBuffer;
  }

  /**
   * The next bytes of a kind-0 stream, null at its end, undefined when there are none yet. Reading is
   * what returns credit to the peer.
   *
   * @throws {SttError} `STREAM_RESET` (wire: the peer's code) once reset, `STREAM_CLOSED` once stopped
   */
  read(id: number, maxBytes: number = Infinity): Uint8Array | null | undefined {
    const stream = this.#existing(id);
    return this.#taken(stream, stream.recv.read(maxBytes));
  }

  /** The next whole message of kinds 4 and 5, as `read`; also throws `BUFFER_EXCEEDED`. */
  readMessage(id: number): Uint8Array | null | undefined {
    const stream = this.#existing(id);
    return this.#taken(stream, stream.recv.readMessage());
  }

  /** The next segment, or range given up, of a kind-2 stream, as `read`. */
  readSegment(id: number): StreamSegment | null | undefined {
    const stream = this.#existing(id);
    return this.#taken(stream, stream.recv.readSegment());
  }

  /**
   * Gives up the 16 KiB segment of a kind-2 stream that holds `offset`, as far as it was sent and is
   * not acknowledged: STREAM_GAP tells the peer (SPEC 11).
   */
  giveUpSegment(id: number, offset: number): void {
    const stream = this.#existing(id);
    if (!isPartialKind(stream.kind)) {
      throw new SttError("CONFIG", `cannot give up bytes of stream ${id}: kind ${stream.kind}`);
    }
    const start = offset - offset % SEGMENT_BYTES;
    const gap = stream.send.giveUp(start, start + SEGMENT_BYTES);
    if (gap === undefined) return;
    stream.gaps.push(gap);
    this.#control.add(stream);
    this.#afterProgress(stream);
  }

  // ---- From the wire. Each throws SttError with a wire code that closes the session. ----

  /** A STREAM frame or STREAM_DATA record; the set keeps `data`. */
  onData(
    id: number,
    flags: number,
    kind: number,
    offset: number,
    data: Uint8Array,
    _nowMs: number,
  ): void {
    if (this.#destroyed !== undefined) return;
    if ((flags & FLAGS_REFUSED) !== 0 || !isStreamKind(kind)) {
      throw new SttError(
        "PROTOCOL",
        `cannot take data of stream ${id}: flags ${flags}, kind ${kind}`,
      );
    }
    const stream = this.#named(id);
    if (stream === undefined) return;
    if (stream.kind === KIND_UNKNOWN) {
      // A stream reset before its kind was known is nothing the application could use.
      if (stream.recv.done) return;
      stream.learnKind(kind, this.#send);
      this.#announce(stream);
    } else if (stream.kind !== kind) {
      throw new SttError(
        "PROTOCOL",
        `cannot take data of stream ${id}: kind ${kind} contradicts ${stream.kind}`,
      );
    }
    const end = (flags & FLAG_STREAM_END) !== 0;
    const tooLarge = stream.recv.receive(offset, data, end, (flags & FLAG_SEGMENT) !== 0);
    if (tooLarge !== undefined) this.#refuseMessage(stream, tooLarge);
    this.#afterReceive(stream);
  }

  onReset(id: number, code: number, finalSize: number, _nowMs: number): void {
    const stream = this.#named(id);
    if (stream === undefined) return;
    if (stream.recv.reset(code, finalSize) && stream.announced) {
      this.#events.push({ type: "reset", id, code });
    }
    // Without a kind there is no way to answer on it, and the application never hears of it.
    if (stream.kind === KIND_UNKNOWN && !stream.send.isReset) this.#resetSend(stream, code);
    this.#afterReceive(stream);
  }

  onStop(id: number, code: number): void {
    const stream = this.#named(id);
    if (stream === undefined || stream.send.isReset || stream.send.done) return;
    // SPEC 8: STOP is answered by RESET unless all was sent and acknowledged.
    stream.stoppedCode = code;
    this.#resetSend(stream, code);
    if (stream.announced) this.#events.push({ type: "stopped", id, code });
    this.#settle(stream);
  }

  /** `stream` 0: the session. */
  onFlowCredit(stream: number, limit: number): void {
    if (stream === 0) {
      if (!this.#send.credit.raise(limit)) return;
      this.#control.sessionUnblocked();
      this.#scheduler.release();
      return;
    }
    const named = this.#named(stream);
    if (named === undefined || !named.send.credit.raise(limit)) return;
    named.blockedPending = false;
    if (named.send.outlook() !== "idle") this.#scheduler.add(named.fresh);
  }

  onStreamsLimit(count: number): void {
    if (count <= this.#peerStreamCount) return;
    this.#peerStreamCount = Math.min(count, MAX_STREAM_COUNT);
    this.#announceStreams();
  }

  /** Informative; `stream` 0: the session. */
  onBlocked(stream: number, _limit: number): void {
    if (stream !== 0) this.#named(stream);
  }

  onGap(id: number, offset: number, length: number): void {
    const stream = this.#named(id);
    if (stream === undefined || (stream.kind === KIND_UNKNOWN && stream.recv.done)) return;
    // Only kind 2 has gaps; its first frames may be the ones that were given up.
    if (stream.kind === KIND_UNKNOWN) {
      stream.learnKind(KIND_PARTIAL, this.#send);
      this.#announce(stream);
    }
    stream.recv.gap(offset, length);
    this.#afterReceive(stream);
  }

  // ---- To the wire. ----

  hasControl(): boolean {
    // Finding out that credit is used up is what makes BLOCKED.
    this.hasData();
    return this.#control.pending;
  }

  /** `room` in bytes of records; undefined when the next does not fit. `nowMs` decides on windows. */
  nextControl(room: number, nowMs: number): StreamRecord | undefined {
    const record = this.#control.next(room, nowMs, this.#rttMs);
    if (record?.type === "streamReset" && this.#config.reliable) this.onControlAcked(record);
    return record;
  }

  hasData(): boolean {
    return this.#next() !== undefined;
  }

  /**
   * `room`: bytes for kind, offset and data in this frame. `fullRoom`: the same of an otherwise empty
   * packet (default `room`); an unordered message that fits it is not split to fit `room`, and then
   * the answer may be false although `hasData()` is true: send the packet and ask again.
   */
  nextData(room: number, into: StreamChunk, fullRoom: number = room): boolean {
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
    if (lost) this.#bytesResent += into.length;
    this.#scheduler.sent(node, into.length, fullRoom - TYPICAL_HEADER_BYTES);
    this.#afterProgress(stream);
    return true;
  }

  onAcked(chunk: ChunkRef): void {
    const stream = this.#streams.get(chunk.streamId);
    if (stream === undefined) return;
    stream.send.onAcked(chunk);
    this.#afterProgress(stream);
  }

  onLost(chunk: ChunkRef): void {
    const stream = this.#streams.get(chunk.streamId);
    if (stream === undefined) return;
    stream.send.onLost(chunk);
    if (stream.send.hasLost) this.#scheduler.add(stream.lost);
    else if (stream.send.outlook() === "ready") this.#scheduler.add(stream.fresh);
  }

  onControlAcked(record: StreamRecord): void {
    if (record.type !== "streamReset") return;
    const stream = this.#streams.get(record.stream);
    if (stream === undefined) return;
    stream.send.resetAcked();
    this.#settle(stream);
  }

  onControlLost(record: StreamRecord): void {
    if (record.type === "streamsLimit") return this.#control.streamsLimitLost(record.count);
    if (record.stream === 0) {
      if (record.type === "flowCredit") this.#control.sessionCreditLost(record.limit);
      return;
    }
    const stream = this.#streams.get(record.stream);
    if (stream === undefined) return;
    if (record.type === "flowCredit") {
      if (record.limit === stream.recv.credit.limit) stream.creditLost = true;
    } else if (record.type === "streamReset") stream.resetPending = !stream.send.done;
    else if (record.type === "streamStop") stream.stopPending = true;
    else if (record.type === "streamGap" && !stream.send.isReset) {
      stream.gaps.push({ offset: record.offset, length: record.length });
    }
    this.#control.add(stream);
  }

  // ---- For the driver. ----

  /** The next event; taking `closed` drops the stream's state. */
  nextEvent(): StreamEvent | undefined {
    const event = this.#events.shift();
    if (event?.type === "closed") this.#streams.delete(event.id);
    return event;
  }

  stats(): StreamStats {
    return {
      open: this.#streams.size,
      opened: this.#opened,
      accepted: this.#peers.opened,
      closed: this.#closed,
      sendBuffered: this.#send.buffered,
      recvBuffered: this.#recv.buffered,
      bytesSent: this.#send.credit.used,
      bytesResent: this.#bytesResent,
      bytesReceived: this.#recv.received,
      bytesRead: this.#recv.read,
      sendCredit: this.#send.credit.available,
    };
  }

  /** True when nothing waits to be sent (unreliable: nor to be acknowledged). */
  isIdle(): boolean {
    return this.#busy === 0 && !this.hasControl();
  }

  /** Drops all buffers and events; every command throws `error` from now on. */
  destroy(error: SttError): void {
    if (this.#destroyed !== undefined) return;
    this.#destroyed = error;
    for (const stream of this.#streams.values()) {
      this.#scheduler.remove(stream.fresh);
      this.#scheduler.remove(stream.lost);
      stream.send.destroy();
      stream.recv.destroy();
    }
    this.#streams.clear();
    this.#control.clear();
    this.#events.clear();
    this.#busy = 0;
  }

  // ---- Commands: common parts. ----

  #checkAlive(): void {
    if (this.#destroyed !== undefined) throw this.#destroyed;
  }

  #existing(id: number): Stream {
    this.#checkAlive();
    const stream = this.#streams.get(id);
    if (stream === undefined || !stream.announced) {
      throw new SttError("STREAM_CLOSED", `cannot use stream ${id}: it is not open`);
    }
    return stream;
  }

  #writable(id: number): Stream {
    const stream = this.#existing(id);
    if (stream.send.isOpen) return stream;
    const code = stream.stoppedCode;
    if (code === undefined) {
      throw new SttError("STREAM_CLOSED", `cannot write to stream ${id}: this side ended it`);
    }
    throw new SttError(
      "STREAM_STOPPED",
      `cannot write to stream ${id}: the peer stopped it with code ${code}`,
      { wire: code, remote: true },
    );
  }

  #written(stream: Stream): boolean {
    this.#scheduler.add(stream.fresh);
    this.#settle(stream);
    if (stream.send.buffered < this.#sendBuffer) return true;
    stream.writableWanted = true;
    return false;
  }

  #taken<T>(stream: Stream, item: T | null | undefined): T | null | undefined {
    if (item === undefined) stream.readableAnnounced = false;
    else if (item !== null) {
      if (stream.recv.creditDue) this.#control.add(stream);
      this.#settle(stream);
    }
    return item;
  }

  // ---- State changes. ----

  #create(id: number, local: boolean, kind: number, priority: number): Stream {
    const { local: limits, maxStreamWindow = MAX_STREAM_WINDOW } = this.#config;
    const send = new SendStream(kind, local, this.#peerStreamData, this.#send);
    const recv = new RecvStream(id, this.#recv, limits.maxStreamData, maxStreamWindow);
    const stream = new Stream(id, local, kind, priority, send, recv);
    this.#streams.set(id, stream);
    if (local) {
      this.#scheduler.add(stream.fresh);
      this.#settle(stream);
    }
    return stream;
  }

  /** The stream that a frame or record names; undefined when it is gone, and late input is ignored. */
  #named(id: number): Stream | undefined {
    if (this.#destroyed !== undefined) return undefined;
    const stream = this.#streams.get(id);
    if (stream !== undefined) return stream;
    const index = (id - 1) >>> 1;
    const local = (id & 1) === this.#localParity;
    if (id === 0 || (local && index >= this.#opened)) {
      // SPEC 8: only this side may open the stream, and it has not; stream 0 carries no data.
      throw new SttError("STREAM_STATE", `cannot take frame for stream ${id}: it is not open`);
    }
    if (local || !this.#peers.name(index)) return undefined;
    return this.#create(id, false, KIND_UNKNOWN, DEFAULT_PRIORITY);
  }

  #announce(stream: Stream): void {
    stream.announced = true;
    this.#events.push({ type: "opened", id: stream.id, kind: stream.kind });
    if (stream.stoppedCode !== undefined) {
      this.#events.push({ type: "stopped", id: stream.id, code: stream.stoppedCode });
    }
  }

  #announceStreams(): void {
    if (!this.#openRefused || this.#opened >= this.#peerStreamCount) return;
    this.#openRefused = false;
    this.#events.push({ type: "streams" });
  }

  #resetSend(stream: Stream, code: number): void {
    stream.send.reset();
    stream.gaps.length = 0;
    stream.resetCode = code;
    stream.resetPending = true;
    this.#scheduler.remove(stream.fresh);
    this.#scheduler.remove(stream.lost);
    this.#control.add(stream);
  }

  #stopRecv(stream: Stream, code: number, failure: SttError): void {
    if (!stream.recv.stop(failure)) return;
    stream.stopCode = code;
    stream.stopPending = true;
    this.#control.add(stream);
  }

  /** SPEC 8: a message above `maxMessageSize` costs the stream, not the session. */
  #refuseMessage(stream: Stream, size: number): void {
    const limit = this.#recv.maxMessageSize;
    const code = ERRORS.BUFFER_EXCEEDED.wire!;
    const failure = new SttError(
      "BUFFER_EXCEEDED",
      `cannot take message of stream ${stream.id}: ${size} bytes exceed ${limit}`,
      { limit },
    );
    this.#stopRecv(stream, code, failure);
    this.#events.push({ type: "reset", id: stream.id, code });
  }

  #afterReceive(stream: Stream): void {
    if (stream.announced && !stream.readableAnnounced && stream.recv.readable) {
      stream.readableAnnounced = true;
      this.#events.push({ type: "readable", id: stream.id });
    }
    if (stream.recv.creditDue) this.#control.add(stream);
    this.#settle(stream);
  }

  /** Bytes were handed out or acknowledged. */
  #afterProgress(stream: Stream): void {
    const send = stream.send;
    if (stream.writableWanted && send.isOpen && 2 * send.buffered <= this.#sendBuffer) {
      stream.writableWanted = false;
      this.#events.push({ type: "writable", id: stream.id });
    }
    this.#settle(stream);
  }

  /** Finds out what is over. */
  #settle(stream: Stream): void {
    const busy = stream.send.busy;
    if (busy !== stream.busy) {
      stream.busy = busy;
      this.#busy += busy ? 1 : -1;
    }
    if (!stream.send.done) return;
    if (!stream.finishedAnnounced) {
      stream.finishedAnnounced = true;
      if (stream.announced) this.#events.push({ type: "finished", id: stream.id });
    }
    if (!stream.recv.done || stream.closed) return;
    stream.closed = true;
    this.#closed++;
    this.#scheduler.remove(stream.fresh);
    this.#scheduler.remove(stream.lost);
    if (!stream.local) this.#peers.close();
    if (stream.announced) this.#events.push({ type: "closed", id: stream.id });
    else this.#streams.delete(stream.id);
  }

  /** The queued stream that can send now. Those that cannot leave the queue: each is looked at once. */
  #next(): ReadyNode<Stream> | undefined {
    for (let node = this.#scheduler.next(); node !== undefined; node = this.#scheduler.next()) {
      const stream = node.owner;
      if (node.class === CLASS_RETRANSMIT) {
        if (stream.send.hasLost) return node;
        this.#scheduler.remove(node);
        continue;
      }
      const outlook = stream.send.outlook();
      if (outlook === "ready") return node;
      if (outlook === "session") {
        this.#scheduler.hold(node);
        this.#control.sessionBlocked();
        continue;
      }
      this.#scheduler.remove(node);
      if (outlook === "stream" && stream.send.credit.noteBlocked()) {
        stream.blockedPending = true;
        this.#control.add(stream);
      }
    }
    return undefined;
  }
}

function checkPriority(priority: number): void {
  if (Number.isInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY) return;
  throw new SttError("CONFIG", `cannot set priority ${priority}: not an integer from 0 to 1000`);
}

function checkCode(code: number): void {
  if (Number.isSafeInteger(code) && code >= 0) return;
  throw new SttError("CONFIG", `cannot use code ${code}: not an integer from 0 to 2^53-1`);
}
