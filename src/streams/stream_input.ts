/**
 * What the peer says about streams.
 *
 * @module
 */
import { isStreamKind } from "../codec/stream_payload.ts";
import {
  FLAG_FRAGMENT,
  FLAG_SEGMENT,
  FLAG_STREAM_END,
  FLAGS_RESERVED,
  KIND_PARTIAL,
} from "../constants.ts";
import { ERRORS, SttError } from "../errors.ts";
import type { Stream } from "./stream.ts";
import { KIND_UNKNOWN } from "./stream_kind.ts";
import type { StreamTable } from "./stream_table.ts";

/**
 * The credit of a message returns while it is assembled, on every stream: so many messages of the largest size may be
 * held beyond the session's window, or a peer could begin one on each of its streams and fill the memory.
 */
const MESSAGES_AHEAD = 4;
const FLAGS_REFUSED = FLAG_FRAGMENT | FLAGS_RESERVED;

/** Applies frames and records to the streams they name; what it throws closes the session. */
export class StreamInput {
  readonly #table: StreamTable;
  /** For the growth of windows. */
  rttMs: number | undefined = undefined;

  constructor(table: StreamTable) {
    this.#table = table;
  }

  /** A STREAM frame or STREAM_DATA record; the set keeps `data`. */
  onData(
    id: number,
    flags: number,
    kind: number,
    offset: number,
    data: Uint8Array,
    nowMs: number,
  ): void {
    if (this.#table.destroyed !== undefined) return;
    if ((flags & FLAGS_REFUSED) !== 0 || !isStreamKind(kind)) {
      throw new SttError(
        "PROTOCOL",
        `cannot take data of stream ${id}: flags ${flags}, kind ${kind}`,
      );
    }
    const stream = this.#table.named(id);
    if (stream === undefined) return;
    if (stream.kind === KIND_UNKNOWN) {
      // A stream reset before its kind was known is nothing the application could use.
      if (stream.recv.done) return;
      stream.learnKind(kind, this.#table.send);
      this.#table.announce(stream);
    } else if (stream.kind !== kind) {
      throw new SttError(
        "PROTOCOL",
        `cannot take data of stream ${id}: kind ${kind} contradicts ${stream.kind}`,
      );
    }
    const end = (flags & FLAG_STREAM_END) !== 0;
    const { recv } = this.#table;
    const before = stream.recv.ahead;
    const starts = (flags & FLAG_SEGMENT) !== 0;
    const tooLarge = stream.recv.receive(offset, data, end, starts, nowMs, this.rttMs);
    if (tooLarge !== undefined) {
      this.#refuseMessage(stream, `${tooLarge} bytes exceed`, recv.maxMessageSize);
    } else if (stream.recv.ahead > before && recv.ahead > MESSAGES_AHEAD * recv.maxMessageSize) {
      const what = `unfinished messages of ${recv.ahead} bytes in all exceed`;
      this.#refuseMessage(stream, what, MESSAGES_AHEAD * recv.maxMessageSize);
    }
    this.#afterReceive(stream);
  }

  onReset(id: number, code: number, finalSize: number): void {
    const stream = this.#table.named(id);
    if (stream === undefined) return;
    if (stream.recv.reset(code, finalSize) && stream.announced) {
      this.#table.events.push({ type: "reset", id, code });
    }
    // Without a kind there is no way to answer on it, and the application never hears of it.
    if (stream.kind === KIND_UNKNOWN && !stream.send.isReset) this.#table.resetSend(stream, code);
    this.#afterReceive(stream);
  }

  onStop(id: number, code: number): void {
    const stream = this.#table.named(id);
    if (stream === undefined || stream.send.isReset || stream.send.done) return;
    // SPEC 8: STOP is answered by RESET unless all was sent and acknowledged.
    stream.stoppedCode = code;
    this.#table.resetSend(stream, code);
    if (stream.announced) this.#table.events.push({ type: "stopped", id, code });
    this.#table.settle(stream);
  }

  /** `stream` 0: the session. */
  onFlowCredit(stream: number, limit: number): void {
    if (stream === 0) {
      if (!this.#table.send.credit.raise(limit)) return;
      this.#table.control.sessionUnblocked();
      this.#table.scheduler.release();
      return;
    }
    const named = this.#table.named(stream);
    if (named === undefined || !named.send.credit.raise(limit)) return;
    named.blockedPending = false;
    if (named.send.outlook() !== "idle") this.#table.scheduler.add(named.fresh);
  }

  onStreamsLimit(count: number): void {
    this.#table.raiseStreamCount(count);
  }

  /** Informative but for the session, stream 0. */
  onBlocked(stream: number, limit: number): void {
    if (stream === 0) this.#table.recv.credit.ask(limit);
    else this.#table.named(stream);
  }

  onGap(id: number, offset: number, length: number): void {
    const stream = this.#table.named(id);
    if (stream === undefined || (stream.kind === KIND_UNKNOWN && stream.recv.done)) return;
    // The first frames may be the ones that were given up; the next tells the kind exactly.
    if (stream.kind === KIND_UNKNOWN) stream.recv.setKind(KIND_PARTIAL);
    stream.recv.gap(offset, length);
    this.#afterReceive(stream);
  }

  /** SPEC 8: a message above `maxMessageSize` costs the stream, not the session. */
  #refuseMessage(stream: Stream, what: string, limit: number): void {
    const code = ERRORS.BUFFER_EXCEEDED.wire!;
    const failure = new SttError(
      "BUFFER_EXCEEDED",
      `cannot take message of stream ${stream.id}: ${what} ${limit}`,
      { limit },
    );
    this.#table.stopRecv(stream, code, failure);
    this.#table.events.push({ type: "reset", id: stream.id, code });
  }

  #afterReceive(stream: Stream): void {
    if (stream.announced && !stream.readableAnnounced && stream.recv.readable) {
      stream.readableAnnounced = true;
      this.#table.events.push({ type: "readable", id: stream.id });
    }
    if (stream.recv.creditDue) this.#table.control.add(stream);
    this.#table.settle(stream);
  }
}
