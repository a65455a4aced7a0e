/**
 * The state that commands, input and output of a stream set share.
 *
 * @module
 */
import { DEFAULT_MAX_MESSAGE_SIZE, MAX_SESSION_WINDOW, MAX_STREAM_WINDOW } from "../constants.ts";
import { SttError } from "../errors.ts";
import { BlockPool } from "./block_pool.ts";
import { ControlQueue } from "./control_queue.ts";
import { ReceiveCredit, SendCredit } from "./flow_control.ts";
import { MAX_STREAM_COUNT, PeerStreams } from "./peer_streams.ts";
import { PieceBudget } from "./piece.ts";
import { Queue } from "./queue.ts";
import { type ReceiveShared, RecvStream } from "./recv_stream.ts";
import { Scheduler } from "./scheduler.ts";
import { type SendGap, type SendShared, SendStream } from "./send_stream.ts";
import { Stream } from "./stream.ts";
import { KIND_UNKNOWN } from "./stream_kind.ts";
import { WeightedCounters } from "./weighted_stats.ts";
import type { StreamEvent, StreamLimits, StreamSetConfig } from "./types.ts";

/** Priority of a stream that was opened without one. */
export const DEFAULT_PRIORITY = 500;

const DEFAULT_SEND_BUFFER = 1_048_576;
const MAX_PIECES = 65_536;
/** From this round trip on the receive buffer does not limit the window. */
const BURST_RTT_MS = 5;
/** Before the first packet tells how much of a stream it holds. */
const FIRST_PACKET_BYTES = 1130;

const NONE: ReadonlyMap<number, Stream> = new Map();

/** Finds, makes and ends streams; the only place where a stream comes to life or is over. */
export class StreamTable {
  readonly config: StreamSetConfig;
  readonly sendBuffer: number;
  readonly peers: PeerStreams;
  readonly scheduler: Scheduler<Stream> = new Scheduler();
  readonly control: ControlQueue;
  readonly events: Queue<StreamEvent> = new Queue();
  readonly send: SendShared;
  readonly recv: ReceiveShared;
  /** Streams this side opened, ever. */
  opened: number = 0;
  closed: number = 0;
  /** Streams with something unsent or unacknowledged. */
  busy: number = 0;
  destroyed: SttError | undefined = undefined;
  /** From the first stream on. */
  #streams: Map<number, Stream> | undefined;
  readonly #localParity: number;
  #peerStreamData = 0;
  #peerStreamCount = 0;
  #openRefused = false;

  constructor(config: StreamSetConfig) {
    const { local, reliable, burst = Infinity } = config;
    this.config = config;
    this.#localParity = config.role === "initiator" ? 1 : 0;
    this.sendBuffer = config.sendBuffer ?? DEFAULT_SEND_BUFFER;
    this.peers = new PeerStreams(local.maxStreams);
    const counters = new WeightedCounters();
    this.send = {
      reliable,
      credit: new SendCredit(0),
      blocks: new BlockPool(),
      buffered: 0,
      wholeMessage: 0,
      weighted: { loss: () => 0, packetBytes: FIRST_PACKET_BYTES, counters },
    };
    this.recv = {
      credit: new ReceiveCredit(
        local.maxData,
        config.maxSessionWindow ?? MAX_SESSION_WINDOW,
        Math.min(local.maxData, burst),
      ),
      budget: new PieceBudget(MAX_PIECES),
      maxMessageSize: config.maxMessageSize ?? DEFAULT_MAX_MESSAGE_SIZE,
      buffered: 0,
      read: 0,
      ahead: 0,
      weighted: counters,
    };
    this.recv.credit.burst = burst;
    this.control = new ControlQueue(this.recv.credit, this.send.credit, this.peers);
  }

  /** SPEC 10: what a short path has on its way fits the receive buffer; a long one needs its window, and spreads it. */
  limitBurst(minRttMs: number): void {
    const { burst = Infinity } = this.config;
    this.recv.credit.burst = minRttMs < BURST_RTT_MS ? burst : Infinity;
  }

  setPeerLimits(limits: StreamLimits): void {
    this.#peerStreamData = limits.maxStreamData;
    this.send.wholeMessage = Math.floor(Math.min(limits.maxStreamData, limits.maxData) / 2);
    this.send.credit.raise(limits.maxData);
    for (const stream of this.streams.values()) {
      stream.send.credit.raise(limits.maxStreamData);
      this.scheduler.add(stream.fresh);
    }
    this.scheduler.release();
    this.raiseStreamCount(limits.maxStreams);
  }

  /** Streams with state, by id. */
  get streams(): ReadonlyMap<number, Stream> {
    return this.#streams ?? NONE;
  }

  /** Drops a stream's state. */
  forget(id: number): void {
    this.#streams?.delete(id);
  }

  /** The peer lets this side open `count` streams in all. */
  raiseStreamCount(count: number): void {
    this.#peerStreamCount = Math.max(this.#peerStreamCount, Math.min(count, MAX_STREAM_COUNT));
    if (!this.#openRefused || this.opened >= this.#peerStreamCount) return;
    this.#openRefused = false;
    this.events.push({ type: "streams" });
  }

  /** A new stream of this side; undefined at the peer's limit. */
  open(kind: number, priority: number): number | undefined {
    if (this.opened >= this.#peerStreamCount) {
      this.#openRefused = true;
      return undefined;
    }
    const id = 2 * this.opened + (this.#localParity === 1 ? 1 : 2);
    this.opened++;
    const stream = this.#create(id, true, kind, priority);
    this.scheduler.add(stream.fresh);
    this.settle(stream);
    this.config.opened?.(id, kind);
    return id;
  }

  /** The stream that a frame or record names; undefined when it is gone, and late input is ignored. */
  named(id: number): Stream | undefined {
    if (this.destroyed !== undefined) return undefined;
    const stream = this.streams.get(id);
    if (stream !== undefined) return stream;
    const index = (id - 1) >>> 1;
    const local = (id & 1) === this.#localParity;
    if (id === 0 || (local && index >= this.opened)) {
      // SPEC 8: only this side may open the stream, and it has not; stream 0 carries no data.
      throw new SttError("STREAM_STATE", `cannot take frame for stream ${id}: it is not open`);
    }
    if (local || !this.peers.name(index)) return undefined;
    return this.#create(id, false, KIND_UNKNOWN, DEFAULT_PRIORITY);
  }

  /** The kind is known: the application may hear of the stream. */
  announce(stream: Stream): void {
    stream.announced = true;
    this.events.push({ type: "opened", id: stream.id, kind: stream.kind });
    if (stream.stoppedCode !== undefined) {
      this.events.push({ type: "stopped", id: stream.id, code: stream.stoppedCode });
    }
  }

  /** Ends the sending half and queues STREAM_RESET. */
  resetSend(stream: Stream, code: number): void {
    stream.send.reset();
    stream.gaps.length = 0;
    stream.resetCode = code;
    stream.resetPending = true;
    stream.leave(this.scheduler);
    this.control.add(stream);
  }

  /** Ends the receiving half, with `failure` for reads, and queues STREAM_STOP if it may matter. */
  stopRecv(stream: Stream, code: number, failure: SttError): void {
    if (!stream.recv.stop(failure)) return;
    stream.stopCode = code;
    stream.stopPending = true;
    this.control.add(stream);
  }

  /** STREAM_GAP tells the peer that nobody sends these bytes any more. */
  giveUp(stream: Stream, gap: SendGap): void {
    stream.addGap(gap);
    this.control.add(stream);
    this.afterProgress(stream);
  }

  /** Bytes were handed out or acknowledged. */
  afterProgress(stream: Stream): void {
    const send = stream.send;
    if (stream.writableWanted && send.isOpen && 2 * send.unsent <= this.sendBuffer) {
      stream.writableWanted = false;
      this.events.push({ type: "writable", id: stream.id });
    }
    this.settle(stream);
  }

  /** Finds out what is over. */
  settle(stream: Stream): void {
    const busy = stream.send.busy;
    if (busy !== stream.busy) {
      stream.busy = busy;
      this.busy += busy ? 1 : -1;
    }
    if (!stream.send.done) return;
    if (!stream.finishedAnnounced) {
      stream.finishedAnnounced = true;
      if (stream.announced) this.events.push({ type: "finished", id: stream.id });
    }
    if (!stream.recv.done || stream.closed) return;
    stream.closed = true;
    this.closed++;
    stream.leave(this.scheduler);
    if (!stream.local) this.peers.close();
    if (stream.announced) this.events.push({ type: "closed", id: stream.id });
    else this.forget(stream.id);
  }

  /** Forgets all streams; every command throws `error` from now on. */
  destroy(error: SttError): void {
    this.destroyed = error;
    for (const stream of this.streams.values()) {
      stream.leave(this.scheduler);
      stream.send.destroy();
      stream.recv.destroy();
    }
    this.#streams?.clear();
    this.control.clear();
    this.events.clear();
    this.busy = 0;
  }

  #create(id: number, local: boolean, kind: number, priority: number): Stream {
    const { local: limits, maxStreamWindow = MAX_STREAM_WINDOW } = this.config;
    const send = new SendStream(kind, local, this.#peerStreamData, this.send);
    const recv = new RecvStream(id, this.recv, limits.maxStreamData, maxStreamWindow);
    const stream = new Stream(id, local, kind, priority, send, recv);
    this.#streams ??= new Map();
    this.#streams.set(id, stream);
    return stream;
  }
}
