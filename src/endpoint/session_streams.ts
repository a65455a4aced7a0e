/**
 * The open streams of one session: how they come, what they are told, and how they go.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import type { Driver } from "./driver.ts";
import type { Incoming } from "./incoming.ts";
import { kindOf, type StreamMode } from "./stream_mode.ts";
import { type StreamHost, SttStream } from "./stt_stream.ts";

/** What happens to one stream. */
type StreamEventType = "readable" | "writable" | "finished" | "stream-closed";

/** What the streams of one session need of it. */
export class SessionStreamHost implements StreamHost {
  closeError: SttError | undefined;
  readonly #driver: Driver;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  get streams(): StreamSet {
    return this.#driver.connection.streams;
  }

  schedule(): void {
    this.#driver.schedule();
  }

  scheduleAfterTurn(): void {
    this.#driver.scheduleAfterTurn();
  }

  /** Throws the error that ended the session. */
  checkOpen(): void {
    if (this.closeError !== undefined) throw this.closeError;
  }
}

/** Streams by their ids; what the peer opens goes to `incoming` as well. */
export class SessionStreams {
  readonly #host: StreamHost;
  readonly #incoming: Incoming;
  /** Odd ids are the initiator's. */
  readonly #isInitiator: boolean;
  /** From the first stream on. */
  #streams: Map<number, SttStream> | undefined;

  constructor(host: StreamHost, incoming: Incoming, role: "initiator" | "responder") {
    this.#host = host;
    this.#incoming = incoming;
    this.#isInitiator = role === "initiator";
  }

  get(id: number): SttStream | undefined {
    return this.#streams?.get(id);
  }

  /** A new stream of this side; undefined at the peer's limit. */
  tryOpen(mode: StreamMode, priority?: number): SttStream | undefined {
    const kind = kindOf(mode);
    if (this.#host.closeError !== undefined) throw this.#host.closeError;
    const id = this.#host.streams.open(kind, priority);
    // Whoever opens a stream nearly always writes to it next.
    this.#host.scheduleAfterTurn();
    if (id === undefined) return undefined;
    return this.#add(id, kind);
  }

  /** The peer opened a stream. */
  onOpened(id: number, kind: number): SttStream {
    const stream = this.#add(id, kind);
    this.#incoming.addStream(stream);
    return stream;
  }

  onEvent(type: StreamEventType, id: number): void {
    const stream = this.get(id);
    if (stream === undefined) return;
    stream.onEvent(type);
    if (type === "stream-closed") {
      this.#streams?.delete(id);
      this.#incoming.forget(stream);
    }
    if (type === "readable" && this.#isIncomingMessages(stream)) {
      this.#incoming.messageReadable(stream);
    }
  }

  onReset(id: number, code: number): void {
    const stream = this.get(id);
    stream?.onReset(code);
    // Nobody is told of the reset of one message stream, so that nobody else would end our side of it.
    if (stream !== undefined && this.#isIncomingMessages(stream)) stream.endUnused();
  }

  onStopped(id: number, code: number): void {
    this.get(id)?.onStopped(code);
  }

  onSessionEnd(error: SttError): void {
    for (const stream of [...this.#streams?.values() ?? []]) stream.onSessionEnd(error);
  }

  #add(id: number, kind: number): SttStream {
    const stream = new SttStream(this.#host, id, kind);
    this.#streams ??= new Map();
    this.#streams.set(id, stream);
    return stream;
  }

  /** `messages()` serves the streams that the peer opened; on our own ones the application reads itself. */
  #isIncomingMessages(stream: SttStream): boolean {
    const openedByInitiator = stream.id % 2 === 1;
    const messages = stream.mode === "messages" || stream.mode === "unordered";
    return messages && openedByInitiator !== this.#isInitiator;
  }
}
