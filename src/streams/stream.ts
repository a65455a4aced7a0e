/**
 * One stream: its two halves, and what waits to be said about it.
 *
 * @module
 */
import { CLASS_RETRANSMIT, classOf, ReadyNode, type Scheduler } from "./scheduler.ts";
import type { RecvStream } from "./recv_stream.ts";
import { type SendGap, type SendShared, SendStream } from "./send_stream.ts";
import { KIND_UNKNOWN } from "./stream_kind.ts";
import type { StreamInfo } from "./types.ts";

/** Of every stream that has given nothing up; nothing is ever added to it. */
const NONE: SendGap[] = [];

/** State of a stream inside a set; the set is its only user. */
export class Stream {
  readonly id: number;
  /** True when this side opened it. */
  readonly local: boolean;
  readonly recv: RecvStream;
  readonly fresh: ReadyNode<Stream>;
  #lost: ReadyNode<Stream> | undefined;
  send: SendStream;
  kind: number;
  priority: number;

  // Records that wait; `controlQueued` while the stream stands in the control queue.
  controlQueued: boolean = false;
  resetPending: boolean = false;
  resetCode: number = 0;
  stopPending: boolean = false;
  stopCode: number = 0;
  blockedPending: boolean = false;
  creditLost: boolean = false;
  /** Given up, to be told to the peer. */
  gaps: SendGap[] = NONE;

  // Events that were pushed or are wanted.
  /** The application knows the stream. */
  announced: boolean;
  readableAnnounced: boolean = false;
  writableWanted: boolean = false;
  finishedAnnounced: boolean = false;
  closed: boolean = false;
  /** Code of the peer's STOP. */
  stoppedCode: number | undefined = undefined;
  /** Counted as having something unsent or unacknowledged. */
  busy: boolean = false;

  constructor(
    id: number,
    local: boolean,
    kind: number,
    priority: number,
    send: SendStream,
    recv: RecvStream,
  ) {
    this.id = id;
    this.local = local;
    this.kind = kind;
    this.priority = priority;
    this.send = send;
    this.recv = recv;
    this.announced = local;
    this.fresh = new ReadyNode<Stream>(this, classOf(priority));
    if (kind !== KIND_UNKNOWN) recv.setKind(kind);
  }

  /** The stream's place among those with lost bytes. */
  get lost(): ReadyNode<Stream> {
    return this.#lost ??= new ReadyNode<Stream>(this, CLASS_RETRANSMIT);
  }

  /** The peer is to be told of a gap. */
  addGap(gap: SendGap): void {
    if (this.gaps.length === 0) this.gaps = [gap];
    else this.gaps.push(gap);
  }

  /** It sends nothing for now. */
  leave(scheduler: Scheduler<Stream>): void {
    scheduler.remove(this.fresh);
    if (this.#lost !== undefined) scheduler.remove(this.#lost);
  }

  /** The first STREAM frame of the peer tells the kind of both directions. */
  learnKind(kind: number, shared: SendShared): void {
    this.kind = kind;
    this.recv.setKind(kind);
    if (!this.send.isReset) {
      this.send = new SendStream(kind, this.local, this.send.credit.limit, shared);
    }
  }

  info(): StreamInfo {
    const { weighting } = this.send;
    return {
      id: this.id,
      kind: this.kind,
      priority: this.priority,
      local: this.local,
      written: this.send.written,
      sent: this.send.sent,
      received: this.recv.highest,
      sendBuffered: this.send.buffered,
      recvBuffered: this.recv.buffered,
      sendState: this.send.state,
      recvState: this.recv.state,
      ...(weighting === undefined
        ? {}
        : { weighted: { ...weighting.counters.snapshot(), bytesMissing: this.recv.missing } }),
    };
  }
}
