/**
 * The receiving half of a stream.
 *
 * @module
 */
import { KIND_MESSAGES, KIND_UNORDERED } from "../constants.ts";
import { SttError } from "../errors.ts";
import { ReceiveCredit } from "./flow_control.ts";
import { MessageScanner } from "./message_framing.ts";
import type { PieceBudget } from "./piece.ts";
import { Reassembly } from "./reassembly.ts";
import { isMessageKind, isPartialKind, KIND_UNKNOWN } from "./stream_kind.ts";
import type { StreamInfo, StreamSegment } from "./types.ts";
import { UnorderedMessages } from "./unordered_messages.ts";
import type { WeightedCounters } from "./weighted_stats.ts";

/** What the receiving halves of a session share. */
export interface ReceiveShared {
  readonly credit: ReceiveCredit;
  readonly budget: PieceBudget;
  readonly maxMessageSize: number;
  /** Bytes received and not read. */
  buffered: number;
  /** Bytes handed to the application. */
  read: number;
  /** Bytes of messages whose credit returned before the application read them. */
  ahead: number;
  readonly weighted: WeightedCounters;
}

/** Reorders, checks limits and the final size, and returns credit as the application reads. */
export class RecvStream {
  readonly #id: number;
  readonly #shared: ReceiveShared;
  readonly credit: ReceiveCredit;
  #kind: number = KIND_UNKNOWN;
  #ordered: Reassembly | undefined;
  #unordered: UnorderedMessages | undefined;
  #scanner: MessageScanner | undefined;
  #highest = 0;
  #read = 0;
  #ahead = 0;
  #missing = 0;
  #finalSize: number | undefined;
  #state: "open" | "stopped" | "reset" | "ended" = "open";
  /** What `read` throws. */
  #failure: SttError | undefined;
  #done = false;

  constructor(id: number, shared: ReceiveShared, window: number, maxWindow: number) {
    this.#id = id;
    this.#shared = shared;
    this.credit = new ReceiveCredit(window, maxWindow);
  }

  /** Nothing more will be read, and the final size is known: the peer's bytes are all accounted for. */
  get done(): boolean {
    return this.#done;
  }

  get highest(): number {
    return this.#highest;
  }

  get finalSize(): number | undefined {
    return this.#finalSize;
  }

  /** Only then do FLOW_CREDIT and STOP still matter to the peer. */
  get wantsMore(): boolean {
    return this.#finalSize === undefined && this.#state !== "reset";
  }

  /** Bytes that the peer gave up. */
  get missing(): number {
    return this.#missing;
  }

  /** This stream's part of {@link ReceiveShared.ahead}. */
  get ahead(): number {
    return this.#ahead;
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  get creditDue(): boolean {
    return this.#state === "open" && this.#finalSize === undefined && this.credit.updateDue;
  }

  get buffered(): number {
    return this.#ordered?.bufferedBytes ?? this.#unordered?.bufferedBytes ?? 0;
  }

  get state(): StreamInfo["recvState"] {
    if (this.#state !== "open") return this.#state;
    return this.#finalSize === undefined ? "open" : "ending";
  }

  /** True when a read would return something, or the end, or throw. */
  get readable(): boolean {
    if (this.#failure !== undefined || this.#state === "ended") return true;
    if (this.#state !== "open") return false;
    if (this.#unordered !== undefined) return this.#unordered.complete > 0;
    if (this.#ordered === undefined) return false;
    if (this.#scanner !== undefined) return this.#scanner.complete > 0;
    if (isPartialKind(this.#kind)) return this.#ordered.hasSegment(this.#finalSize);
    return this.#ordered.contiguousEnd > this.#ordered.readOffset;
  }

  /** @throws {SttError} `PROTOCOL` when a gap told before that the kind is another */
  setKind(kind: number): void {
    if (this.#ordered !== undefined && !isPartialKind(kind)) {
      throw new SttError("PROTOCOL", `cannot take stream ${this.#id}: kind ${kind} has no gaps`);
    }
    this.#kind = kind;
    if (this.#ordered !== undefined) return;
    const { budget, maxMessageSize } = this.#shared;
    if (kind === KIND_UNORDERED) {
      this.#unordered = new UnorderedMessages(budget, maxMessageSize);
    } else {
      if (kind === KIND_MESSAGES) this.#scanner = new MessageScanner(maxMessageSize);
      this.#ordered = new Reassembly(budget, this.#scanner);
    }
  }

  /** Returns the size of a message above the limit, after which the caller must stop the stream. */
  receive(
    offset: number,
    data: Uint8Array,
    end: boolean,
    startsMessage: boolean,
    nowMs: number,
    rttMs: number | undefined,
  ): number | undefined {
    // SPEC 8: a half that has all its bytes or was reset takes later frames and ignores them.
    if (this.#complete()) return undefined;
    const waiting = !this.readable;
    this.#extend(offset + data.length, end ? offset + data.length : undefined);
    if (this.#state === "stopped") {
      this.#discard();
      return undefined;
    }
    if (end) this.#unordered?.setFinalSize(offset + data.length);
    const before = this.buffered;
    if (data.length > 0) {
      this.#ordered?.insert(offset, data);
      this.#unordered?.insert(offset, data, startsMessage);
    }
    this.#shared.buffered += this.buffered - before;
    const tooLarge = this.#scanner?.tooLarge ?? this.#unordered?.tooLarge;
    if (tooLarge === undefined) this.#settle();
    // What begins a stream that nobody has read from yet shows no reader that waits.
    if (waiting && (this.#read > 0 || !this.readable)) {
      this.credit.follow(nowMs, rttMs);
      this.#shared.credit.follow(nowMs, rttMs);
    }
    this.#countAhead();
    return tooLarge;
  }

  /** The sender gave a range up (SPEC 11). */
  gap(offset: number, length: number): void {
    if (this.#complete()) return;
    if (!isPartialKind(this.#kind)) {
      throw new SttError(
        "PROTOCOL",
        `cannot take gap of stream ${this.#id}: kind ${this.#kind} has none`,
      );
    }
    this.#extend(offset + length, undefined);
    if (this.#state === "stopped") this.#discard();
    else {
      if (length > 0) {
        const missing = this.#ordered!.insertGap(offset, length);
        this.#missing += missing;
        this.#shared.weighted.bytesMissing += missing;
      }
      this.#settle();
    }
  }

  /** RESET of the peer. Returns false when the half was finished before. */
  reset(code: number, finalSize: number): boolean {
    if (this.#complete()) return false;
    this.#extend(finalSize, finalSize);
    const stopped = this.#state === "stopped";
    this.#clear();
    this.#discard();
    this.#state = "reset";
    this.#countAhead();
    this.#done = true;
    this.#failure ??= new SttError(
      "STREAM_RESET",
      `cannot read stream ${this.#id}: the peer reset it with code ${code}`,
      { wire: code, remote: true },
    );
    return !stopped;
  }

  /** Reads no more; `failure` is what reads throw. Returns false when there is nothing to stop. */
  stop(failure: SttError): boolean {
    if (this.#state !== "open") return false;
    this.#clear();
    this.#failure = failure;
    this.#discard();
    this.#state = "stopped";
    this.#countAhead();
    this.#done = this.#finalSize !== undefined;
    return !this.#done;
  }

  read(max: number): Uint8Array | null | undefined {
    this.#check();
    if (this.#kind !== 0) throw this.#wrongMode("bytes");
    const held = this.buffered;
    return this.#finish(this.#ordered?.read(max), held);
  }

  readMessage(): Uint8Array | null | undefined {
    this.#check();
    if (!isMessageKind(this.#kind)) throw this.#wrongMode("messages");
    const held = this.buffered;
    if (this.#unordered !== undefined) return this.#finish(this.#unordered.read(), held);
    if (this.#ordered === undefined || this.#scanner!.complete === 0) {
      return this.#finish(undefined, held);
    }
    this.#scanner!.complete--;
    return this.#finish(this.#ordered.readMessage(), held);
  }

  readSegment(): StreamSegment | null | undefined {
    this.#check();
    if (!isPartialKind(this.#kind)) throw this.#wrongMode("segments");
    const held = this.buffered;
    return this.#finish(this.#ordered?.readSegment(this.#finalSize), held);
  }

  /** Drops everything without a word to the peer. */
  destroy(): void {
    this.#clear();
    this.#done = true;
  }

  /** All bytes were received or the half was reset. */
  #complete(): boolean {
    if (this.#done) return true;
    if (this.#finalSize === undefined || this.#state !== "open") return this.#state === "ended";
    return this.#unordered?.allReceived ?? this.#ordered?.contiguousEnd === this.#finalSize;
  }

  /** Checks and counts a new highest offset, and a final size. */
  #extend(end: number, finalSize: number | undefined): void {
    const known = this.#finalSize;
    if (
      (known !== undefined && (end > known || (finalSize !== undefined && finalSize !== known))) ||
      (finalSize !== undefined && finalSize < this.#highest)
    ) {
      const was = known ?? this.#highest;
      throw new SttError(
        "FINAL_SIZE",
        `cannot extend stream ${this.#id}: ${end} contradicts the size ${was}`,
        { offset: end, limit: was },
      );
    }
    if (end > this.#highest) {
      const shared = this.#shared;
      const total = shared.credit.arrived + end - this.#highest;
      if (end > this.credit.limit) throw this.#overrun(end, this.credit.limit, "stream");
      if (total > shared.credit.limit) throw this.#overrun(total, shared.credit.limit, "session");
      shared.credit.arrived = total;
      this.credit.arrived = end;
      this.#highest = end;
    }
    if (finalSize !== undefined && known === undefined) {
      this.#finalSize = finalSize;
      if (this.#state === "stopped") this.#done = true;
    }
  }

  #overrun(total: number, limit: number, whose: string): SttError {
    return new SttError(
      "FLOW_CONTROL",
      `cannot take data of stream ${this.#id}: ${total} exceeds the ${whose}'s limit ${limit}`,
      { offset: total, limit },
    );
  }

  /** After bytes came: end inside a message, early credit, an end without bytes to read. */
  #settle(): void {
    const ended = this.#finalSize !== undefined &&
      this.#ordered?.contiguousEnd === this.#finalSize;
    if (ended && this.#scanner?.inside) {
      throw new SttError(
        "PROTOCOL",
        `cannot end stream ${this.#id}: its final size ${this.#finalSize} lies inside a message`,
      );
    }
    this.#returnCredit();
    this.#checkEnd();
  }

  /**
   * SPEC 8: credit returns when the application reads. A message or segment that is not whole cannot be
   * read, so its credit returns as it is assembled, but only at the front of the stream: what a stream
   * holds stays below one message and one window. A gap holds nothing, and a stream whose first window was
   * given up is not even known to the application: its credit returns at once.
   */
  #returnCredit(): void {
    let consumed: number;
    if (this.#unordered !== undefined) consumed = this.#unordered.consumed;
    else if (this.#ordered !== undefined) {
      const whole = this.#kind === 0 || this.readable;
      consumed = whole ? this.#ordered.heldFrom : this.#ordered.contiguousEnd;
    } else return;
    this.#consume(consumed);
  }

  #countAhead(): void {
    const counts = this.#state === "open" && isMessageKind(this.#kind);
    const ahead = counts ? Math.max(0, this.credit.consumed - this.#read) : 0;
    this.#shared.ahead += ahead - this.#ahead;
    this.#ahead = ahead;
  }

  #consume(total: number): void {
    const bytes = total - this.credit.consumed;
    if (bytes <= 0) return;
    this.credit.consume(bytes);
    this.#shared.credit.consume(bytes);
  }

  /** The session gets back what nobody will read. */
  #discard(): void {
    this.#consume(this.#highest);
  }

  #clear(): void {
    this.#shared.buffered -= this.buffered;
    this.#ordered?.clear();
    this.#unordered?.clear();
    this.#ordered = undefined;
    this.#unordered = undefined;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #wrongMode(what: string): SttError {
    return new SttError(
      "CONFIG",
      `cannot read ${what} of stream ${this.#id}: it is of kind ${this.#kind}`,
    );
  }

  /** `held`: bytes buffered before the item was taken. */
  #finish<T>(item: T | undefined, held: number): T | null | undefined {
    if (item === undefined) return this.#state === "ended" ? null : undefined;
    const taken = held - this.buffered;
    this.#read += taken;
    this.#shared.read += taken;
    this.#shared.buffered -= taken;
    this.#returnCredit();
    this.#checkEnd();
    this.#countAhead();
    return item;
  }

  #checkEnd(): void {
    if (this.#finalSize === undefined || this.#state !== "open") return;
    const read = this.#unordered !== undefined
      ? this.#unordered.allReceived && this.#unordered.complete === 0
      : this.#ordered?.readOffset === this.#finalSize;
    if (!read) return;
    this.#clear();
    this.#consume(this.#finalSize);
    this.#state = "ended";
    this.#done = true;
  }
}
