/**
 * The streams of a resumable session that are not over, and who forgets them when (SPEC 15.4).
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { ConfirmMode } from "../../streams/continuity/continued_recv.ts";
import {
  ABORTS_MAX,
  type CarrierOpening,
  CODE_LOST,
  type Greeting,
  LIVE_STREAMS_MAX,
} from "./blocks.ts";
import { ResumableStream } from "./resumable_stream.ts";
import { resetBy, type ResumableHost } from "./resumable_stream_parts.ts";
import type { StoredSession } from "./stored.ts";

/** Given-up streams without an answer from which on the other side may open no more. */
const UNANSWERED_MAX = 4 * LIVE_STREAMS_MAX;

/** What the streams need of their session. */
export interface LiveStreamsHost extends ResumableHost {
  /** The other side opened a stream. */
  announce(stream: ResumableStream): void;
  /** There may be room for another stream, and one fewer waits to be accepted. */
  removed(stream: ResumableStream): void;
  /** The state changed; nobody waits for it to be stored. */
  changed(): void;
}

/** How the streams begin. */
export interface LiveStreamsStart {
  readonly role: "initiator" | "responder";
  readonly confirm: ConfirmMode;
  readonly keep: number;
  /** State of an earlier process. */
  readonly stored?: Pick<StoredSession, "next" | "streams" | "aborted">;
}

/** Streams of both sides by their ids. */
export class LiveStreams {
  readonly #host: LiveStreamsHost;
  readonly #start: LiveStreamsStart;
  readonly #streams: Map<number, ResumableStream> = new Map();
  /** Given up here, and the other side has not said that it knows. */
  readonly #aborted: Map<number, number> = new Map();
  #next: number;

  constructor(host: LiveStreamsHost, start: LiveStreamsStart) {
    const { role, stored, confirm, keep } = start;
    this.#host = host;
    this.#start = start;
    this.#next = stored?.next ?? (role === "initiator" ? 1 : 2);
    for (const [id, code] of stored?.aborted ?? []) this.#aborted.set(id, code);
    for (const { id, name, oneWay, ...state } of stored?.streams ?? []) {
      const sends = this.#senderOf(id, oneWay);
      const start = { id, name, sends, confirm, keep, stored: state };
      this.#streams.set(id, new ResumableStream(host, start));
    }
  }

  /** All of them. */
  get all(): readonly ResumableStream[] {
    return [...this.#streams.values()];
  }

  /** Those that this side opened. */
  get own(): readonly ResumableStream[] {
    return this.all.filter(({ id }) => this.#isOwn(id));
  }

  /** Whether this side may open one more. */
  get room(): boolean {
    return this.own.length < LIVE_STREAMS_MAX && this.#aborted.size < ABORTS_MAX;
  }

  /** What is kept between processes. */
  get state(): Pick<StoredSession, "next" | "streams" | "aborted"> {
    return {
      next: this.#next,
      streams: this.all.map(({ id, name, oneWay, stored }) => ({ id, name, oneWay, ...stored })),
      aborted: [...this.#aborted],
    };
  }

  /** What the first block of the control stream says. */
  get greeting(): Greeting {
    const { keep } = this.#start;
    const live = this.own.map(({ id }) => id);
    return { live, next: this.#next, aborted: [...this.#aborted].slice(0, ABORTS_MAX), keep };
  }

  /** Given-up streams for which its greeting has no room. */
  get furtherAborts(): readonly (readonly [stream: number, code: number])[] {
    return [...this.#aborted].slice(ABORTS_MAX);
  }

  get(id: number): ResumableStream | undefined {
    return this.#streams.get(id);
  }

  /** The code with which a stream was given up here. */
  codeOf(id: number): number {
    return this.#aborted.get(id) ?? CODE_LOST;
  }

  /** A new stream of this side. */
  open(name: string, oneWay: boolean): ResumableStream {
    const stream = this.#add(this.#next, name, oneWay);
    this.#next += 2;
    return stream;
  }

  /** A new stream that could not be stored, and that nobody was given. */
  drop(stream: ResumableStream): void {
    if (this.#streams.get(stream.id) === stream) this.#remove(stream);
  }

  /** A stream of this side that an earlier process opened under this name. */
  restored(name: string): ResumableStream | undefined {
    return this.own.find((stream) => stream.name === name && stream.restored);
  }

  /**
   * The other side opened a stream, or opens it again; undefined where it was given up here.
   *
   * @throws {SttError} PROTOCOL.
   */
  incoming({ stream: id, name, oneWay, first }: CarrierOpening): ResumableStream | undefined {
    if (this.#isOwn(id)) throw refused(id, "it is not the other side's to open");
    if (this.#aborted.has(id)) return undefined;
    if (this.#aborted.size >= UNANSWERED_MAX) {
      throw refused(id, `${UNANSWERED_MAX} were given up, and it answers to none`);
    }
    const known = this.#streams.get(id);
    // An opener that was put back to an older state would give old ids to new streams.
    const same = known === undefined || (!first && known.name === name && known.oneWay === oneWay);
    if (!same) throw refused(id, "there is another one of this id");
    if (known === undefined && this.#streams.size - this.own.length >= LIVE_STREAMS_MAX) {
      throw refused(id, `${LIVE_STREAMS_MAX} of the other side's live`);
    }
    const stream = known ?? this.#add(id, name, oneWay);
    if (!stream.announced) {
      stream.announced = true;
      this.#host.announce(stream);
    }
    return stream;
  }

  /** Streams of the other side's that live no more are over. */
  onGreeting(live: readonly number[], next: number): void {
    const lives = new Set(live);
    for (const { id } of this.all) {
      if (!this.#isOwn(id) && id < next && !lives.has(id)) this.onDone(id);
    }
  }

  /** The side that opened the stream has forgotten it. */
  onDone(id: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined || this.#isOwn(id)) return;
    // It may forget only what this side confirmed to the end; else it has lost its state.
    if (stream.received) stream.close();
    else stream.fail(resetBy(id, CODE_LOST));
    this.#remove(stream);
    this.#host.changed();
  }

  /** The other side gave a stream up. */
  onAbort(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    // First: what has failed does not wait to be accepted, where nothing would bound it.
    stream.fail(resetBy(id, code));
    this.#remove(stream);
    this.#host.changed();
  }

  /** The other side knows that a stream was given up here. */
  onAborted(id: number): void {
    const code = this.#aborted.get(id);
    if (code === undefined) return;
    this.#aborted.delete(id);
    this.#host.changed();
  }

  /** Gives a stream up; false when it is not there any more. */
  giveUp(stream: ResumableStream, code: number): boolean {
    if (!this.#streams.has(stream.id)) return false;
    this.#aborted.set(stream.id, code);
    this.#remove(stream);
    return true;
  }

  /** Forgets a stream of this side both directions of which are over; false when it is not to be forgotten. */
  settle(stream: ResumableStream): boolean {
    if (!stream.done || !this.#isOwn(stream.id) || !this.#streams.has(stream.id)) return false;
    this.#remove(stream);
    return true;
  }

  #senderOf(id: number, oneWay: boolean): "this" | "other" | "both" {
    if (!oneWay) return "both";
    return this.#isOwn(id) ? "this" : "other";
  }

  #add(id: number, name: string, oneWay: boolean): ResumableStream {
    const { confirm, keep } = this.#start;
    const sends = this.#senderOf(id, oneWay);
    const stream = new ResumableStream(this.#host, { id, name, sends, confirm, keep });
    this.#streams.set(id, stream);
    return stream;
  }

  #isOwn(id: number): boolean {
    return (id % 2 === 1) === (this.#start.role === "initiator");
  }

  #remove(stream: ResumableStream): void {
    this.#streams.delete(stream.id);
    this.#host.removed(stream);
  }
}

function refused(id: number, why: string): SttError {
  return new SttError("PROTOCOL", `cannot take stream ${id}: ${why}`);
}
