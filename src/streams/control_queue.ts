/**
 * Records about streams that wait for a packet (SPEC 8, 9).
 *
 * @module
 */
import { recordSize } from "../codec/records.ts";
import type { ReceiveCredit, SendCredit } from "./flow_control.ts";
import type { PeerStreams } from "./peer_streams.ts";
import { Queue } from "./queue.ts";
import type { Stream } from "./stream.ts";
import type { StreamRecord } from "./types.ts";

/** Most bytes of FLOW_CREDIT: type, stream, limit. Making one moves the window, so it must fit. */
const FLOW_CREDIT_MAX_BYTES = 1 + 5 + 8;

/**
 * Hands out each record once; `lost` queues it again. FLOW_CREDIT and STREAMS_LIMIT carry the value of
 * the moment, so a lost one is sent again only when none newer is under way (SPEC 10).
 */
export class ControlQueue {
  readonly #receive: ReceiveCredit;
  readonly #send: SendCredit;
  readonly #peers: PeerStreams;
  readonly #queue: Queue<Stream> = new Queue();
  #creditLost = false;
  #limitLost = false;
  #blockedPending = false;

  constructor(receive: ReceiveCredit, send: SendCredit, peers: PeerStreams) {
    this.#receive = receive;
    this.#send = send;
    this.#peers = peers;
  }

  /** Something about the stream may wait. */
  add(stream: Stream): void {
    if (stream.controlQueued || !hasPending(stream)) return;
    stream.controlQueued = true;
    this.#queue.push(stream);
  }

  /** The session's credit is used up; says so once per limit. */
  sessionBlocked(): void {
    if (this.#send.noteBlocked()) this.#blockedPending = true;
  }

  /** News from the peer came before BLOCKED went out. */
  sessionUnblocked(): void {
    this.#blockedPending = false;
  }

  get pending(): boolean {
    return this.#sessionCreditDue() || this.#limitDue() ||
      (this.#blockedPending && this.#send.inFlight === 0) || this.#front() !== undefined;
  }

  /** The next record of at most `room` bytes; undefined when none waits or the next needs more. */
  next(room: number, nowMs: number, rttMs: number | undefined): StreamRecord | undefined {
    if (this.#sessionCreditDue()) {
      if (room < FLOW_CREDIT_MAX_BYTES) return undefined;
      this.#creditLost = false;
      const receive = this.#receive;
      const limit = receive.updateDue ? receive.update(nowMs, rttMs) : receive.limit;
      return { type: "flowCredit", stream: 0, limit };
    }
    if (this.#limitDue()) {
      if (room < FLOW_CREDIT_MAX_BYTES) return undefined;
      this.#limitLost = false;
      return { type: "streamsLimit", count: this.#peers.takeLimit() };
    }
    if (this.#blockedPending) {
      const record: StreamRecord = { type: "blocked", stream: 0, limit: this.#send.limit };
      if (recordSize(record) > room) return undefined;
      this.#blockedPending = false;
      return record;
    }
    const stream = this.#front();
    return stream === undefined ? undefined : nextOf(stream, room, nowMs, rttMs);
  }

  /** The session's credit was lost: send the value of now, unless a later one was sent. */
  sessionCreditLost(limit: number): void {
    if (limit === this.#receive.limit) this.#creditLost = true;
  }

  streamsLimitLost(count: number): void {
    if (count === this.#peers.advertised) this.#limitLost = true;
  }

  clear(): void {
    this.#queue.clear();
    this.#creditLost = false;
    this.#limitLost = false;
    this.#blockedPending = false;
  }

  #sessionCreditDue(): boolean {
    return this.#creditLost || this.#receive.updateDue;
  }

  #limitDue(): boolean {
    return this.#limitLost || this.#peers.limitDue;
  }

  #front(): Stream | undefined {
    for (let stream = this.#queue.at(0); stream !== undefined; stream = this.#queue.at(0)) {
      if (hasPending(stream)) return stream;
      stream.controlQueued = false;
      this.#queue.shift();
    }
    return undefined;
  }
}

function stopWaits(stream: Stream): boolean {
  return stream.stopPending && stream.recv.wantsMore;
}

function creditWaits(stream: Stream): boolean {
  return stream.recv.creditDue || (stream.creditLost && stream.recv.state === "open");
}

/** While bytes are on their way, credit comes as they arrive: a packet to ask for it would be one too many. */
function blockedWaits(stream: Stream): boolean {
  const { send } = stream;
  return stream.blockedPending && send.credit.inFlight === 0 && send.isOpenForData;
}

function hasPending(stream: Stream): boolean {
  return stream.resetPending || stopWaits(stream) || stream.gaps.length > 0 ||
    creditWaits(stream) || blockedWaits(stream);
}

function nextOf(
  stream: Stream,
  room: number,
  nowMs: number,
  rttMs: number | undefined,
): StreamRecord | undefined {
  const id = stream.id;
  if (stream.resetPending) {
    const finalSize = stream.send.sent;
    const record: StreamRecord = {
      type: "streamReset",
      stream: id,
      code: stream.resetCode,
      finalSize,
    };
    if (recordSize(record) > room) return undefined;
    stream.resetPending = false;
    return record;
  }
  if (stopWaits(stream)) {
    const record: StreamRecord = { type: "streamStop", stream: id, code: stream.stopCode };
    if (recordSize(record) > room) return undefined;
    stream.stopPending = false;
    return record;
  }
  const gap = stream.gaps[0];
  if (gap !== undefined) {
    const record: StreamRecord = { type: "streamGap", stream: id, ...gap };
    if (recordSize(record) > room) return undefined;
    stream.gaps.shift();
    return record;
  }
  if (creditWaits(stream)) {
    if (room < FLOW_CREDIT_MAX_BYTES) return undefined;
    stream.creditLost = false;
    const credit = stream.recv.credit;
    const limit = credit.updateDue ? credit.update(nowMs, rttMs) : credit.limit;
    return { type: "flowCredit", stream: id, limit };
  }
  const record: StreamRecord = { type: "blocked", stream: id, limit: stream.send.credit.limit };
  if (recordSize(record) > room) return undefined;
  stream.blockedPending = false;
  return record;
}
