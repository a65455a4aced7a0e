/**
 * One stream as applications see it: `read` and `write`, an async iterator, and Web Streams at the edge.
 *
 * @module
 */
import { errorCodeOf, SttError } from "../errors.ts";
import type { StreamInfo, StreamSegment } from "../streams/types.ts";
import { checkBytes } from "./bytes.ts";
import { type DeliveryTarget, modeOf, type StreamMode } from "./stream_mode.ts";
import { Outcome } from "./outcome.ts";
import type { ReadOptions, StreamHost, WaitOptions, WriteOptions } from "./stream_options.ts";
import { Waiters } from "./waiters.ts";
import { readableOf, writableOf } from "./web_streams.ts";

export type { ReadOptions, StreamHost, WaitOptions, WriteOptions };

const DEFAULT_CODE = 0x100;

function checkCode(what: string, code: number): void {
  if (Number.isSafeInteger(code) && code >= 0) return;
  throw new SttError("CONFIG", `cannot ${what} stream: code ${code} is not a whole number from 0`);
}

/**
 * A bidirectional stream. Both directions end on their own: `end()` finishes writing, reading returns null once the
 * peer has finished.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * const seed = generateSeed();
 * const listener = await listen("mem:stream-example", { seed });
 * const client = await connect("mem:stream-example", { seed });
 * const server = (await listener.nextPeer())!;
 * const stream = await client.openStream();
 * await stream.write(new TextEncoder().encode("hello"));
 * await stream.end();
 * const incoming = (await server.acceptStream())!;
 * console.log(new TextDecoder().decode((await incoming.read())!)); // "hello"
 * console.log(await incoming.read()); // null
 * await listener.close();
 * ```
 */
export class SttStream implements AsyncIterable<Uint8Array> {
  /** 1 to 2^32-1; odd when the initiator opened it. */
  readonly id: number;
  /** How it delivers, in both directions. */
  readonly mode: StreamMode;
  readonly #host: StreamHost;
  /** What is written are messages. */
  readonly #framed: boolean;
  #readers: Waiters | undefined;
  #writers: Waiters | undefined;
  readonly #finished: Outcome = new Outcome();
  #readError: SttError | undefined;
  #writeError: SttError | undefined;
  #ended = false;
  #gone = false;
  /** What was read and put back. */
  #putBack: Uint8Array | undefined;
  #readable: ReadableStream<Uint8Array> | undefined;
  #writable: WritableStream<Uint8Array> | undefined;

  /** Streams come from {@link Peer.openStream} and {@link Peer.acceptStream}. */
  constructor(host: StreamHost, id: number, kind: number) {
    this.#host = host;
    this.id = id;
    this.mode = modeOf(kind);
    this.#framed = kind >= 4;
  }

  /** Settles when our direction is sent whole; rejects when it was reset or the session ended before. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /**
   * The next bytes (or the next message), or null at the end.
   *
   * @throws {SttError} `CONFIG` on a weighted stream, whose gaps must not go unseen; `STREAM_RESET` when the peer gave up (`wire` is its code), `BUFFER_EXCEEDED` for a message above
   *   `maxMessageSize`, or the error that ended the session; the signal's reason when aborted.
   */
  async read(options: ReadOptions = {}): Promise<Uint8Array | null> {
    options.signal?.throwIfAborted();
    for (;;) {
      const chunk = this.tryRead(options.maxBytes);
      if (chunk !== undefined) return chunk;
      await this.#arrival(options.signal);
    }
  }

  async #arrival(signal: AbortSignal | undefined): Promise<void> {
    if (this.#host.closeError !== undefined) throw this.#host.closeError;
    this.#readers ??= new Waiters();
    await this.#readers.wait(signal);
  }

  /** As {@link SttStream.read} without waiting: undefined when nothing has arrived. */
  tryRead(maxBytes?: number): Uint8Array | null | undefined {
    if (this.mode === "weighted") {
      throw new SttError(
        "CONFIG",
        `cannot read bytes of stream ${this.id}: it is weighted and may have gaps, read its segments`,
      );
    }
    const { streams } = this.#host;
    const putBack = this.#takePutBack(maxBytes);
    if (putBack !== undefined) return putBack;
    return this.#take(() =>
      this.mode === "bytes" ? streams.read(this.id, maxBytes) : streams.readMessage(this.id)
    );
  }

  /** Puts bytes that were read back in front of what is still to be read. Bytes streams only. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const behind = this.#putBack ?? new Uint8Array(0);
    this.#putBack = new Uint8Array(bytes.length + behind.length);
    this.#putBack.set(bytes);
    this.#putBack.set(behind, bytes.length);
    this.#readers?.wake();
  }

  #takePutBack(maxBytes: number = Infinity): Uint8Array | undefined {
    const bytes = this.#putBack;
    if (bytes === undefined) return undefined;
    this.#putBack = bytes.length > maxBytes ? bytes.subarray(maxBytes) : undefined;
    return bytes.subarray(0, maxBytes);
  }

  #take<T>(read: () => T | null | undefined): T | null | undefined {
    if (this.#readError !== undefined) throw this.#readError;
    if (this.#gone) return null;
    const item = read();
    // Reading raises credit, which has to reach the peer, but mostly not enough to be worth a packet.
    if (item !== undefined && this.#host.streams.hasNews()) this.#host.schedule();
    return item;
  }

  /**
   * The next piece of a weighted stream, in order, or null at the end: `data` at `offset`, or `gap` bytes from `offset` on
   * that do not come. A segment of 16384 bytes (the last one of what is left) comes whole; of one that was given up, what
   * had arrived comes as shorter pieces.
   *
   * @throws {SttError} `CONFIG` for other modes; else as {@link SttStream.read}.
   */
  async readSegment(options: WaitOptions = {}): Promise<StreamSegment | null> {
    options.signal?.throwIfAborted();
    for (;;) {
      const segment = this.tryReadSegment();
      if (segment !== undefined) return segment;
      await this.#arrival(options.signal);
    }
  }

  /** As {@link SttStream.readSegment} without waiting: undefined when nothing is there. */
  tryReadSegment(): StreamSegment | null | undefined {
    if (this.mode !== "weighted") {
      throw new SttError("CONFIG", `cannot read segments of stream ${this.id}: mode ${this.mode}`);
    }
    return this.#take(() => this.#host.streams.readSegment(this.id));
  }

  /**
   * The pieces of a weighted stream until its end; leaving the loop early stops the stream.
   *
   * @example
   * ```ts
   * import { connect, generateSeed, listen } from "@seigr/stt";
   * const seed = generateSeed();
   * const listener = await listen("udp://127.0.0.1:0", { seed });
   * const client = await connect(listener.address, { seed });
   * const server = (await listener.nextPeer())!;
   * const stream = await client.openStream({ mode: "weighted", target: 0.9 });
   * await stream.write(new Uint8Array(40_000));
   * void stream.end();
   * const incoming = (await server.acceptStream({ mode: "weighted" }))!;
   * for await (const { offset, data, gap } of incoming.segments()) {
   *   if (data !== undefined) console.log(`${data.length} bytes at ${offset}`);
   *   else console.log(`${gap} bytes missing at ${offset}`);
   * }
   * await client.close();
   * await listener.close();
   * ```
   */
  async *segments(): AsyncGenerator<StreamSegment, void, void> {
    yield* this.#until(() => this.readSegment());
  }

  async *#until<T>(read: () => Promise<T | null>): AsyncGenerator<T, void, void> {
    let done = false;
    try {
      for (let item = await read(); item !== null; item = await read()) yield item;
      done = true;
    } finally {
      // Leaving the loop early means that nobody reads the rest.
      if (!done) this.stop();
    }
  }

  /**
   * Writes bytes (or one message). Resolves when the stream takes more: await it, and a slow reader slows the writer.
   *
   * @throws {SttError} `STREAM_STOPPED` when the peer reads no more (`wire` is its code), `STREAM_CLOSED` after `end` or
   *   `reset`, `CONFIG` for what is no Uint8Array, or the error that ended the session; the signal's reason when aborted:
   *   before the call nothing is written, while it waits the chunk is written all the same.
   */
  async write(chunk: Uint8Array, options: WriteOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!this.tryWrite(chunk, options.own)) await this.#writable_(options.signal);
  }

  /** As {@link SttStream.write} without waiting: false asks the writer to wait for {@link SttStream.ready}. */
  tryWrite(chunk: Uint8Array, own = false): boolean {
    this.#checkWrite();
    if (!(chunk instanceof Uint8Array)) checkBytes(chunk, `write to stream ${this.id}`);
    const { streams } = this.#host;
    const more = this.#framed
      ? streams.writeMessage(this.id, chunk, own)
      : streams.write(this.id, chunk, own);
    this.#host.schedule();
    return more;
  }

  /** Resolves when the stream takes more. */
  async ready(options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    this.#checkWrite();
    if (!this.#host.streams.canWrite(this.id)) await this.#writable_(options.signal);
  }

  async #writable_(signal: AbortSignal | undefined): Promise<void> {
    do {
      this.#writers ??= new Waiters();
      await this.#writers.wait(signal);
      // The chunk was taken before the end was asked for, and goes out before it.
      if (this.#ended && this.#writeError === undefined) {
        if (this.#host.closeError !== undefined) throw this.#host.closeError;
        return;
      }
      this.#checkWrite();
    } while (!this.#host.streams.canWrite(this.id));
  }

  #checkWrite(): void {
    if (this.#writeError !== undefined) throw this.#writeError;
    if (this.#ended) {
      throw new SttError("STREAM_CLOSED", `cannot write to stream ${this.id}: it was ended`);
    }
    if (this.#host.closeError !== undefined) throw this.#host.closeError;
    if (this.#gone) {
      throw new SttError("STREAM_CLOSED", `cannot write to stream ${this.id}: it is closed`);
    }
  }

  /** Finishes writing: the peer reads to the end. Resolves when everything is sent. Ending twice is harmless. */
  async end(options: WaitOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    if (!this.#ended) {
      this.#checkWrite();
      this.#ended = true;
      this.#host.streams.finish(this.id);
      this.#host.schedule();
      // No "writable" comes any more.
      this.#writers?.wake();
    }
    const { signal } = options;
    if (signal === undefined) return await this.finished;
    let onAbort = (): void => undefined;
    const aborted = new Promise<never>((_, reject) => {
      onAbort = () => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
    });
    try {
      await Promise.race([this.finished, aborted]);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** Ends our direction if nothing was ever written on it. */
  endUnused(): void {
    if (this.#ended || this.#gone || this.#writeError !== undefined) return;
    if (this.#host.closeError === undefined && this.info()?.written === 0) {
      this.#ended = true;
      this.#host.streams.finish(this.id);
      this.#host.schedule();
    }
  }

  /** Gives up writing: what was not sent is discarded, the peer's read throws with `code` (0x100 and above are yours). */
  reset(code: number = DEFAULT_CODE): void {
    checkCode("reset", code);
    if (this.#gone || this.#writeError !== undefined || this.#host.closeError !== undefined) return;
    this.#writeError = new SttError("STREAM_CLOSED", `stream ${this.id} was reset here`);
    this.#host.streams.reset(this.id, code);
    this.#host.schedule();
    this.#finished.fail(this.#writeError);
    this.#writers?.wake();
  }

  /** Stops reading: what arrives is discarded and the peer's write throws with `code`. */
  stop(code: number = DEFAULT_CODE): void {
    checkCode("stop", code);
    if (this.#gone || this.#readError !== undefined || this.#host.closeError !== undefined) return;
    this.#readError = new SttError("STREAM_CLOSED", `stream ${this.id} was stopped here`);
    this.#host.streams.stop(this.id, code);
    this.#host.schedule();
    this.#readers?.wake();
  }

  /** 0 to 1000, default 500: from 667 on high, up to 333 low. */
  setPriority(priority: number): void {
    this.#host.streams.setPriority(this.id, priority);
  }

  /**
   * How likely what is written from now on to this weighted stream is to arrive; segments under way are judged by it as
   * well. Each side has its own.
   *
   * @throws {SttError} `CONFIG` for other modes, or a target outside 0 to 1; `STREAM_CLOSED` once both directions are done.
   */
  setTarget(target: DeliveryTarget): void {
    this.#host.streams.setTarget(this.id, target === "entropy" ? undefined : target);
  }

  /** Offsets, buffers and states; undefined once both directions are done. */
  info(): StreamInfo | undefined {
    return this.#host.streams.info(this.id);
  }

  /** The receiving direction as a Web Stream; use it or `read`, not both. Cancelling it stops the stream. */
  get readable(): ReadableStream<Uint8Array> {
    this.#readable ??= readableOf(this);
    return this.#readable;
  }

  /** The sending direction as a Web Stream; use it or `write`, not both. Aborting it resets the stream. */
  get writable(): WritableStream<Uint8Array> {
    this.#writable ??= writableOf(this);
    return this.#writable;
  }

  /** Chunks or messages until the end; leaving the loop early stops the stream. */
  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, void> {
    yield* this.#until(() => this.read());
  }

  /** Called by the session for this stream's events. */
  onEvent(type: "readable" | "writable" | "finished" | "stream-closed"): void {
    if (type === "readable") {
      this.#readers?.wake();
    } else if (type === "writable") {
      this.#writers?.wake();
    } else if (type === "finished") {
      this.#finished.done();
    } else {
      this.#gone = true;
      this.#finished.done();
      this.#readers?.wake();
      this.#writers?.wake();
    }
  }

  /** The receiving half ended in an error. */
  onReset(code: number): void {
    this.#readError ??= code === 0x23
      ? new SttError("BUFFER_EXCEEDED", `cannot read stream ${this.id}: a message is too large`)
      : new SttError("STREAM_RESET", `stream ${this.id} was reset by the peer: ${codeText(code)}`, {
        wire: code,
        remote: true,
      });
    this.#readers?.wake();
  }

  /** The peer reads no more. */
  onStopped(code: number): void {
    this.#writeError ??= new SttError(
      "STREAM_STOPPED",
      `stream ${this.id} was stopped by the peer: ${codeText(code)}`,
      { wire: code, remote: true },
    );
    this.#finished.fail(this.#writeError);
    this.#writers?.wake();
  }

  /** The session ended. What has arrived can still be read. */
  onSessionEnd(error: SttError): void {
    this.#finished.fail(error);
    this.#readers?.wake();
    this.#writers?.wake();
  }
}

/** `BUFFER_EXCEEDED (0x23)`, or an application's own number. */
function codeText(code: number): string {
  const hex = `0x${code.toString(16)}`;
  return code < 0x100 ? `${errorCodeOf(code)} (${hex})` : `code ${code} (${hex})`;
}
