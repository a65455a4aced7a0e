/**
 * The states of one connection, and what moves it from one to the next.
 *
 * @module
 */
import { CLOSE_WAIT_MS, CLOSE_WAIT_UDP_MS } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { ERRORS, SttError } from "../errors.ts";
import type { HandshakeSession } from "../handshake/types.ts";
import type { KeyLog } from "../session/key_log.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import {
  asSttError,
  checkCode,
  localClose,
  localFailure,
  remoteClose,
  wireFailure,
} from "./closing.ts";
import type { ConnectionLimits } from "./config.ts";
import { Ending } from "./ending.ts";
import type { EventQueue } from "./event_queue.ts";
import type { CloseFacts } from "./events.ts";
import type { Handshaking } from "./handshaking.ts";
import { Liveness } from "./liveness.ts";
import { PingSet } from "./ping_set.ts";
import type { Profile } from "./profile.ts";
import type { ConnectionState } from "./roles.ts";
import type { Route } from "./route.ts";
import { type PathOptions, SessionCore } from "./session_core.ts";
import type { Counters } from "./stats.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** What a lifecycle works with. */
export interface LifecycleParts {
  readonly provider: CryptoProvider;
  readonly limits: ConnectionLimits;
  readonly handshake: Handshaking;
  readonly streams: StreamSet;
  readonly events: EventQueue;
  readonly counters: Counters;
  readonly acceptTimeoutMs: number;
  /** Set where packets can be lost, like `route`. */
  readonly path: PathOptions | undefined;
  readonly route: Route | undefined;
  readonly trace: ConnectionTrace | undefined;
  readonly keyLog: KeyLog | undefined;
  readonly profile: Profile | undefined;
}

/** One session from the start of its handshake to its end. */
export class Lifecycle {
  state: ConnectionState = "handshaking";
  /** Set once the peer is authenticated, like `core`. */
  session: HandshakeSession | undefined;
  core: SessionCore | undefined;
  /** What arrives cannot be read in order any more: until the end it is dropped. */
  deaf = false;
  readonly handshake: Handshaking;
  readonly pings: PingSet;
  readonly liveness: Liveness;
  readonly ending: Ending = new Ending();
  readonly #parts: LifecycleParts;
  /** Ends the present state: accept hook, flush, wait for the peer's SESSION_CLOSE. */
  #deadline: number | undefined;

  constructor(parts: LifecycleParts, nowMs: number) {
    this.#parts = parts;
    this.handshake = parts.handshake;
    this.pings = new PingSet(parts.profile?.rtt);
    this.liveness = new Liveness(parts.limits.keepAlive, nowMs);
  }

  // ---- opening ----

  /** A handshake message was taken: acts on what came of it. */
  followHandshake(nowMs: number): void {
    const { failure, session, refusal, rttMs, done, role } = this.handshake;
    const { events, acceptTimeoutMs } = this.#parts;
    if (failure !== undefined) {
      this.#conclude(localFailure(failure));
      this.finish();
      return;
    }
    if (this.core === undefined && session !== undefined) {
      this.#open(session, nowMs);
      if (rttMs !== undefined) this.#sampleRtt(rttMs);
      if (role === "initiator") {
        events.push({ type: "early", peer: session.peer });
      } else if (refusal !== undefined) {
        this.fail(refusal, nowMs);
      } else {
        this.state = "deciding";
        this.#deadline = nowMs + acceptTimeoutMs;
        events.push({ type: "identified", peer: session.peer });
      }
    }
    if (done && this.state === "handshaking") this.establish(nowMs);
  }

  #open(session: HandshakeSession, nowMs: number): void {
    const { provider, limits, streams, path, trace, keyLog, profile } = this.#parts;
    trace?.authenticated(session);
    this.session = session;
    this.core = new SessionCore({
      provider,
      session,
      limits,
      streams,
      pings: this.pings,
      nowMs,
      path,
      trace,
      keyLog,
      profile,
    });
    streams.setPeerLimits(session.peer.parameters);
  }

  #sampleRtt(rttMs: number): void {
    this.pings.sample(rttMs);
    this.core?.transmission?.rtt.update(rttMs, 0);
    // The handshake's round trip holds key agreements too: it does not show that the path is long.
    this.#parts.streams.setRtt(rttMs, 0);
  }

  /** The estimate of the round-trip time changed: the receive windows follow it. */
  followRtt(): void {
    const { streams, path } = this.#parts;
    const rtt = this.core?.transmission?.rtt;
    if (rtt === undefined) {
      const { smoothed } = this.pings.rtt();
      if (smoothed !== undefined) streams.setRtt(smoothed);
    } else {
      // Round trips on loopback are this machine's own slowness.
      streams.setRtt(rtt.smoothed, path?.loopback === true ? 0 : rtt.min);
    }
  }

  /** Both sides agree that the session stands. */
  establish(nowMs: number): void {
    const { limits, events } = this.#parts;
    const { peer } = this.session as HandshakeSession;
    this.state = "established";
    this.#deadline = undefined;
    this.liveness.negotiate(limits.maxIdle, peer.parameters.maxIdle, nowMs);
    this.#parts.trace?.step("established", this.session);
    events.push({ type: "established", peer });
  }

  /** The accept hook said yes. */
  accept(nowMs: number): void {
    if (this.state !== "deciding") throw this.tooLate("accept");
    this.handshake.accept(nowMs);
    this.#parts.trace?.step("accepted");
    this.establish(nowMs);
    const { path, provider } = this.#parts;
    // SPEC 6.3: a protected frame is an implicit FINAL; recovery repeats this one for as long as it takes.
    if (path !== undefined) this.pings.request(provider.randomBytes(8));
  }

  /** The accept hook said no. */
  refuse(nowMs: number, reason: string): void {
    if (this.state !== "deciding") throw this.tooLate("refuse");
    this.fail(new SttError("REFUSED", reason), nowMs);
  }

  // ---- time ----

  nextTimeout(): number | undefined {
    if (this.state === "closed") return undefined;
    let next = this.#deadline ?? Infinity;
    const consider = (time: number | undefined): void => {
      if (time !== undefined && time < next) next = time;
    };
    if (this.state === "handshaking") consider(this.handshake.nextTimeout());
    if (this.state === "established" || this.state === "flushing") {
      consider(this.#idleAt());
      consider(this.liveness.keepAliveAt());
      consider(this.#askAt());
    }
    // Nothing but SESSION_CLOSE is sent while closing: recovery and pacing would wake for nothing.
    if (this.state === "closing") {
      consider(this.ending.nextTimeout());
    } else {
      consider(this.core?.nextTimeout());
      consider(this.#parts.route?.nextTimeout());
    }
    return next === Infinity ? undefined : next;
  }

  onTimeout(nowMs: number): void {
    if (this.state === "closed") return;
    if (this.state !== "closing") {
      this.core?.onTimeout(nowMs);
      this.#parts.route?.onTimeout(nowMs);
    } else this.ending.onTimeout(nowMs, this.core?.transmission?.ptoMs ?? CLOSE_WAIT_MS);
    if (this.state === "handshaking") {
      this.handshake.onTimeout(nowMs);
      this.followHandshake(nowMs);
      return;
    }
    if (this.#deadline !== undefined && nowMs >= this.#deadline) {
      this.#deadline = undefined;
      this.#onDeadline(nowMs);
    }
    if (this.state === "established" || this.state === "flushing") this.#checkLiveness(nowMs);
  }

  #onDeadline(nowMs: number): void {
    if (this.state === "deciding") {
      this.refuse(nowMs, "the accept hook took too long");
    } else if (this.state === "flushing") {
      this.sendClose(nowMs);
    } else {
      this.finish();
    }
  }

  #checkLiveness(nowMs: number): void {
    const { liveness } = this;
    const idleAt = this.#idleAt();
    if (idleAt !== undefined && nowMs >= idleAt) {
      const text = `session ended: nothing arrived for ${liveness.idleMs} ms`;
      this.fail(new SttError("IDLE_TIMEOUT", text, { limit: liveness.idleMs }), nowMs);
      return;
    }
    const keepAliveAt = liveness.keepAliveAt();
    if (keepAliveAt !== undefined && nowMs >= keepAliveAt) {
      this.pings.request(this.#parts.provider.randomBytes(8));
      liveness.keptAlive(nowMs);
    }
    const askAt = this.#askAt();
    if (askAt !== undefined && nowMs >= askAt) {
      this.pings.request(this.#parts.provider.randomBytes(8));
      liveness.asked();
    }
  }

  /** UDP alone: elsewhere no address changes under way. */
  #askAt(): number | undefined {
    const transmission = this.core?.transmission;
    return transmission === undefined ? undefined : this.liveness.askAt(transmission.ptoMs);
  }

  /** SPEC 9: never below 3 PTO. */
  #idleAt(): number | undefined {
    const transmission = this.core?.transmission;
    return this.liveness.idleAt(transmission === undefined ? 0 : 3 * transmission.ptoMs);
  }

  // ---- the end ----

  /** Flushes and closes; `abort` is the same at once. */
  close(nowMs: number, code: number, reason: string): void {
    checkCode(code);
    if (this.state === "flushing") return;
    const { closeFlush } = this.#parts.limits;
    if (this.state === "established" && closeFlush > 0) {
      this.state = "flushing";
      this.ending.request = localClose(code, reason);
      this.#deadline = nowMs + closeFlush;
      return;
    }
    this.abort(nowMs, code, reason);
  }

  abort(nowMs: number, code: number, reason: string): void {
    checkCode(code);
    if (this.state === "closing" || this.state === "closed") return;
    this.ending.request = localClose(code, reason);
    if (this.state === "deciding") this.#refuseHandshake(nowMs);
    this.sendClose(nowMs);
  }

  /** What came from the peer cannot be taken. */
  refuseInput(error: unknown, nowMs: number): void {
    const failure = asSttError(error);
    this.#parts.counters.reject(failure.code);
    if (this.state === "closing") {
      // SPEC 7: SESSION_CLOSE is still sent, whatever else arrives before the transport takes it.
      if (this.ending.waiting) this.deaf = true;
      else this.finish();
    } else if (this.core === undefined) {
      this.#conclude(localFailure(failure));
      this.finish();
    } else {
      this.fail(wireFailure(failure), nowMs);
    }
  }

  /** The session ends with this error of ours. */
  fail(error: SttError, nowMs: number): void {
    const facts = this.#conclude(localFailure(error));
    if (this.state === "deciding") this.#refuseHandshake(nowMs);
    this.#parts.events.close(facts);
    this.sendClose(nowMs);
  }

  /** SESSION_CLOSE is on its way. */
  closeSent(nowMs: number): void {
    const { ending } = this;
    if (ending.answering) {
      this.finish();
      return;
    }
    const transmission = this.core?.transmission;
    // How long the peer's SESSION_CLOSE is awaited (SPEC 9).
    this.#deadline = nowMs +
      (transmission === undefined
        ? CLOSE_WAIT_MS
        : Math.min(3 * transmission.ptoMs, CLOSE_WAIT_UDP_MS));
    if (transmission !== undefined) ending.repeatAt(nowMs + transmission.ptoMs);
  }

  /** The peer's SESSION_CLOSE. */
  onSessionClose(code: number, reason: string, nowMs: number): void {
    const { ending } = this;
    ending.answering = true;
    this.#parts.events.close(this.#conclude(remoteClose(code, reason)));
    ending.say({ code: 0, reason: "" });
    this.state = "closing";
    this.#deadline = nowMs + CLOSE_WAIT_MS;
  }

  /** The peer lost the state of the session and said so (SPEC 7.7). */
  onStatelessReset(): void {
    this.#conclude(remoteClose(ERRORS.RESET_BY_PEER.wire as number, ""));
    this.finish();
  }

  /** The transport ended. `error`: why, when it did not end in order. */
  transportEnded(error: SttError | undefined): void {
    if (this.state === "closed") return;
    const cause = error === undefined ? {} : { cause: error };
    const failure = this.state === "handshaking"
      ? new SttError(
        "HANDSHAKE_TIMEOUT",
        "cannot open session: the transport ended before the handshake was complete" +
          (this.handshake.role === "initiator"
            ? " (wrong seed, a listener that is busy or refuses strangers, or no STT listener)"
            : " (the dialler went, perhaps because it expected another node)"),
        cause,
      )
      : new SttError("TRUNCATED", "session ended: the transport ended without a close", cause);
    this.#conclude(localFailure(failure));
    this.finish();
  }

  /** Nothing is sent or taken any more. */
  finish(): void {
    this.#parts.events.close(this.#conclude(localClose(0, "")));
    this.state = "closed";
    this.#deadline = undefined;
    this.ending.over();
    this.core?.wipe();
    this.handshake.destroy();
  }

  /** What was held back is not looked at, so that nothing behind it can be. */
  #refuseHandshake(nowMs: number): void {
    this.deaf = true;
    this.#parts.trace?.step("refused");
    this.handshake.refuse(nowMs);
  }

  /** `complete` is decided here: what is still buffered now never leaves. */
  #conclude(facts: CloseFacts): CloseFacts {
    const complete = this.#parts.streams.sendBuffered === 0;
    const first = this.ending.conclude({ ...facts, complete });
    this.#parts.trace?.closed(first);
    return first;
  }

  /** SESSION_CLOSE is the next frame. */
  sendClose(nowMs: number): void {
    const facts = this.#conclude(this.ending.request ?? localClose(0, ""));
    if (this.core === undefined) {
      this.finish();
      return;
    }
    this.ending.say(facts);
    this.state = "closing";
    // A transport that takes nothing must not keep the session: the wait begins now and anew when the frame is out.
    this.#deadline = nowMs + CLOSE_WAIT_MS;
  }

  /** The core, while commands may use it. */
  usable(what: string): SessionCore {
    const { core, state } = this;
    const open = state === "established" ||
      (state === "handshaking" && this.handshake.role === "initiator");
    if (core === undefined || !open) throw this.tooLate(what);
    return core;
  }

  tooLate(what: string): SttError {
    return new SttError("CLOSED", `cannot ${what}: the session is ${this.state}`);
  }
}
