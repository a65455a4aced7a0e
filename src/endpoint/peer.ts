/**
 * An open session with one peer.
 *
 * @module
 */
import type { CloseFacts, ConnectionEvent, Datagram } from "../connection/events.ts";
import type { ConnectionStats } from "../connection/stats.ts";
import { SttError } from "../errors.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import { copyOf } from "./bytes.ts";
import type { Driver } from "./driver.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "./event_reader.ts";
import type { FrameEvent } from "./frame_handlers.ts";
import { Incoming, type Message } from "./incoming.ts";
import type { PeerEvents } from "./peer_events.ts";
import { type PeerInfo, peerInfo } from "./peer_info.ts";
import type { AcceptStreamOptions, CloseOptions, OpenStreamOptions } from "./peer_options.ts";
import { RemoteEndpoint } from "./requests/remote_endpoint.ts";
import { SessionEvents } from "./session_events.ts";
import { SessionStreamHost, SessionStreams } from "./session_streams.ts";
import { checkTarget } from "./stream_mode.ts";
import type { SttStream, WaitOptions, WriteOptions } from "./stt_stream.ts";
import type { ListenerOptions } from "./typed_events.ts";

export type { AcceptStreamOptions, CloseOptions, OpenStreamOptions };

/**
 * A session with an authenticated peer: streams, messages, datagrams and frames of the application's own types.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * const seed = generateSeed();
 * const listener = await listen("mem:peer-example", { seed });
 * const client = await connect("mem:peer-example", { seed });
 * const server = (await listener.nextPeer())!;
 * await client.send(new TextEncoder().encode("one message"));
 * for await (const { data } of server.messages()) {
 *   console.log(new TextDecoder().decode(data)); // "one message"
 *   break;
 * }
 * console.log(await client.ping() >= 0); // true
 * await client.close();
 * await listener.close();
 * ```
 */
export class Peer implements AsyncDisposable {
  /** Who the peer is and how the session came about. */
  readonly info: PeerInfo;
  readonly #driver: Driver;
  readonly #host: SessionStreamHost;
  readonly #incoming: Incoming;
  readonly #streams: SessionStreams;
  readonly #told: SessionEvents;
  #messageStream: SttStream | undefined;

  /** Peers come from `connect` and from a listener. */
  constructor(driver: Driver, session: HandshakeSession) {
    this.#driver = driver;
    this.info = peerInfo(session, driver.transport);
    this.#incoming = new Incoming(driver.connection);
    this.#host = new SessionStreamHost(driver);
    this.#streams = new SessionStreams(this.#host, this.#incoming, this.info.role);
    this.#told = new SessionEvents(driver, this.info, this.#host, this.#incoming, this.#streams);
  }

  /** Resolves when the session has ended, however it ended. Never rejects. */
  get closed(): Promise<CloseFacts> {
    return this.#told.closed;
  }

  /** The peer's authenticated identity, 32 bytes. */
  get nodeId(): Uint8Array {
    return this.info.nodeId;
  }

  /** `nodeId` as hex. */
  get id(): string {
    return this.info.id;
  }

  /** Where the peer is now, in address form; `info.remoteAddress` is where it was when the session began. */
  get remoteAddress(): string {
    return this.#driver.transport.remoteAddress;
  }

  // ---- streams ----

  /**
   * Opens a stream. Waits while the peer allows no more.
   *
   * @throws {SttError} `CONFIG` (mode, priority, target); the error that ended the session; the signal's reason when
   *   aborted.
   */
  async openStream(options: OpenStreamOptions = {}): Promise<SttStream> {
    options.signal?.throwIfAborted();
    const { mode = "bytes", target } = options;
    if (target !== undefined) checkTarget(mode, target);
    for (;;) {
      const stream = this.#streams.tryOpen(mode, options.priority);
      if (stream !== undefined) {
        if (target !== undefined) stream.setTarget(target);
        return stream;
      }
      await this.#told.openers.wait(options.signal);
    }
  }

  /**
   * The next byte stream (or weighted stream, if that is asked for) that the peer opened, or null once the session has
   * ended in order.
   */
  acceptStream(options: AcceptStreamOptions = {}): Promise<SttStream | null> {
    return this.#incoming.nextStream(options.mode ?? "bytes", options.signal);
  }

  /** Byte streams (or weighted streams) that the peer opens, until the session ends. */
  async *streams(options: AcceptStreamOptions = {}): AsyncGenerator<SttStream, void, void> {
    for (;;) {
      const stream = await this.acceptStream(options);
      if (stream === null) return;
      yield stream;
    }
  }

  /** A stream of this session that is still open, by its id. */
  stream(id: number): SttStream | undefined {
    return this.#streams.get(id);
  }

  /**
   * A named endpoint of the peer, to ask it.
   *
   * @throws {SttError} `CONFIG` for a name that is not 1 to 255 bytes of UTF-8 without control characters.
   */
  endpoint(name: string): RemoteEndpoint {
    return new RemoteEndpoint(this, name);
  }

  // ---- messages ----

  /** Sends one message on this side's message stream, opened on first use (SPEC 12). Waits while the peer is slow. */
  async send(message: Uint8Array, options: WriteOptions = {}): Promise<void> {
    options.signal?.throwIfAborted();
    // Nothing is awaited between the look and the opening: SPEC 12 has one message stream per side.
    for (;;) {
      this.#messageStream ??= this.#streams.tryOpen("messages");
      if (this.#messageStream !== undefined) break;
      await this.#told.openers.wait(options.signal);
    }
    await this.#messageStream.write(message, options);
  }

  /** The next message of any message stream of the peer, or null once the session has ended in order. */
  nextMessage(options: WaitOptions = {}): Promise<Message | null> {
    return this.#incoming.nextMessage(options.signal);
  }

  /** Messages of all message streams of the peer, until the session ends. */
  async *messages(options: WaitOptions = {}): AsyncGenerator<Message, void, void> {
    for (;;) {
      const message = await this.nextMessage(options);
      if (message === null) return;
      yield message;
    }
  }

  // ---- datagrams and custom frames ----

  /**
   * Largest payload of `sendDatagram` and `sendFrame` now; 0 when the peer takes none. It changes over UDP, where a packet
   * carries it whole: the `datagram-size` event tells. At least 1024 bytes always go, if the peer takes them. The path is
   * asked for more once something nearly as large was sent, or something larger refused.
   */
  get maxDatagramSize(): number {
    return this.#driver.connection.maxDatagramSize;
  }

  /**
   * Sends a datagram outside of flow control. False when 256 were waiting and the oldest was forgotten.
   *
   * @throws {SttError} `DATAGRAM_TOO_LARGE`, `CONFIG` (channel), or the error that ended the session.
   */
  sendDatagram(data: Uint8Array, options: { readonly channel?: number } = {}): boolean {
    this.#host.checkOpen();
    const kept = this.#driver.connection.sendDatagram(
      options.channel ?? 0,
      copyOf(data, "send datagram"),
    );
    this.#driver.schedule();
    return kept;
  }

  /** The next datagram, or null once the session has ended in order. At most 256 wait; the oldest are forgotten. */
  nextDatagram(options: WaitOptions = {}): Promise<Datagram | null> {
    return this.#incoming.nextDatagram(options.signal);
  }

  /** Datagrams of the peer, until the session ends. */
  async *datagrams(options: WaitOptions = {}): AsyncGenerator<Datagram, void, void> {
    for (;;) {
      const datagram = await this.nextDatagram(options);
      if (datagram === null) return;
      yield datagram;
    }
  }

  /**
   * Sends a frame of the application's own type, 0x80 to 0xff, with its own eight flags. Outside of flow control.
   *
   * @throws {SttError} `DATAGRAM_TOO_LARGE`, `CONFIG` (type, flags), or the error that ended the session.
   */
  sendFrame(
    type: number,
    payload: Uint8Array,
    options: { readonly flags?: number; readonly streamId?: number } = {},
  ): boolean {
    this.#host.checkOpen();
    const { flags = 0, streamId = 0 } = options;
    const kept = this.#driver.connection.sendFrame(
      type,
      copyOf(payload, "send frame"),
      flags,
      streamId,
    );
    this.#driver.schedule();
    return kept;
  }

  /**
   * Handles frames of one type, 0x80 to 0xff; returns a function that ends it. What arrived before the first handler
   * waits for it, at most 256 frames; after that frames that nobody handles are counted and forgotten.
   *
   * @throws {SttError} `CONFIG` for another type, or one that has a handler.
   */
  onFrame(type: number, handler: (frame: FrameEvent) => void): () => void {
    return this.#told.frames.add(type, handler);
  }

  // ---- session ----

  /** Round-trip time to the peer's session layer, in milliseconds. */
  async ping(options: WaitOptions = {}): Promise<number> {
    options.signal?.throwIfAborted();
    this.#host.checkOpen();
    const ping = this.#driver.connection.ping();
    this.#driver.schedule();
    return await this.#told.pings.wait(ping, options.signal);
  }

  /** Asks for new keys; the `rekey` event tells when they are in use. */
  rotateKeys(): void {
    this.#host.checkOpen();
    this.#driver.connection.rotateKeys();
    this.#driver.schedule();
  }

  /** Keying material equal on both sides: 1 to 8160 bytes for a label and a context (SPEC 6.2). */
  export(label: string, context: Uint8Array, length: number): Uint8Array {
    this.#host.checkOpen();
    return this.#driver.connection.exportKey(label, context, length);
  }

  /** Counters of the session. `unhandledFrames`: custom frames that nobody handled. */
  stats(): ConnectionStats & { readonly unhandledFrames: number } {
    const unhandledFrames = this.#told.frames.unhandled + this.#told.frames.waiting;
    return { ...this.#driver.connection.stats(), unhandledFrames };
  }

  /** Adds a listener; returns a function that removes it. */
  on<Name extends keyof PeerEvents>(
    name: Name,
    listener: (detail: PeerEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#told.events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof PeerEvents = keyof PeerEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<PeerEvents, Name>> {
    return this.#told.events.events(names, options);
  }

  /**
   * Sends what was written (at most `closeFlush` ms), closes, and resolves when the transport has ended. What the peer
   * had sent before can still be read.
   */
  async close(options: CloseOptions = {}): Promise<CloseFacts> {
    const code = options.code ?? 0;
    if (!Number.isSafeInteger(code) || code < 0 || (code > 0 && code < 0x100)) {
      throw new SttError(
        "CONFIG",
        `cannot close session: code ${code} is neither 0 nor 0x100 or above`,
      );
    }
    this.#driver.connection.close(this.#driver.now(), code, options.reason);
    this.#driver.schedule();
    await this.#driver.ended;
    return await this.closed;
  }

  /** Closes without sending what is still buffered. */
  abort(options: CloseOptions = {}): void {
    this.#driver.connection.abort(this.#driver.now(), options.code ?? 0, options.reason);
    this.#driver.schedule();
  }

  /** As `close()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** One event of the connection; `listen` and `connect` pass them on. */
  dispatch(event: ConnectionEvent): void {
    this.#told.dispatch(event);
  }
}
