/**
 * One session from its first handshake message to its last frame, as a pure state machine.
 *
 * @module
 */
import {
  DEFAULT_ACCEPT_TIMEOUT_MS,
  FRAME_CUSTOM_MAX,
  FRAME_CUSTOM_MIN,
  FRAME_DATA,
} from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import { DatagramReceiver } from "./datagram_receiver.ts";
import { EventQueue } from "./event_queue.ts";
import type { CloseFacts, ConnectionEvent, CustomFrame, Datagram } from "./events.ts";
import { FrameSender } from "./frame_sender.ts";
import type { PathAddress } from "./recovery/path.ts";
import { Profile } from "./profile.ts";
import { Route } from "./route.ts";
import { FrameReceiver, type Receiver } from "./frame_receiver.ts";
import { Accepted, Answering, answeringOf, Dialling, type Handshaking } from "./handshaking.ts";
import { Lifecycle } from "./lifecycle.ts";
import type {
  AcceptConfig,
  AnswerConfig,
  ConnectionBase,
  ConnectionState,
  DialConfig,
} from "./roles.ts";
import type { PathOptions } from "./session_core.ts";
import { type ConnectionStats, Counters } from "./stats.ts";
import { StreamReceiver } from "./stream_receiver.ts";
import { streamsOf } from "./streams_of.ts";
import { ConnectionTrace } from "./tracing.ts";

/** SPEC 6.2: what one Expand can give. */
const EXPORT_MAX_BYTES = 8160;

/**
 * A session over a reliable transport, or over UDP. The owner's one rule: after any call, `transmit` until undefined (as
 * long as the transport takes bytes), `nextEvent` until undefined, then one timer for `nextTimeout()`; when `finished`,
 * close the transport. Input from the network never makes it throw; commands throw {@link SttError} `CLOSED` when too
 * late.
 */
export class Connection {
  /** Which side of the handshake this is. */
  readonly role: "initiator" | "responder";
  /** The session's streams; a command on it needs the owner's rule like a command here. */
  readonly streams: StreamSet;
  readonly #provider: CryptoProvider;
  readonly #events: EventQueue;
  readonly #counters: Counters;
  readonly #lifecycle: Lifecycle;
  readonly #frames: FrameReceiver;
  readonly #receiver: Receiver;
  readonly #sender: FrameSender;
  /** UDP alone. */
  readonly #route: Route | undefined;
  readonly #trace: ConnectionTrace | undefined;
  readonly #profile: Profile | undefined;

  private constructor(
    role: Connection["role"],
    base: ConnectionBase,
    nowMs: number,
    handshake: (counters: Counters) => Handshaking,
    acceptTimeoutMs: number,
    path: PathOptions | undefined,
  ) {
    const { provider, limits, tracer } = base;
    const trace = tracer && new ConnectionTrace(tracer, role, nowMs);
    const counters = new Counters(trace);
    const handshaking = handshake(counters);
    this.role = role;
    this.#counters = counters;
    this.#trace = trace;
    this.#provider = provider;
    const profile = this.#profile = base.profile && new Profile(base.profile);
    const streams = streamsOf(role, limits, path, trace, profile);
    const events = new EventQueue(streams, trace);
    this.streams = streams;
    this.#events = events;
    const random = (length: number): Uint8Array => provider.randomBytes(length);
    const route = path && new Route(path, limits.migrate, random, events, trace);
    const lifecycle = new Lifecycle(
      {
        provider,
        limits,
        handshake: handshaking,
        streams,
        events,
        counters,
        acceptTimeoutMs,
        path,
        route,
        trace,
        keyLog: base.keyLog,
        profile,
      },
      nowMs,
    );
    const { maxDatagram, maxFrame } = limits;
    // One object for both, and nothing spread: a session of its own shape would take more memory.
    const parts = { lifecycle, streams, events, counters, maxDatagram, route, trace };
    const frames = new FrameReceiver(parts);
    this.#lifecycle = lifecycle;
    this.#frames = frames;
    this.#route = route;
    this.#sender = new FrameSender(parts);
    this.#receiver = route === undefined
      ? new StreamReceiver(lifecycle, frames, counters, limits)
      : new DatagramReceiver({ lifecycle, frames, counters, route, provider, maxFrame });
  }

  /** Starts the initiator's side; `transmit` yields HELLO. */
  static dial(config: DialConfig, nowMs: number): Connection {
    const dialling = (): Dialling => new Dialling(config.handshake, nowMs);
    return new Connection("initiator", config, nowMs, dialling, 0, config.path);
  }

  /** Starts the responder's side of one transport connection; it waits for HELLO. */
  static answer(config: AnswerConfig, nowMs: number): Connection {
    return new Connection(
      "responder",
      config,
      nowMs,
      (counters) => new Answering(answeringOf(config), counters, nowMs),
      config.acceptTimeout ?? DEFAULT_ACCEPT_TIMEOUT_MS,
      undefined,
    );
  }

  /** The responder's side of a UDP session whose AUTH_PROOF has verified: `identified` is its first event. */
  static accepted(config: AcceptConfig, nowMs: number): Connection {
    const connection = new Connection(
      "responder",
      config,
      nowMs,
      () => new Accepted(config.acceptor, config.pending, config.rttMs),
      config.acceptTimeout ?? DEFAULT_ACCEPT_TIMEOUT_MS,
      config.path,
    );
    connection.#lifecycle.followHandshake(nowMs);
    return connection;
  }

  /** See {@link ConnectionState}. */
  get state(): ConnectionState {
    return this.#lifecycle.state;
  }

  /** True when the transport should be closed, once `transmit` is drained. */
  get finished(): boolean {
    return this.#lifecycle.state === "closed";
  }

  /** Responder: true once HELLO was answered with RESPONSE, so that its sender holds the seed. */
  get answered(): boolean {
    return this.#lifecycle.handshake.answered;
  }

  /** True while the owner should not read from the transport, because the accept hook decides. */
  get readPaused(): boolean {
    return this.#lifecycle.state === "deciding";
  }

  /** Session id, suite, version and facts of the peer, once it is authenticated. */
  get session(): HandshakeSession | undefined {
    return this.#lifecycle.session;
  }

  /** How the session ended or is ending. */
  get closeFacts(): CloseFacts | undefined {
    return this.#lifecycle.ending.facts;
  }

  // ---- bytes in ----

  /**
   * Bytes from the transport, in order, in any chunks; on UDP one datagram, with the address it came from. The array must
   * not change afterwards.
   */
  receive(bytes: Uint8Array, nowMs: number, host: string = "", port: number = 0): void {
    if (this.finished) return;
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    this.#counters.bytesReceived += bytes.length;
    this.#receiver.receive(bytes, nowMs, host, port);
    this.#forgetHeld();
  }

  /** The end of one message of a message transport: a frame that goes on behind it is malformed (SPEC 4). */
  endOfMessage(nowMs: number): void {
    this.#receiver.endOfMessage(nowMs);
    this.#forgetHeld();
  }

  /** UDP: the datagrams that lay ready were received; one decision about acknowledging them (SPEC 7). */
  endOfBatch(nowMs: number): void {
    this.#receiver.endOfBatch(nowMs);
  }

  /** The transport ended. `error`: why, when it did not end in order. */
  transportEnded(error?: SttError): void {
    this.#lifecycle.transportEnded(error);
    this.#forgetHeld();
  }

  /** What was held for the accept hook is of no use once that said no. */
  #forgetHeld(): void {
    if (this.#lifecycle.deaf || this.finished) this.#receiver.release();
  }

  // ---- bytes out ----

  /** The next frame for the transport, or undefined. The array belongs to the caller. */
  transmit(nowMs: number): Uint8Array | undefined {
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    const frame = this.#sender.next(nowMs);
    if (frame !== undefined) {
      this.#counters.bytesSent += frame.length;
      this.#counters.framesSent++;
      this.#lifecycle.liveness.sent(nowMs);
    }
    return frame;
  }

  /**
   * UDP: nothing waits but acknowledgements and other records, AUTH_PROOF or FINAL, which may share a datagram with what
   * the application says to what it was just told.
   */
  get mayWait(): boolean {
    const { state, core } = this.#lifecycle;
    return (state === "established" || state === "handshaking") && core?.mayWait === true;
  }

  /** UDP: something is on its way that the peer has to acknowledge. */
  get awaitsAcknowledgement(): boolean {
    return this.#lifecycle.core?.transmission?.oldestInFlight !== undefined;
  }

  /** A frame that `transmit` returned was sent, and nobody holds it: it may be written again. */
  recycle(frame: Uint8Array): void {
    this.#lifecycle.core?.recycle(frame);
  }

  /**
   * UDP: where the frame that `transmit` returned last must go. Usually the same object, where the peer is; PATH records
   * go to other addresses too.
   */
  get target(): PathAddress | undefined {
    return this.#route?.target;
  }

  // ---- time ----

  /** When `onTimeout` must be called at the latest, in the clock of `nowMs`. */
  nextTimeout(): number | undefined {
    return this.#lifecycle.nextTimeout();
  }

  /** Handles what is due: call it when `nextTimeout` has passed. */
  onTimeout(nowMs: number): void {
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    this.#lifecycle.onTimeout(nowMs);
    this.#forgetHeld();
  }

  // ---- events ----

  /** The next event; `closed` is always the last. */
  nextEvent(): ConnectionEvent | undefined {
    return this.#events.next();
  }

  /** The oldest datagram that was received; at most 256 wait. */
  nextDatagram(): Datagram | undefined {
    return this.#frames.inbound.datagrams.shift();
  }

  /** The oldest custom frame that was received; at most 256 wait. */
  nextCustomFrame(): CustomFrame | undefined {
    return this.#frames.inbound.customFrames.shift();
  }

  // ---- commands ----

  /** Answers `identified` with yes: FINAL goes out and what came early is delivered. */
  accept(nowMs: number): void {
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    this.#lifecycle.accept(nowMs);
    this.#receiver.resume(nowMs);
  }

  /** Answers `identified` with no: the peer learns REFUSED. */
  refuse(nowMs: number, reason = "refused by the listener"): void {
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    this.#lifecycle.refuse(nowMs, reason);
    this.#forgetHeld();
  }

  /** Largest payload of `sendDatagram` and `sendFrame` now; 0 before the peer is known or when it takes none. */
  get maxDatagramSize(): number {
    return this.#lifecycle.core?.maxDatagramSize ?? 0;
  }

  /**
   * Queues a DATA frame on `channel` (0 to 2^32-1). False when the queue of 256 was full and forgot its oldest entry.
   *
   * @throws {SttError} `DATAGRAM_TOO_LARGE`, `CONFIG` (channel), `CLOSED`.
   */
  sendDatagram(channel: number, data: Uint8Array): boolean {
    return this.#sendFrame(FRAME_DATA, 0, channel, data);
  }

  /**
   * Queues a frame of the application's own type (0x80 to 0xff) with its own eight flags.
   *
   * @throws {SttError} `DATAGRAM_TOO_LARGE`, `CONFIG` (type, flags, stream id), `CLOSED`.
   */
  sendFrame(type: number, payload: Uint8Array, flags = 0, streamId = 0): boolean {
    if (!Number.isInteger(type) || type < FRAME_CUSTOM_MIN || type > FRAME_CUSTOM_MAX) {
      throw new SttError("CONFIG", `cannot send frame: type ${type} is outside 128 to 255`);
    }
    return this.#sendFrame(type, flags, streamId, payload);
  }

  #sendFrame(type: number, flags: number, streamId: number, payload: Uint8Array): boolean {
    const frame = { type, flags, streamId, payload };
    const kept = this.#lifecycle.usable("send frame").queueFrame(frame);
    this.#counters.datagramsSent++;
    return kept;
  }

  /** Queues a PING; the `pong` event repeats the returned number. */
  ping(): number {
    this.#lifecycle.usable("ping");
    return this.#lifecycle.pings.request(this.#provider.randomBytes(8));
  }

  /** Asks for new keys in our sending direction; the peer follows. */
  rotateKeys(): void {
    this.#lifecycle.usable("rotate keys").requestRotation();
  }

  /** Tells the peer of an error without consequence (ERROR record). `stream` 0 is the session. */
  reportError(stream: number, code: number, reason: string): void {
    this.#lifecycle.usable("report error").reportError(stream, code, reason);
  }

  /**
   * Keying material for the application, equal on both sides (SPEC 6.2).
   *
   * @throws {SttError} `CLOSED` without a session; `CONFIG` for lengths outside 1 to 8160.
   */
  exportKey(label: string, context: Uint8Array, length: number): Uint8Array {
    this.#lifecycle.usable("export key");
    if (!Number.isInteger(length) || length < 1 || length > EXPORT_MAX_BYTES) {
      throw new SttError("CONFIG", `cannot export key: ${length} bytes are outside 1 to 8160`, {
        limit: EXPORT_MAX_BYTES,
      });
    }
    return (this.#lifecycle.session as HandshakeSession).secrets.export(label, context, length);
  }

  /**
   * Sends what was written (at most `closeFlush` ms), then SESSION_CLOSE, and waits up to 1 s for the peer's.
   *
   * @throws {SttError} `CONFIG` for a code that is no whole number from 0 to 2^53-1.
   */
  close(nowMs: number, code = 0, reason = ""): void {
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    this.#lifecycle.close(nowMs, code, reason);
    this.#forgetHeld();
  }

  /** As `close`, at once; what was written and not sent is lost. */
  abort(nowMs: number, code = 0, reason = ""): void {
    if (this.#trace !== undefined) this.#trace.nowMs = nowMs;
    this.#lifecycle.abort(nowMs, code, reason);
    this.#forgetHeld();
  }

  /** A snapshot of the counters. */
  stats(): ConnectionStats {
    const { state, session, core, pings } = this.#lifecycle;
    return this.#counters.snapshot({
      state,
      session,
      core,
      rtt: pings.rtt(),
      streams: this.streams.stats(),
      inbound: this.#frames.inbound,
      migrations: this.#route?.migrations ?? 0,
      profile: this.#profile?.snapshot(),
    });
  }
}
