/**
 * What waits for the application to take it: streams, messages, datagrams. Bounded by the protocol's own limits (open
 * streams, flow control, the receive queue of 256).
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import type { Datagram } from "../connection/events.ts";
import { SttError } from "../errors.ts";
import type { SttStream } from "./stt_stream.ts";
import { Waiters } from "./waiters.ts";

/** A message of a message stream. */
export interface Message {
  /** Stream that carried it; `peer.stream(streamId)` answers on it. */
  readonly streamId: number;
  /** The message. */
  readonly data: Uint8Array;
}

/** Queues of one session. */
export class Incoming {
  readonly #connection: Connection;
  /** By mode: whoever expects bytes must not be handed a stream with gaps. */
  readonly #streams: Record<"bytes" | "weighted", SttStream[]> = { bytes: [], weighted: [] };
  /** Message streams that may have something to read, in turn; from the first one on. */
  #readable: Set<SttStream> | undefined;
  readonly #streamWaiters: Waiters = new Waiters();
  readonly #messageWaiters: Waiters = new Waiters();
  readonly #datagramWaiters: Waiters = new Waiters();
  #closeError: SttError | undefined;
  #orderly = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  addStream(stream: SttStream): void {
    if (stream.mode === "bytes" || stream.mode === "weighted") {
      this.#streams[stream.mode].push(stream);
      this.#streamWaiters.wake();
    } else {
      this.messageReadable(stream);
    }
  }

  messageReadable(stream: SttStream): void {
    this.#readable ??= new Set();
    this.#readable.add(stream);
    this.#messageWaiters.wake();
  }

  /**
   * The stream is closed. One that nobody took brought nothing that could still be read, and its peer may have opened
   * the next one already: what waits must stay below the limit of open streams.
   */
  forget(stream: SttStream): void {
    this.#readable?.delete(stream);
    for (const waiting of [this.#streams.bytes, this.#streams.weighted]) {
      const index = waiting.indexOf(stream);
      if (index >= 0) waiting.splice(index, 1);
    }
  }

  datagramArrived(): void {
    this.#datagramWaiters.wake();
  }

  /** `error` undefined: an orderly end, iterators just finish. */
  end(error: SttError | undefined): void {
    this.#orderly = error === undefined;
    this.#closeError = error;
    this.#streamWaiters.wake();
    this.#messageWaiters.wake();
    this.#datagramWaiters.wake();
  }

  async nextStream(
    mode: "bytes" | "weighted",
    signal?: AbortSignal,
  ): Promise<SttStream | null> {
    signal?.throwIfAborted();
    if (mode !== "bytes" && mode !== "weighted") {
      throw new SttError(
        "CONFIG",
        `cannot accept stream: mode ${mode} is neither bytes nor weighted`,
      );
    }
    for (;;) {
      const stream = this.#streams[mode].shift();
      if (stream !== undefined) return stream;
      if (this.#over()) return null;
      await this.#streamWaiters.wait(signal);
    }
  }

  async nextMessage(signal?: AbortSignal): Promise<Message | null> {
    signal?.throwIfAborted();
    for (;;) {
      const message = this.#takeMessage();
      if (message !== undefined) return message;
      if (this.#over()) return null;
      await this.#messageWaiters.wait(signal);
    }
  }

  async nextDatagram(signal?: AbortSignal): Promise<Datagram | null> {
    signal?.throwIfAborted();
    for (;;) {
      const datagram = this.#connection.nextDatagram();
      if (datagram !== undefined) return datagram;
      if (this.#over()) return null;
      await this.#datagramWaiters.wait(signal);
    }
  }

  #over(): boolean {
    if (this.#closeError !== undefined) throw this.#closeError;
    return this.#orderly;
  }

  #takeMessage(): Message | undefined {
    const readable = this.#readable;
    if (readable === undefined) return undefined;
    for (const stream of readable) {
      readable.delete(stream);
      const data = this.#tryRead(stream);
      // Our direction of a stream that only brought messages ends with the peer's, so that the stream can close.
      if (data === null) stream.endUnused();
      if (data === undefined || data === null) continue;
      // Behind the others, so that one busy stream does not starve them.
      readable.add(stream);
      return { streamId: stream.id, data };
    }
    return undefined;
  }

  /** A reset of one message stream ends that stream, not the iterator over all of them. */
  #tryRead(stream: SttStream): Uint8Array | null | undefined {
    try {
      return stream.tryRead();
    } catch (error) {
      if (error instanceof SttError) return null;
      throw error;
    }
  }
}
