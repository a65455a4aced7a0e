/**
 * One session from its first handshake message to its last frame, as a pure state machine.
 *
 * @module
 */
import {
  CLOSE_WAIT_MS,
  DEFAULT_ACCEPT_TIMEOUT_MS,
  FRAME_CONTROL,
  FRAME_CUSTOM_MAX,
  FRAME_CUSTOM_MIN,
  FRAME_DATA,
  FRAME_HANDSHAKE,
} from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import { StreamSet } from "../streams/stream_set.ts";
import {
  asSttError,
  checkCode,
  holdsSessionClose,
  localClose,
  localFailure,
  remoteClose,
  wireFailure,
} from "./closing.ts";
import type {
  AcceptConfig,
  AnswerConfig,
  ConnectionBase,
  ConnectionState,
  DialConfig,
} from "./roles.ts";
import { type ConnectionLimits, receiveBurst } from "./config.ts";
import type { CloseFacts, ConnectionEvent, CustomFrame, Datagram } from "./events.ts";
import { parseFrameHeader } from "../codec/frame.ts";
import type { AckRecord } from "../codec/records.ts";
import { EventQueue } from "./event_queue.ts";
import { FrameIntake } from "./frame_intake.ts";
import { Accepted, Answering, Dialling, type Handshaking } from "./handshaking.ts";
import { Inbound } from "./inbound.ts";
import { Liveness } from "./liveness.ts";
import { PingSet } from "./ping_set.ts";
import { type PathOptions, SessionCore } from "./session_core.ts";
import { type ConnectionStats, Counters } from "./stats.ts";

/** SPEC 6.2: what one Expand can give. */
const EXPORT_MAX_BYTES = 8160;

/**
 * A session over a reliable transport. The owner's one rule: after any call, `transmit` until undefined (as long as
 * the transport takes bytes), `nextEvent` until undefined, then one timer for `nextTimeout()`; when `finished`, close
 * the transport. Input from the network never makes it throw; commands throw {@link SttError} `CLOSED` when too late.
 */
export class Connection {
  /** Which side of the handshake this is. */
  readonly role: "initiator" | "responder";
  /** The session's streams; a command on it needs the owner's rule like a command here. */
  readonly streams: StreamSet;
  readonly #provider: CryptoProvider;
  readonly #limits: ConnectionLimits;
  readonly #intake: FrameIntake;
  readonly #events: EventQueue;
  readonly #counters: Counters = new Counters();
  readonly #pings: PingSet = new PingSet();
  readonly #liveness: Liveness;
  readonly #inbound: Inbound;
  readonly #handshake: Handshaking;
  readonly #acceptTimeout: number;
  /** Set where packets can be lost. */
  readonly #path: PathOptions | undefined;
  #state: ConnectionState = "handshaking";
  #session: HandshakeSession | undefined;
  #core: SessionCore | undefined;
  /** Ends the present state: handshake, accept hook, flush, wait for the peer's SESSION_CLOSE. */
  #deadline: number | undefined;
  #facts: CloseFacts | undefined;
  /** What `close()` was asked to say once everything is flushed. */
  #closeRequest: CloseFacts | undefined;
  #closeFrame: { readonly code: number; readonly reason: string } | undefined;
  /** The peer closed: our SESSION_CLOSE is the last frame, nothing is awaited. */
  #answering = false;
  /** UDP: SESSION_CLOSE goes again, because datagrams still come. */
  #repeatClose: { readonly code: number; readonly reason: string } | undefined;
  #closingDatagrams = 0;
  /** UDP: when SESSION_CLOSE goes again although nothing comes; a silent peer would else wait for its idle timeout. */
  #repeatCloseAt: number | undefined;
  /** What arrives cannot be read in order any more: until the end it is dropped. */
  #deaf = false;

  private constructor(
    base: ConnectionBase,
    nowMs: number,
    handshake: (counters: Counters) => Handshaking,
    acceptTimeout: number,
    path: PathOptions | undefined,
  ) {
    this.#path = path;
    this.#handshake = handshake(this.#counters);
    this.role = this.#handshake.role;
    this.#acceptTimeout = acceptTimeout;
    this.#provider = base.provider;
    this.#limits = base.limits;
    this.#intake = new FrameIntake(base.limits.maxData);
    this.#liveness = new Liveness(base.limits.keepAlive, nowMs);
    this.streams = new StreamSet({
      role: this.role,
      reliable: path === undefined,
      local: base.limits,
      maxMessageSize: base.limits.maxMessageSize,
      sendBuffer: base.limits.sendBuffer,
      burst: receiveBurst(path?.receiveBuffer ?? Infinity),
    });
    this.#events = new EventQueue(this.streams);
    this.#inbound = new Inbound(this.streams, {
      ping: (token) => void this.#pings.pongs.push(token),
      pong: (token, now) => this.#onPong(token, now),
      keyRotation: (epoch) => this.#core?.onPeerRotation(epoch),
      sessionClose: (code, reason, now) => this.#onSessionClose(code, reason, now),
      peerError: (stream, code, reason) =>
        void this.#events.push({ type: "peer-error", stream, code, reason }),
      pathChallenge: (token) => this.#core?.pathResponse(token),
      ack: (record, now) => this.#onAck(record, now),
    }, base.limits.maxDatagram);
  }

  /** Starts the initiator's side; `transmit` yields HELLO. */
  static dial(config: DialConfig, nowMs: number): Connection {
    const dialling = (): Dialling => new Dialling(config.handshake, nowMs);
    return new Connection(config, nowMs, dialling, 0, config.path);
  }

  /** Starts the responder's side of one transport connection; it waits for HELLO. */
  static answer(config: AnswerConfig, nowMs: number): Connection {
    return new Connection(
      config,
      nowMs,
      (counters) => new Answering(config, counters, nowMs),
      config.acceptTimeout ?? DEFAULT_ACCEPT_TIMEOUT_MS,
      undefined,
    );
  }

  /** The responder's side of a UDP session whose AUTH_PROOF has verified: `identified` is its first event. */
  static accepted(config: AcceptConfig, nowMs: number): Connection {
    const connection = new Connection(
      config,
      nowMs,
      () => new Accepted(config.acceptor, config.pending, config.rttMs),
      config.acceptTimeout ?? DEFAULT_ACCEPT_TIMEOUT_MS,
      config.path,
    );
    connection.#followHandshake(nowMs);
    return connection;
  }

  /** See {@link ConnectionState}. */
  get state(): ConnectionState {
    return this.#state;
  }

  /** True when the transport should be closed, once `transmit` is drained. */
  get finished(): boolean {
    return this.#state === "closed";
  }

  /** True while the owner should not read from the transport, because the accept hook decides. */
  get readPaused(): boolean {
    return this.#state === "deciding";
  }

  /** Session id, suite, version and facts of the peer, once it is authenticated. */
  get session(): HandshakeSession | undefined {
    return this.#session;
  }

  /** How the session ended or is ending. */
  get closeFacts(): CloseFacts | undefined {
    return this.#facts;
  }

  // ---- bytes in ----

  /** Bytes from the transport, in order, in any chunks; on UDP one datagram. The array must not change afterwards. */
  receive(bytes: Uint8Array, nowMs: number): void {
    if (this.#state === "closed") return;
    this.#counters.bytesReceived += bytes.length;
    if (this.#path !== undefined) {
      this.#datagram(bytes, nowMs);
      return;
    }
    if (this.#deaf) return;
    try {
      if (this.#state === "deciding") {
        this.#intake.hold(bytes);
      } else {
        this.#intake.push(bytes);
        this.#drain(nowMs);
      }
    } catch (error) {
      this.#refuseInput(error, nowMs);
    }
  }

  /** The end of one message of a message transport: a frame that goes on behind it is malformed (SPEC 4). */
  endOfMessage(nowMs: number): void {
    if (this.#state === "closed" || this.#deaf) return;
    if (this.#state === "deciding") {
      this.#intake.heldMessages = true;
      return;
    }
    try {
      this.#intake.endOfMessage();
    } catch (error) {
      this.#refuseInput(error, nowMs);
    }
  }

  /** UDP: the datagrams that lay ready were received; one decision about acknowledging them (SPEC 7). */
  endOfBatch(nowMs: number): void {
    this.#core?.transmission?.acks.endOfBatch(nowMs);
  }

  /** SPEC 4: the rest of a datagram is dropped at the first frame that does not parse. Nothing here ends a session by itself. */
  #datagram(bytes: Uint8Array, nowMs: number): void {
    if (this.#state === "deciding") {
      this.#hold(bytes);
      return;
    }
    if (this.#state === "closing") this.#answerClosing();
    for (let offset = 0; offset < bytes.length && !this.finished;) {
      const header = this.#intake.header;
      let end: number;
      try {
        end = parseFrameHeader(bytes, offset, bytes.length, this.#limits.maxFrame, header);
      } catch (error) {
        this.#counters.reject(asSttError(error).code);
        return;
      }
      const frame = bytes.subarray(offset, end);
      offset = end;
      this.#counters.framesReceived++;
      if (header.type !== FRAME_HANDSHAKE) {
        // The header's views count from the start of the frame.
        parseFrameHeader(frame, 0, frame.length, this.#limits.maxFrame, header);
        this.#packet(frame, nowMs);
      } else if (this.#state === "handshaking") {
        this.#handshake.receive(frame, nowMs);
        this.#followHandshake(nowMs);
      } else {
        this.#counters.reject("handshake");
      }
    }
  }

  #hold(bytes: Uint8Array): void {
    try {
      this.#intake.hold(bytes);
    } catch (error) {
      // What is not held is not acknowledged either, and comes again.
      this.#counters.reject(asSttError(error).code);
    }
  }

  #packet(frame: Uint8Array, nowMs: number): void {
    if (this.#core === undefined) {
      this.#counters.reject("early");
      return;
    }
    try {
      this.#protectedFrame(frame, nowMs);
    } catch (error) {
      this.#refuseInput(error, nowMs);
    }
  }

  /** SPEC 9: the 1st, 2nd, 4th, 8th … datagram after SESSION_CLOSE is answered by another one. */
  #answerClosing(): void {
    const facts = this.#facts;
    if (facts === undefined || this.#closeFrame !== undefined) return;
    const count = ++this.#closingDatagrams;
    if ((count & (count - 1)) === 0) this.#repeatClose = { code: facts.code, reason: facts.reason };
  }

  #onAck(record: AckRecord, nowMs: number): void {
    const transmission = this.#core?.transmission;
    if (transmission === undefined) {
      // SPEC 10: the transport acknowledges; an ACK here names packets that nobody tracks.
      throw new SttError("PROTOCOL", "cannot take ACK: the transport is reliable");
    }
    if (transmission.onAck(record, nowMs)) this.#pings.sample(transmission.rtt.latest);
    this.#followRtt();
  }

  /** The transport ended. `error`: why, when it did not end in order. */
  transportEnded(error?: SttError): void {
    if (this.#state === "closed") return;
    if (this.#facts === undefined) {
      const cause = error === undefined ? {} : { cause: error };
      const failure = this.#state === "handshaking"
        ? new SttError(
          "HANDSHAKE_TIMEOUT",
          "cannot open session: the transport ended before the handshake was complete (wrong " +
            "seed, a listener that is busy or refuses strangers, or no STT listener)",
          cause,
        )
        : new SttError("TRUNCATED", "session ended: the transport ended without a close", cause);
      this.#conclude(localFailure(failure));
    }
    this.#finish();
  }

  #drain(nowMs: number): void {
    while (this.#state !== "closed" && this.#state !== "deciding") {
      const frame = this.#intake.next();
      if (frame === undefined) return;
      this.#counters.framesReceived++;
      if (this.#intake.header.type === FRAME_HANDSHAKE) this.#handshakeFrame(frame, nowMs);
      else this.#protectedFrame(frame, nowMs);
    }
  }

  #handshakeFrame(frame: Uint8Array, nowMs: number): void {
    if (this.#state === "closing") return;
    if (this.#state !== "handshaking") {
      throw new SttError("PROTOCOL", "cannot take HANDSHAKE frame: the session is open");
    }
    this.#handshake.receive(frame, nowMs);
    this.#followHandshake(nowMs);
  }

  #followHandshake(nowMs: number): void {
    const { failure, session, refusal, rttMs, done } = this.#handshake;
    if (failure !== undefined) {
      this.#conclude(localFailure(failure));
      this.#finish();
      return;
    }
    if (this.#core === undefined && session !== undefined) {
      this.#open(session, nowMs);
      if (rttMs !== undefined) this.#sampleRtt(rttMs);
      if (this.role === "initiator") {
        this.#events.push({ type: "early", peer: session.peer });
      } else if (refusal !== undefined) {
        this.#fail(refusal, nowMs);
      } else {
        this.#state = "deciding";
        this.#deadline = nowMs + this.#acceptTimeout;
        this.#events.push({ type: "identified", peer: session.peer });
      }
    }
    if (done && this.#state === "handshaking") this.#establish(nowMs);
  }

  #open(session: HandshakeSession, nowMs: number): void {
    this.#session = session;
    this.#intake.maxBody = this.#limits.maxFrame;
    this.#core = new SessionCore({
      provider: this.#provider,
      session,
      limits: this.#limits,
      streams: this.streams,
      pings: this.#pings,
      nowMs,
      path: this.#path,
    });
    this.streams.setPeerLimits(session.peer.parameters);
  }

  #establish(nowMs: number): void {
    const session = this.#session as HandshakeSession;
    this.#state = "established";
    this.#deadline = undefined;
    this.#liveness.negotiate(this.#limits.maxIdle, session.peer.parameters.maxIdle, nowMs);
    this.#events.push({ type: "established", peer: session.peer });
  }

  #protectedFrame(frame: Uint8Array, nowMs: number): void {
    const core = this.#core;
    if (core === undefined) {
      throw new SttError("PROTOCOL", "cannot take frame: it is protected, but no session is open");
    }
    const { type, flags, streamId, sequence } = this.#intake.header;
    const epoch = core.recvEpoch;
    const payload = core.open(frame, this.#intake.header, nowMs, this.#counters);
    if (payload === undefined) return;
    this.#liveness.received(nowMs);
    if (this.#state === "closing") {
      if (type === FRAME_CONTROL && holdsSessionClose(payload)) this.#finish();
      return;
    }
    if (core.recvEpoch > Math.max(epoch, 0)) {
      this.#events.push({ type: "rekey", direction: "receive", epoch: core.recvEpoch });
    }
    // A protected frame of the session that verifies is an implicit FINAL (SPEC 6.3).
    this.#handshake.onSessionFrame(nowMs);
    const { datagrams, customFrames } = this.#inbound;
    const before = [datagrams.size, customFrames.size];
    this.#inbound.frame(type, flags, streamId, payload, nowMs);
    core.onFrame(sequence, this.#inbound.ackEliciting, this.#inbound.urgent, nowMs);
    if (before[0] === 0 && datagrams.size > 0) this.#events.push({ type: "datagram" });
    if (before[1] === 0 && customFrames.size > 0) this.#events.push({ type: "custom-frame" });
    if (this.#state === "handshaking") this.#establish(nowMs);
  }

  #onPong(token: Uint8Array, nowMs: number): void {
    const answers = this.#pings.answer(token, nowMs);
    this.#followRtt();
    for (const answer of answers) this.#events.push({ type: "pong", ...answer });
  }

  #sampleRtt(rttMs: number): void {
    this.#pings.sample(rttMs);
    this.#core?.transmission?.rtt.update(rttMs, 0);
    // The handshake's round trip holds key agreements too: it does not show that the path is long.
    this.streams.setRtt(rttMs, 0);
  }

  #followRtt(): void {
    const rtt = this.#core?.transmission?.rtt;
    if (rtt === undefined) {
      const { smoothed } = this.#pings.rtt();
      if (smoothed !== undefined) this.streams.setRtt(smoothed);
    } else {
      // Round trips on loopback are this machine's own slowness.
      this.streams.setRtt(rtt.smoothed, this.#path?.loopback === true ? 0 : rtt.min);
    }
  }

  // ---- bytes out ----

  /** The next frame for the transport, or undefined. The array belongs to the caller. */
  transmit(nowMs: number): Uint8Array | undefined {
    const frame = this.#nextFrame(nowMs);
    if (frame !== undefined) {
      this.#counters.bytesSent += frame.length;
      this.#counters.framesSent++;
      this.#liveness.sent(nowMs);
    }
    return frame;
  }

  #nextFrame(nowMs: number): Uint8Array | undefined {
    if (this.#state === "closed") return undefined;
    if (this.#state !== "closing") {
      const message = this.#handshake.transmit(nowMs);
      if (message !== undefined) return message;
    }
    const core = this.#core;
    if (core === undefined || this.#state === "deciding") return undefined;
    if (this.#state !== "closing") {
      try {
        const frame = core.build(nowMs, this.#state === "handshaking");
        this.#reportSendEpoch(core);
        if (frame !== undefined) return frame;
        if (this.#state === "flushing" && this.streams.isIdle() && !core.holdsWork) {
          this.#sendClose(nowMs);
        }
      } catch (error) {
        this.#fail(asSttError(error), nowMs);
      }
    }
    return this.#closingFrame(core, nowMs);
  }

  #closingFrame(core: SessionCore, nowMs: number): Uint8Array | undefined {
    const close = this.#closeFrame;
    if (close === undefined) {
      const repeat = this.#repeatClose;
      this.#repeatClose = undefined;
      if (repeat === undefined) return undefined;
      return core.closeFrame(repeat.code, repeat.reason, nowMs);
    }
    this.#closeFrame = undefined;
    const frame = core.closeFrame(close.code, close.reason, nowMs);
    if (this.#answering) this.#finish();
    else {
      this.#deadline = nowMs + this.#closeWait();
      if (core.transmission !== undefined) this.#repeatCloseAt = nowMs + core.transmission.ptoMs;
    }
    return frame;
  }

  /** How long the peer's SESSION_CLOSE is awaited (SPEC 9). */
  #closeWait(): number {
    const transmission = this.#core?.transmission;
    return transmission === undefined ? CLOSE_WAIT_MS : 3 * transmission.ptoMs;
  }

  #reportSendEpoch(core: SessionCore): void {
    const epoch = core.takeNewSendEpoch();
    if (epoch !== undefined) this.#events.push({ type: "rekey", direction: "send", epoch });
  }

  // ---- time ----

  /** When `onTimeout` must be called at the latest, in the clock of `nowMs`. */
  nextTimeout(): number | undefined {
    if (this.#state === "closed") return undefined;
    let next = this.#deadline ?? Infinity;
    const consider = (time: number | undefined): void => {
      if (time !== undefined && time < next) next = time;
    };
    if (this.#state === "handshaking") consider(this.#handshake.nextTimeout());
    if (this.#state === "established" || this.#state === "flushing") {
      consider(this.#idleAt());
      consider(this.#liveness.keepAliveAt());
    }
    // Nothing but SESSION_CLOSE is sent while closing: recovery and pacing would wake for nothing.
    if (this.#state === "closing") consider(this.#repeatCloseAt);
    else consider(this.#core?.nextTimeout());
    return next === Infinity ? undefined : next;
  }

  /** Handles what is due: call it when `nextTimeout` has passed. */
  onTimeout(nowMs: number): void {
    if (this.#state === "closed") return;
    if (this.#state !== "closing") this.#core?.onTimeout(nowMs);
    else this.#repeatSilentClose(nowMs);
    if (this.#state === "handshaking") {
      this.#handshake.onTimeout(nowMs);
      this.#followHandshake(nowMs);
      return;
    }
    if (this.#deadline !== undefined && nowMs >= this.#deadline) {
      this.#deadline = undefined;
      this.#onDeadline(nowMs);
    }
    if (this.#state !== "established" && this.#state !== "flushing") return;
    const idleAt = this.#idleAt();
    if (idleAt !== undefined && nowMs >= idleAt) {
      const text = `session ended: nothing arrived for ${this.#liveness.idleMs} ms`;
      this.#fail(new SttError("IDLE_TIMEOUT", text, { limit: this.#liveness.idleMs }), nowMs);
      return;
    }
    const keepAliveAt = this.#liveness.keepAliveAt();
    if (keepAliveAt !== undefined && nowMs >= keepAliveAt) {
      this.#pings.request(this.#provider.randomBytes(8));
      this.#liveness.keptAlive(nowMs);
    }
  }

  /** SPEC 9: never below 3 PTO. */
  #idleAt(): number | undefined {
    const transmission = this.#core?.transmission;
    return this.#liveness.idleAt(transmission === undefined ? 0 : 3 * transmission.ptoMs);
  }

  #repeatSilentClose(nowMs: number): void {
    const facts = this.#facts;
    const transmission = this.#core?.transmission;
    if (this.#repeatCloseAt === undefined || nowMs < this.#repeatCloseAt) return;
    if (facts === undefined || transmission === undefined) return;
    this.#repeatCloseAt = nowMs + transmission.ptoMs;
    this.#repeatClose = { code: facts.code, reason: facts.reason };
  }

  #onDeadline(nowMs: number): void {
    if (this.#state === "deciding") {
      this.refuse(nowMs, "the accept hook took too long");
    } else if (this.#state === "flushing") {
      this.#sendClose(nowMs);
    } else {
      this.#finish();
    }
  }

  // ---- events ----

  /** The next event; `closed` is always the last. */
  nextEvent(): ConnectionEvent | undefined {
    return this.#events.next();
  }

  /** The oldest datagram that was received; at most 256 wait. */
  nextDatagram(): Datagram | undefined {
    return this.#inbound.datagrams.shift();
  }

  /** The oldest custom frame that was received; at most 256 wait. */
  nextCustomFrame(): CustomFrame | undefined {
    return this.#inbound.customFrames.shift();
  }

  // ---- commands ----

  /** Answers `identified` with yes: FINAL goes out and what came early is delivered. */
  accept(nowMs: number): void {
    if (this.#state !== "deciding") throw this.#tooLate("accept");
    this.#handshake.accept(nowMs);
    this.#establish(nowMs);
    // SPEC 6.3: a protected frame is an implicit FINAL; recovery repeats this one for as long as it takes.
    if (this.#path !== undefined) this.#pings.request(this.#provider.randomBytes(8));
    try {
      this.#drain(nowMs);
      if (this.#intake.heldMessages) this.#intake.endOfMessage();
    } catch (error) {
      this.#refuseInput(error, nowMs);
    }
    for (const bytes of this.#intake.release()) {
      this.#counters.bytesReceived -= bytes.length;
      this.receive(bytes, nowMs);
      if (this.#intake.heldMessages) this.endOfMessage(nowMs);
    }
    this.endOfBatch(nowMs);
  }

  /** Answers `identified` with no: the peer learns REFUSED. */
  refuse(nowMs: number, reason = "refused by the listener"): void {
    if (this.#state !== "deciding") throw this.#tooLate("refuse");
    this.#fail(new SttError("REFUSED", reason), nowMs);
  }

  /** Largest payload of `sendDatagram` and `sendFrame` now; 0 before the peer is known or when it takes none. */
  get maxDatagramSize(): number {
    return this.#core?.maxDatagramSize ?? 0;
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
    const kept = this.#usable("send frame").queueFrame({ type, flags, streamId, payload });
    this.#counters.datagramsSent++;
    return kept;
  }

  /** Queues a PING; the `pong` event repeats the returned number. */
  ping(): number {
    this.#usable("ping");
    return this.#pings.request(this.#provider.randomBytes(8));
  }

  /** Asks for new keys in our sending direction; the peer follows. */
  rotateKeys(): void {
    this.#usable("rotate keys").requestRotation();
  }

  /** Tells the peer of an error without consequence (ERROR record). `stream` 0 is the session. */
  reportError(stream: number, code: number, reason: string): void {
    this.#usable("report error").reportError(stream, code, reason);
  }

  /**
   * Keying material for the application, equal on both sides (SPEC 6.2).
   *
   * @throws {SttError} `CLOSED` without a session; `CONFIG` for lengths outside 1 to 8160.
   */
  exportKey(label: string, context: Uint8Array, length: number): Uint8Array {
    this.#usable("export key");
    if (!Number.isInteger(length) || length < 1 || length > EXPORT_MAX_BYTES) {
      throw new SttError("CONFIG", `cannot export key: ${length} bytes are outside 1 to 8160`, {
        limit: EXPORT_MAX_BYTES,
      });
    }
    return (this.#session as HandshakeSession).secrets.export(label, context, length);
  }

  /**
   * Sends what was written (at most `closeFlush` ms), then SESSION_CLOSE, and waits up to 1 s for the peer's.
   *
   * @throws {SttError} `CONFIG` for a code that is no whole number from 0 to 2^53-1.
   */
  close(nowMs: number, code = 0, reason = ""): void {
    checkCode(code);
    if (this.#state === "flushing") return;
    if (this.#state === "established" && this.#limits.closeFlush > 0) {
      this.#state = "flushing";
      this.#closeRequest = localClose(code, reason);
      this.#deadline = nowMs + this.#limits.closeFlush;
      return;
    }
    this.abort(nowMs, code, reason);
  }

  /** As `close`, at once; what was written and not sent is lost. */
  abort(nowMs: number, code = 0, reason = ""): void {
    checkCode(code);
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#closeRequest = localClose(code, reason);
    if (this.#state === "deciding") this.#refuseHandshake(nowMs);
    this.#sendClose(nowMs);
  }

  #usable(what: string): SessionCore {
    const core = this.#core;
    const open = this.#state === "established" ||
      (this.#state === "handshaking" && this.role === "initiator");
    if (core === undefined || !open) throw this.#tooLate(what);
    return core;
  }

  #tooLate(what: string): SttError {
    return new SttError("CLOSED", `cannot ${what}: the session is ${this.#state}`);
  }

  // ---- the end ----

  /** What came from the peer cannot be taken. */
  #refuseInput(error: unknown, nowMs: number): void {
    const failure = asSttError(error);
    this.#counters.reject(failure.code);
    if (this.#state === "closing") {
      // SPEC 7: SESSION_CLOSE is still sent, whatever else arrives before the transport takes it.
      if (this.#closeFrame === undefined) this.#finish();
      else this.#deaf = true;
    } else if (this.#core === undefined) {
      this.#conclude(localFailure(failure));
      this.#finish();
    } else {
      this.#fail(wireFailure(failure), nowMs);
      // Behind the wrong frame may come the peer's SESSION_CLOSE.
      if (!this.#deaf) this.#drainRest(nowMs);
    }
  }

  #drainRest(nowMs: number): void {
    try {
      this.#drain(nowMs);
    } catch (error) {
      this.#refuseInput(error, nowMs);
    }
  }

  #fail(error: SttError, nowMs: number): void {
    const facts = this.#conclude(localFailure(error));
    if (this.#state === "deciding") this.#refuseHandshake(nowMs);
    this.#events.close(facts);
    this.#sendClose(nowMs);
  }

  /** What was held back is not looked at, so that nothing behind it can be. */
  #refuseHandshake(nowMs: number): void {
    this.#deaf = true;
    this.#intake.release();
    this.#handshake.refuse(nowMs);
  }

  /** The first facts count. `complete` is decided here: what is still buffered now never leaves. */
  #conclude(facts: CloseFacts): CloseFacts {
    const complete = this.streams.stats().sendBuffered === 0;
    return this.#facts ??= { ...facts, complete };
  }

  #onSessionClose(code: number, reason: string, nowMs: number): void {
    this.#answering = true;
    this.#events.close(this.#conclude(remoteClose(code, reason)));
    this.#closeFrame = { code: 0, reason: "" };
    this.#state = "closing";
    this.#deadline = nowMs + CLOSE_WAIT_MS;
  }

  #sendClose(nowMs: number): void {
    const facts = this.#conclude(this.#closeRequest ?? localClose(0, ""));
    if (this.#core === undefined) {
      this.#finish();
      return;
    }
    this.#closeFrame = { code: facts.code, reason: facts.reason };
    this.#state = "closing";
    // A transport that takes nothing must not keep the session: the wait begins now and anew when the frame is out.
    this.#deadline = nowMs + CLOSE_WAIT_MS;
  }

  #finish(): void {
    this.#events.close(this.#conclude(localClose(0, "")));
    this.#state = "closed";
    this.#deadline = undefined;
    this.#closeFrame = undefined;
    this.#intake.release();
    this.#core?.wipe();
    this.#handshake.destroy();
  }

  /** A snapshot of the counters. */
  stats(): ConnectionStats {
    return this.#counters.snapshot({
      state: this.#state,
      session: this.#session,
      core: this.#core,
      rtt: this.#pings.rtt(),
      streams: this.streams.stats(),
      inbound: this.#inbound,
    });
  }
}
