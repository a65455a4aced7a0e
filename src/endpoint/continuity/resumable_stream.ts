/**
 * A stream that outlasts the sessions that carry it (SPEC 15.4).
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { ContinuedRecv } from "../../streams/continuity/continued_recv.ts";
import { ContinuedSend } from "../../streams/continuity/continued_send.ts";
import { Outcome } from "../outcome.ts";
import type { SttStream, WaitOptions, WriteOptions } from "../stt_stream.ts";
import { checkBytes } from "../bytes.ts";
import { withSignal } from "../wait.ts";
import { Waiters } from "../waiters.ts";
import { type BlockReader, type CarrierWord, CODE_LOST } from "./blocks.ts";
import {
  resetBy,
  type ResumableHost,
  type ResumableStreamStart,
} from "./resumable_stream_parts.ts";

/** Bytes that go to the carrying stream at once. */
const PIECE_BYTES = 65_536;
const DEFAULT_CODE = 0x100;

/** The session's stream that carries the bytes at the moment. */
interface Carrier {
  readonly stream: SttStream;
  readonly reader: Promise<BlockReader>;
}

/**
 * A bidirectional stream of a {@link ResumableSession}. Its bytes arrive once and in order, whatever becomes of the
 * sessions, transports and, with a chamber on both sides, processes in between.
 */
export class ResumableStream implements AsyncIterable<Uint8Array> {
  /** Odd when the dialling side opened it. Other than the ids of the sessions' streams. */
  readonly id: number;
  /** What the side that opened it calls it. */
  readonly name: string;
  /** True where only the side that opened the stream sends. */
  readonly oneWay: boolean;
  /** True when an earlier process of this side had it: see `writeOffset` and `readOffset`. */
  readonly restored: boolean;
  /** The application was given it. */
  announced = false;
  readonly #host: ResumableHost;
  readonly #send: ContinuedSend;
  readonly #recv: ContinuedRecv;
  readonly #finished: Outcome = new Outcome();
  /** The application's side of reading: the carrier, or the end of it all. */
  readonly #readers: Waiters = new Waiters();
  readonly #writers: Waiters = new Waiters();
  /** What the pump waits for. */
  readonly #work: Waiters = new Waiters();
  #carrier: Carrier | undefined;
  #error: SttError | undefined;
  #known: boolean;

  /** Streams come from {@link ResumableSession}. */
  constructor(host: ResumableHost, start: ResumableStreamStart) {
    const { id, name, sends, confirm, keep, stored } = start;
    this.id = id;
    this.name = name;
    this.oneWay = sends !== "both";
    this.restored = stored !== undefined;
    this.#known = this.restored;
    this.#host = host;
    this.#send = new ContinuedSend(keep, stored !== undefined);
    const ended = stored?.ended === true || sends === "this";
    this.#recv = new ContinuedRecv(confirm, stored?.confirmed, ended);
    if (sends === "other") this.#send.close();
  }

  /**
   * Offset at which the next `write` goes on: 0, or what was written so far. After a crash it is what the receiver
   * confirmed, and known once {@link ResumableStream.ready} has resolved.
   */
  get writeOffset(): number {
    return this.#send.written;
  }

  /** Offset at which the next `read` goes on; after a crash what was confirmed. */
  get readOffset(): number {
    return this.#recv.received;
  }

  /** Bytes that were confirmed to the other side and never come again. */
  get confirmedOffset(): number {
    return this.#recv.confirmed;
  }

  /** Bytes of this side that the receiver has not confirmed and that are kept in memory. */
  get unconfirmed(): number {
    return this.#send.held;
  }

  /** Settles when the receiver has confirmed everything and the end; rejects when the stream or session is given up. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Resolves when `writeOffset` is known: at once, but for the first moments after a crash. */
  async ready(options: WaitOptions = {}): Promise<void> {
    while (this.#send.waitsForReceiver) {
      this.#check();
      await this.#writers.wait(options.signal);
    }
  }

  /**
   * Writes bytes at `writeOffset`. Resolves when more may be written: at most `keep` bytes (and one chunk) wait to be
   * confirmed, so a receiver that confirms nothing stops the writer.
   *
   * @throws {SttError} STREAM_CLOSED after `end`; the error of the stream or session once it was given up; CONFIG for
   *   what is no Uint8Array; the signal's reason.
   */
  async write(chunk: Uint8Array, options: WriteOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    await this.ready(options);
    this.#check();
    if (this.#send.ended) {
      throw new SttError("STREAM_CLOSED", `cannot write to stream ${this.id}: it was ended`);
    }
    checkBytes(chunk, `write to stream ${this.id}`);
    this.#send.write(options.own === true ? chunk : new Uint8Array(chunk));
    this.#work.wake();
    while (this.#send.full) {
      await this.#writers.wait(options.signal);
      this.#check();
    }
  }

  /**
   * Finishes writing. Resolves when the receiver has confirmed everything, which is more than that it was sent.
   *
   * @throws {SttError} CONFIG when the receiver has more than was written since a crash; as `write`.
   */
  async end(options: WaitOptions = {}): Promise<void> {
    await this.ready(options);
    if (!this.#send.ended) {
      this.#check();
      this.#send.finish();
      this.#work.wake();
      this.#settle();
    }
    await withSignal(this.finished, options.signal);
  }

  /**
   * The next bytes, or null at the end. With `confirm: "read"` they count as confirmed.
   *
   * @throws {SttError} UNCONFIRMED when the sender keeps no more without a confirmation; the error of the stream or
   *   session once it was given up; the signal's reason.
   */
  async read(options: WaitOptions = {}): Promise<Uint8Array | null> {
    for (;;) {
      options.signal?.throwIfAborted();
      if (this.#recv.atEnd) return null;
      const chunk = await this.#readOnce(options.signal);
      if (chunk === undefined) continue;
      if (chunk === null) this.#recv.end();
      else this.#recv.take(chunk.length);
      this.#progress();
      return chunk;
    }
  }

  /** Undefined: look again. */
  async #readOnce(signal: AbortSignal | undefined): Promise<Uint8Array | null | undefined> {
    const carrier = this.#carrier;
    if (carrier === undefined) {
      this.#check();
      await this.#readers.wait(signal);
      return undefined;
    }
    if (this.#recv.starved) {
      throw new SttError(
        "UNCONFIRMED",
        `cannot read stream ${this.id}: ${
          this.#recv.received - this.#recv.confirmed
        } bytes wait to be confirmed, and the sender keeps no more`,
      );
    }
    try {
      const reader = await carrier.reader;
      const chunk = await reader.bytes(signal);
      // Bytes of a session that was replaced meanwhile come again from the new one.
      return carrier === this.#carrier ? chunk : undefined;
    } catch (error) {
      if (signal?.aborted || !(error instanceof SttError)) throw error;
      if (carrier !== this.#carrier) return undefined;
      if (error.code === "STREAM_RESET") this.fail(resetBy(this.id, error.wire));
      this.#check();
      await this.#readers.wait(signal);
      return undefined;
    }
  }

  /**
   * Tells the sender that all bytes below `offset` (default: all that were read, and the end once it was read) are safe
   * and never needed again. Resolves when that is kept in the chamber; the sender hears of it afterwards.
   *
   * @throws {SttError} CONFIG for an offset below one that was confirmed or above what was read; what the chamber throws.
   */
  async confirm(offset: number = this.#recv.received): Promise<void> {
    const noted = this.#recv.note(offset);
    await this.#host.save();
    this.#recv.last(noted);
    this.#progress();
  }

  /** Gives both directions up: the other side's calls fail with `STREAM_RESET` and this code (0x100 and above). */
  async abort(code: number = DEFAULT_CODE): Promise<void> {
    if (this.#error !== undefined) return;
    if (!Number.isSafeInteger(code) || code < 0x100) {
      throw new SttError("CONFIG", `cannot abort stream: code ${code} is not 0x100 or above`);
    }
    this.fail(new SttError("STREAM_CLOSED", `stream ${this.id} was given up here`), code);
    await this.#host.gaveUp(this, code);
  }

  /** Chunks until the end; leaving the loop early changes nothing: reading may go on. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    for (let chunk = await this.read(); chunk !== null; chunk = await this.read()) yield chunk;
  }

  // ---- for the session ----

  /** Both directions are over, as far as this side knows. */
  get done(): boolean {
    return this.#send.finished && this.#recv.ended;
  }

  /** The other side's direction was confirmed to its end. */
  get received(): boolean {
    return this.#recv.ended;
  }

  /** The other side may know the stream, and has to say how far it is before anything is sent. */
  get known(): boolean {
    return this.#known;
  }

  /** There is, or may be, something left to read. */
  get readable(): boolean {
    return this.#error === undefined && !this.#recv.atEnd;
  }

  /** What is kept of it between processes. */
  get stored(): { readonly confirmed: number; readonly ended: boolean } {
    return { confirmed: this.#recv.confirmed, ended: this.#recv.ended };
  }

  /** What the start of a carrier says.
   * @ignore */
  word(senderKeeps: number): CarrierWord {
    return { ...this.#recv.attach(senderKeeps), kept: this.#send.kept };
  }

  /** What the other side is to be told of now. */
  news(): { readonly offset: number; readonly ended: boolean } | undefined {
    return this.#recv.tell();
  }

  /**
   * What the other side says of the stream over a new session; {@link ResumableStream.carry} follows.
   *
   * @throws {SttError} SESSION when bytes are gone that one side needs; PROTOCOL for a word that cannot be.
   * @ignore
   */
  hear(word: CarrierWord): void {
    const { received, ended } = this.#recv;
    if (received < word.kept && !ended) {
      throw new SttError(
        "SESSION",
        `cannot go on with stream ${this.id} at ${received}: the sender has no bytes below ${word.kept}`,
      );
    }
    this.#send.attach(word);
    this.#known = true;
  }

  /** A session's stream carries this one from now on.
   * @ignore */
  carry(stream: SttStream, reader: Promise<BlockReader>): void {
    reader.catch(() => undefined);
    // Only a peer that opens a second carrier leaves a first one here: whoever reads that one looks at this.
    this.#carrier?.stream.stop(CODE_LOST);
    const carrier = { stream, reader };
    this.#carrier = carrier;
    this.#wake();
    this.#settle();
    void this.#pump(carrier);
    // Nobody reads any more: the end of the other direction is taken here, so that the carrier can close.
    if (this.#recv.ended) reader.then((blocks) => blocks.bytes()).catch(() => undefined);
  }

  /** The session is gone. */
  detach(): void {
    if (this.#carrier === undefined) return;
    this.#carrier = undefined;
    this.#send.detach();
    this.#wake();
  }

  /** The other side confirmed. @throws {SttError} PROTOCOL. */
  confirmed(offset: number, ended: boolean): void {
    this.#send.confirm(offset, ended);
    this.#writers.wake();
    this.#settle();
  }

  /** The side that opened the stream is done with it: both directions are over. */
  close(): void {
    this.#finished.done();
  }

  /** Nothing more comes of it. What has arrived and was not read is lost; `code` tells the other side's carrier. */
  fail(error: SttError, code: number = CODE_LOST): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    const stream = this.#carrier?.stream;
    this.detach();
    // Also for whoever reads or writes it at the moment.
    stream?.reset(code);
    stream?.stop(code);
    this.#finished.fail(error);
    this.#wake();
  }

  /** The session is over: what its last carrier brought can still be read. */
  over(error: SttError): void {
    this.#error ??= error;
    this.#finished.fail(error);
    this.#wake();
  }

  async #pump(carrier: Carrier): Promise<void> {
    const { stream } = carrier;
    try {
      while (carrier === this.#carrier) {
        const item = this.#send.take(PIECE_BYTES);
        if (item === undefined) await this.#work.wait();
        else if (item === "end") stream.end().catch(() => undefined);
        else await stream.write(item, { own: true });
      }
    } catch (error) {
      // The session's end is seen to elsewhere.
      if (!(error instanceof SttError)) throw error;
      if (error.code === "STREAM_STOPPED" && carrier === this.#carrier) {
        this.fail(resetBy(this.id, error.wire));
      }
    }
  }

  #progress(): void {
    this.#host.progress(this);
    this.#settle();
  }

  #settle(): void {
    if (this.#send.finished) this.#finished.done();
    if (this.#send.finished || this.#recv.ended) this.#host.settled(this);
  }

  #wake(): void {
    this.#readers.wake();
    this.#writers.wake();
    this.#work.wake();
  }

  #check(): void {
    if (this.#error !== undefined) throw this.#error;
  }
}
