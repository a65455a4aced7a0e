/**
 * What outlasts the sessions of two nodes: their streams (SPEC 15.4).
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { WaitOptions } from "../stt_stream.ts";
import { type ListenerOptions, TypedEvents } from "../typed_events.ts";
import { Waiters } from "../waiters.ts";
import { checkStreamName, CODE_LOST, CODE_MALFORMED, CODE_REPLACED } from "./blocks.ts";
import { Carriage } from "./carriage.ts";
import { LiveStreams, type LiveStreamsStart } from "./live_streams.ts";
import type { ResumableStream } from "./resumable_stream.ts";
import type { StoredSession } from "./stored.ts";

/** Events of a {@link ResumableSession}. */
export interface ResumableEvents {
  /** A session carries the streams: the first one, or one that resumed. */
  readonly connected: { readonly peer: Peer; readonly resumed: boolean };
  /** The session that carried them has ended; on the dialling side another one is being dialled. */
  readonly disconnected: { readonly error: SttError | undefined };
  /** It is all over: closed on one side, or given up for this error. */
  readonly closed: { readonly error: SttError | undefined };
}

/** What a session does through whoever made it. */
export interface SessionKeeper {
  /** Resolves when the session's state outlasts a crash. */
  save(): Promise<void>;
  /** Forgets state and tickets, for good. */
  forget(): Promise<void>;
  /** Dialling side: another session is wanted. */
  lost(error: SttError | undefined): void;
  /** Dialling side: go on at another address. */
  readonly move?: (address: string) => Promise<void>;
  /** No more sessions are wanted, from now on. */
  stop(): void;
}

/** What a session starts from. */
export interface ResumableSessionStart extends LiveStreamsStart {
  /** 16 bytes, the same on both sides. */
  readonly id: Uint8Array;
  readonly nodeId: Uint8Array;
  readonly keeper: SessionKeeper;
}

/** Options of {@link ResumableSession.openStream}. */
export interface OpenResumableOptions extends WaitOptions {
  /**
   * At most 255 bytes of UTF-8; the other side sees it. A stream of this name that an earlier process opened, and that is
   * not over, is returned in place of a new one: see its `restored` and `writeOffset`. Default "": always a new stream.
   */
  readonly name?: string;
  /** True: the other side only reads, and neither side needs to end or read what it does not send. Default false. */
  readonly oneWay?: boolean;
}

/**
 * Streams with one node that go on when the transport breaks, changes, or, with a chamber, when a process dies. The
 * dialling side has it from {@link resumable}, the listening side from a {@link ResumptionHost}.
 */
export class ResumableSession implements AsyncDisposable {
  /** 16 bytes as hex, the same on both sides. */
  readonly id: string;
  /** The other side's identity, 32 bytes. */
  readonly nodeId: Uint8Array;
  /** Which side dials. */
  readonly role: "initiator" | "responder";
  readonly #idBytes: Uint8Array;
  readonly #keeper: SessionKeeper;
  readonly #events: TypedEvents<ResumableEvents> = new TypedEvents();
  readonly #live: LiveStreams;
  readonly #waiting: ResumableStream[] = [];
  readonly #acceptors: Waiters = new Waiters();
  readonly #openers: Waiters = new Waiters();
  /** Streams of this side that a crash would have forgotten, so that their numbers would be given again. */
  readonly #unstored: Set<ResumableStream> = new Set();
  #carriage: Carriage | undefined;
  #over: { readonly error: SttError | undefined } | undefined;

  /** Use {@link resumable} or a {@link ResumptionHost}. */
  constructor(start: ResumableSessionStart) {
    const { keeper } = start;
    this.id = toHex(start.id);
    this.#idBytes = start.id;
    this.nodeId = start.nodeId;
    this.role = start.role;
    this.#keeper = keeper;
    this.#live = new LiveStreams({
      progress: (stream) => this.#carriage?.progress(stream),
      save: () => keeper.save(),
      settled: (stream) => this.#onSettled(stream),
      gaveUp: (stream, code) => this.#giveUp(stream, code),
      announce: (stream) => {
        this.#waiting.push(stream);
        this.#acceptors.wake();
      },
      removed: (stream) => this.#onRemoved(stream),
      changed: () => this.#save(),
    }, start);
  }

  /** The session that carries the streams now; undefined between sessions. */
  get peer(): Peer | undefined {
    return this.#carriage?.peer;
  }

  /** Streams that are not over, of both sides. */
  get streams(): readonly ResumableStream[] {
    return this.#live.all;
  }

  /**
   * Opens a stream, with or without a session at the moment. With a chamber it is written down before anything is sent.
   * Waits while 256 streams of this side live.
   *
   * @throws {SttError} CONFIG for a name that is too long; the error that ended it all; the signal's reason; what the
   *   chamber throws.
   */
  async openStream(options: OpenResumableOptions = {}): Promise<ResumableStream> {
    const name = checkStreamName(options.name ?? "");
    options.signal?.throwIfAborted();
    for (;;) {
      this.#check();
      const known = name === "" ? undefined : this.#live.restored(name);
      if (known !== undefined) return known;
      if (this.#live.room) break;
      await this.#openers.wait(options.signal);
    }
    const stream = this.#live.open(name, options.oneWay === true);
    this.#unstored.add(stream);
    try {
      await this.#keeper.save();
    } catch (error) {
      this.#live.drop(stream);
      throw error;
    } finally {
      this.#unstored.delete(stream);
    }
    this.#check();
    this.#carriage?.open(stream);
    return stream;
  }

  /** The next stream that the other side opened, also one that an earlier process had; null once it is all over. */
  async acceptStream(options: WaitOptions = {}): Promise<ResumableStream | null> {
    options.signal?.throwIfAborted();
    for (;;) {
      const stream = this.#waiting.shift();
      if (stream !== undefined) return stream;
      if (this.#over !== undefined) {
        if (this.#over.error !== undefined) throw this.#over.error;
        return null;
      }
      await this.#acceptors.wait(options.signal);
    }
  }

  /** Streams that the other side opens, until it is all over. */
  async *incoming(options: WaitOptions = {}): AsyncGenerator<ResumableStream, void, void> {
    for (;;) {
      const stream = await this.acceptStream(options);
      if (stream === null) return;
      yield stream;
    }
  }

  /**
   * Dialling side: goes on at another address, over whatever transport that has, and resolves when it does. What is on its
   * way is sent again as far as it was not received. When the dial fails, the session that stands is not touched.
   *
   * @throws {SttError} UNSUPPORTED on the listening side; CLOSED when another move took the place of this one; as
   *   `connect`; the error that ended it all.
   */
  async move(address: string): Promise<void> {
    if (this.#keeper.move === undefined) {
      throw new SttError("UNSUPPORTED", "cannot move session: only the dialling side dials");
    }
    this.#check();
    await this.#keeper.move(address);
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof ResumableEvents>(
    name: Name,
    listener: (detail: ResumableEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /**
   * Ends the transport and keeps the state: with a chamber, a later process goes on from it. This object is over; on the
   * listening side the host hands out another one when the dialler is back.
   */
  async suspend(): Promise<void> {
    await this.#end(undefined, async (carriage) => {
      await this.#keeper.save();
      await carriage?.peer.close();
    });
  }

  /**
   * Ends everything: the other side hears of it, state and tickets are forgotten. Streams that are not over fail; await
   * their `end()` first.
   */
  async close(): Promise<void> {
    await this.#end(undefined, async (carriage) => {
      carriage?.bye();
      await this.#keeper.forget();
      await carriage?.peer.close();
    });
  }

  /** As `suspend()`: leaving a block by an error should not throw state away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.suspend();
  }

  // ---- for whoever makes it, and for the session of the moment ----

  /** What is kept between processes.
   * @ignore */
  get state(): Pick<StoredSession, "id" | "nodeId" | "next" | "streams" | "aborted"> {
    return { id: this.#idBytes, nodeId: this.nodeId, ...this.#live.state };
  }

  /** Streams of this side that a session may carry.
   * @ignore */
  get carried(): readonly ResumableStream[] {
    return this.#live.own.filter((stream) => !this.#unstored.has(stream));
  }

  /** True after its end. */
  get over(): boolean {
    return this.#over !== undefined;
  }

  /** The streams.
   * @ignore */
  get live(): LiveStreams {
    return this.#live;
  }

  /** A session carries the streams from now on, in place of another. */
  attach(peer: Peer, resumed: boolean): void {
    if (this.#over !== undefined) return peer.abort();
    const before = this.#carriage;
    // First, so that nothing of the old session counts any more when the new one is told how far everything is.
    this.#detach();
    before?.peer.abort({ code: CODE_REPLACED });
    const carriage = new Carriage(this, peer);
    this.#carriage = carriage;
    void peer.closed.then(({ error }) => this.#onClosed(carriage, error));
    void carriage.run();
    this.#events.emit("connected", { peer, resumed });
  }

  /** It cannot go on: everything fails with `error`. */
  fail(error: SttError): void {
    void this.#end(error, async (carriage) => {
      carriage?.peer.abort({ code: CODE_MALFORMED });
      await this.#keeper.forget();
    }).catch(() => undefined);
  }

  /** No session came for too long: the streams fail, the state stays for another try. */
  giveUp(error: SttError): void {
    void this.#end(error, () => Promise.resolve()).catch(() => undefined);
  }

  /** The other side has closed it for good. */
  onBye(): void {
    void this.#end(undefined, async (carriage) => {
      await this.#keeper.forget();
      await carriage?.peer.close();
    }).catch(() => undefined);
  }

  /** A stream cannot go on, as bytes are gone that one side needs; the other side is told. */
  abortLost(stream: ResumableStream): void {
    this.#giveUp(stream, CODE_LOST).catch((error) => this.#onSaveError(error));
  }

  async #giveUp(stream: ResumableStream, code: number): Promise<void> {
    if (!this.#live.giveUp(stream, code)) return;
    await this.#keeper.save();
    this.#carriage?.abort(stream.id, code);
  }

  /** SPEC 15.4: whoever opened a stream forgets it first, and says so once that lasts. */
  #onSettled(stream: ResumableStream): void {
    if (!this.#live.settle(stream)) return;
    this.#keeper.save().then(
      () => this.#carriage?.done(stream.id),
      (error) => this.#onSaveError(error),
    );
  }

  #onRemoved(stream: ResumableStream): void {
    // One that nobody took and that still can be read stays to be accepted.
    const index = stream.readable ? -1 : this.#waiting.indexOf(stream);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#openers.wake();
  }

  #save(): void {
    this.#openers.wake();
    this.#keeper.save().catch((error) => this.#onSaveError(error));
  }

  #onSaveError(cause: unknown): void {
    if (this.#over !== undefined) return;
    this.fail(new SttError("SESSION", "cannot go on: the state cannot be stored", { cause }));
  }

  #onClosed(carriage: Carriage, error: SttError | undefined): void {
    if (carriage !== this.#carriage || this.#over !== undefined) return;
    this.#detach();
    this.#events.emit("disconnected", { error });
    this.#keeper.lost(error);
  }

  #detach(): void {
    this.#carriage?.stop();
    this.#carriage = undefined;
    for (const stream of this.#live.all) stream.detach();
  }

  async #end(
    error: SttError | undefined,
    act: (carriage: Carriage | undefined) => Promise<void>,
  ): Promise<void> {
    if (this.#over !== undefined) return;
    this.#over = { error };
    this.#keeper.stop();
    const carriage = this.#carriage;
    try {
      await act(carriage);
    } finally {
      carriage?.stop();
      const reason = error ?? new SttError("CLOSED", "the resumable session is closed");
      for (const stream of this.#live.all) stream.over(reason);
      this.#acceptors.wake();
      this.#openers.wake();
      this.#events.emit("closed", { error });
    }
  }

  #check(): void {
    if (this.#over === undefined) return;
    throw this.#over.error ?? new SttError("CLOSED", "the resumable session is closed");
  }
}
