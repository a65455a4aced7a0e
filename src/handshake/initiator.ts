/**
 * The dialling side of a handshake.
 *
 * @module
 */
import { RETRY_BUSY, RETRY_COOKIE, RETRY_SUITE, RETRY_VERSION, VERSION } from "../constants.ts";
import { confirmation, sessionSecrets } from "../crypto/key_schedule.ts";
import { SttError } from "../errors.ts";
import { HelloAttempt } from "./hello_attempt.ts";
import { identityError } from "./identity.ts";
import {
  decodeMessage,
  type Final,
  type MessageRefusalReason,
  messageValue,
  type Response,
  type Retry,
} from "./messages.ts";
import { encodeParameters, negotiation } from "./parameters.ts";
import { judgePayload } from "./peer_payload.ts";
import { RepeatTimer } from "./repeat_timer.ts";
import { ticketRefusal } from "./resumption.ts";
import { retryVerifies } from "./retry.ts";
import { checkSuites, firstCommon, moveToFront, VERSIONS } from "./suites.ts";
import { timeoutError } from "./timeout_error.ts";
import type {
  DialTicket,
  HandshakeMessageName,
  HandshakeSession,
  InitiatorConfig,
  TransportParameters,
} from "./types.ts";

const HELLO_REPEAT_MS = 1000;
const PROOF_REPEAT_MIN_MS = 100;
const MAX_RETRIES = 2;
const MAX_COOKIE_BYTES = 256;

/** Why the initiator dropped a frame; on a reliable transport the dial ends with it. */
export type InitiatorDrop =
  | MessageRefusalReason
  | "attempt" // another session or nonce than ours
  | "suite" // RESPONSE names another suite than HELLO's
  | "crypto" // RESPONSE does not verify
  | "confirmation" // FINAL does not verify
  | "retry" // RETRY does not verify, is one too many, or makes no sense
  | "state"; // a message that is not awaited

/**
 * Dials: sends HELLO, answers RESPONSE with AUTH_PROOF, and is done with FINAL or the first protected frame.
 *
 * After every call drain {@link Initiator.transmit}, then look at `phase` and `session`.
 */
export class Initiator {
  readonly #config: InitiatorConfig;
  readonly #deadlineMs: number;
  readonly #drops: Map<InitiatorDrop, number> = new Map();
  // Suites in the order of the current HELLO; the configured order stays what downgrades are judged by.
  #suites: readonly number[];
  #attempt: HelloAttempt | undefined;
  #phase: "hello" | "proof" | "done" | "failed" = "hello";
  #failure: SttError | undefined;
  #session: HandshakeSession | undefined;
  // The message of this phase, for repeats.
  #message: Uint8Array;
  #due = true;
  #repeat: RepeatTimer | undefined;
  #lastSentMs: number;
  #timesSent = 0;
  #rttMs: number | undefined;
  // The same without the doubt; good enough for a timer.
  #rttGuessMs = 0;
  #retries = 0;
  #suiteRetried = false;

  /**
   * Makes HELLO, which the first {@link Initiator.transmit} returns; the time limit counts from `nowMs`.
   *
   * @throws {SttError} `CONFIG` for suites, parameters or extra fields that cannot be used.
   */
  constructor(config: InitiatorConfig, nowMs: number) {
    checkSuites(config.suites);
    this.#config = config;
    this.#suites = config.suites;
    this.#deadlineMs = nowMs + config.timeoutMs;
    this.#lastSentMs = nowMs;
    // A payload that cannot be sent must not wait for RESPONSE to be noticed.
    this.#encodePayload(config.suites[0] as number, new Uint8Array(8));
    this.#attempt = new HelloAttempt(config, this.#suites, this.#timestamp("HELLO", nowMs));
    this.#message = this.#attempt.hello();
  }

  /** Awaiting RESPONSE, awaiting FINAL, done, or failed for the reason in `failure`. */
  get phase(): "hello" | "proof" | "done" | "failed" {
    return this.#phase;
  }

  /** Why the dial failed. */
  get failure(): SttError | undefined {
    return this.#failure;
  }

  /** 8 bytes, once RESPONSE verified. */
  get sessionId(): Uint8Array | undefined {
    return this.#session?.sessionId;
  }

  /** Set once RESPONSE verified: early data may be sent. Whoever takes it wipes its secrets, also when the dial fails. */
  get session(): HandshakeSession | undefined {
    return this.#session;
  }

  /** Round-trip time of HELLO and RESPONSE; undefined when HELLO was repeated, as it is not known which was answered. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** The nonce that a RESPONSE or RETRY may answer, and that a HELLO must not come with. */
  get openNonce(): Uint8Array | undefined {
    return this.#phase === "hello" ? this.#attempt?.nonce : undefined;
  }

  /** Frames dropped, by reason. */
  get drops(): ReadonlyMap<InitiatorDrop, number> {
    return this.#drops;
  }

  /** A complete HANDSHAKE frame that is due now; call until undefined. */
  transmit(nowMs: number): Uint8Array | undefined {
    if (!this.#due || !this.#active) return undefined;
    this.#due = false;
    this.#lastSentMs = nowMs;
    this.#timesSent++;
    // SPEC 6.3: reliable transports carry every message once.
    if (this.#timesSent === 1 && !this.#config.reliable) {
      this.#repeat = this.#phase === "hello"
        ? new RepeatTimer(nowMs, HELLO_REPEAT_MS, "start")
        : new RepeatTimer(nowMs, this.#proofDelay, "last");
    }
    return this.#message.slice();
  }

  /** Takes a complete HANDSHAKE frame. Never throws on what the peer wrote. */
  receive(frame: Uint8Array, nowMs: number): void {
    if (!this.#active) {
      this.#count("state");
      return;
    }
    const message = decodeMessage(frame);
    switch (message.type) {
      case "refused":
        return this.#drop(
          message.reason,
          new SttError("PROTOCOL", `cannot go on with handshake: ${message.error.message}`, {
            cause: message.error,
          }),
        );
      case "RESPONSE":
        return this.#phase === "hello" ? this.#onResponse(message, nowMs) : this.#unawaited();
      case "RETRY":
        return this.#phase === "hello" ? this.#onRetry(message, nowMs) : this.#unawaited();
      case "FINAL":
        return this.#phase === "proof" ? this.#onFinal(message) : this.#unawaited();
      default:
        return this.#unawaited();
    }
  }

  /** Tells that a protected frame of the session verified: the responder has what FINAL would confirm. */
  onSessionFrame(_nowMs: number): void {
    if (this.#phase === "proof") this.#enter("done");
  }

  /** When to call {@link Initiator.onTimeout} next. */
  nextTimeout(): number | undefined {
    if (!this.#active) return undefined;
    const repeatMs = this.#due ? undefined : this.#repeat?.dueMs;
    return repeatMs === undefined ? this.#deadlineMs : Math.min(this.#deadlineMs, repeatMs);
  }

  /** Repeats what is due, or ends the dial with `HANDSHAKE_TIMEOUT`. */
  onTimeout(nowMs: number): void {
    if (!this.#active) return;
    if (nowMs >= this.#deadlineMs) {
      const phase = this.#phase === "proof" ? "proof" : "hello";
      return this.#fail(timeoutError(phase, this.#config.timeoutMs, this.#drops));
    }
    if (this.#repeat === undefined || this.#due || nowMs < this.#repeat.dueMs) return;
    this.#repeat.fire(nowMs);
    this.#due = true;
  }

  /** Gives the dial up and erases its keys; the session's secrets stay with whoever took {@link Initiator.session}. */
  destroy(): void {
    if (this.#active) this.#fail(new SttError("CLOSED", "cannot go on with handshake: closed"));
  }

  get #active(): boolean {
    return this.#phase === "hello" || this.#phase === "proof";
  }

  // SPEC 6.3: max(2 RTT, 100 ms).
  get #proofDelay(): number {
    return Math.max(2 * this.#rttGuessMs, PROOF_REPEAT_MIN_MS);
  }

  #onResponse(response: Response, nowMs: number): void {
    const attempt = this.#attempt as HelloAttempt;
    if (!attempt.matches(response)) return this.#drop("attempt");
    if (response.suite !== attempt.suite) {
      const what = `RESPONSE names ${response.suite}, HELLO asked for ${attempt.suite}`;
      return this.#drop("suite", new SttError("SUITE", `cannot accept suite: ${what}`));
    }
    const payload = attempt.read(response);
    if (payload === undefined) return this.#drop("crypto");
    // From here on the message is genuine, and what is wrong with it ends the dial on every transport.
    const { parameters, resumed, error } = judgePayload({
      role: "initiator",
      suite: attempt.suite,
      version: VERSION,
      suites: this.#config.suites,
      app: this.#config.parameters.app,
    }, payload);
    const { provider, ticket, pairKey, seedKeys } = this.#config;
    const nodeId = attempt.remoteStatic;
    const refusal = this.#identityError(nodeId) ?? error ??
      ticketRefusal(provider, ticket, nodeId, resumed);
    if (refusal !== undefined) return this.#fail(refusal);
    this.#rttGuessMs = Math.max(0, nowMs - this.#lastSentMs);
    if (this.#timesSent === 1) this.#rttMs = this.#rttGuessMs;
    if (resumed && ticket) attempt.resume(provider, ticket.secret, pairKey ?? seedKeys.psk);
    this.#prove(attempt, response.sessionId, parameters, resumed ? ticket : undefined, nowMs);
  }

  #identityError(nodeId: Uint8Array): SttError | undefined {
    const { provider, staticKey, allowSelf, expect } = this.#config;
    return identityError({
      provider,
      self: staticKey.publicKey,
      allowSelf: allowSelf ?? false,
      ...(expect === undefined ? {} : { expect }),
    }, nodeId);
  }

  #prove(
    attempt: HelloAttempt,
    sessionId: Uint8Array,
    parameters: TransportParameters,
    ticket: DialTicket | undefined,
    nowMs: number,
  ): void {
    const { provider, pairKey, expect } = this.#config;
    const payload = this.#encodePayload(attempt.suite, sessionId);
    try {
      this.#message = attempt.prove(sessionId, payload, this.#timestamp("AUTH_PROOF", nowMs));
    } catch (error) {
      if (!(error instanceof SttError) || error.code !== "CRYPTO") throw error;
      return this.#fail(error);
    }
    const { outputs, handshakeHash } = attempt.finish();
    this.#session = {
      role: "initiator",
      sessionId,
      suite: attempt.suite,
      version: VERSION,
      secrets: sessionSecrets(provider, outputs, handshakeHash),
      peer: {
        nodeId: attempt.remoteStatic,
        parameters,
        pinned: expect !== undefined,
        pairKey: pairKey !== undefined,
      },
      ...(ticket === undefined ? {} : { resumed: { id: ticket.id } }),
    };
    this.#enter("proof");
    this.#due = true;
  }

  #onFinal(final: Final): void {
    const { provider } = this.#config;
    const { sessionId, secrets } = this.#session as HandshakeSession;
    if (!provider.equal(final.sessionId, sessionId)) return this.#drop("attempt");
    const value = messageValue(final.fields, "confirmation");
    const expected = confirmation(provider, secrets.final, secrets.handshakeHash, value);
    if (!provider.equal(final.confirmation, expected)) return this.#drop("confirmation");
    this.#enter("done");
  }

  #onRetry(retry: Retry, nowMs: number): void {
    const { provider, seedKeys } = this.#config;
    const attempt = this.#attempt as HelloAttempt;
    const genuine = provider.equal(retry.nonce, attempt.nonce) &&
      retryVerifies(provider, seedKeys.retryKey, retry);
    if (!genuine) return this.#drop("retry");
    if (retry.code === RETRY_BUSY) {
      return this.#fail(
        new SttError("BUSY", "cannot connect: the listener is busy", { remote: true }),
      );
    }
    if (this.#retries >= MAX_RETRIES) return this.#drop("retry");
    switch (retry.code) {
      case RETRY_COOKIE:
        if (retry.cookie.length === 0 || retry.cookie.length > MAX_COOKIE_BYTES) break;
        return this.#sendHello(attempt.hello(retry.cookie));
      case RETRY_VERSION:
        return this.#onVersionRetry(retry, nowMs);
      case RETRY_SUITE:
        return this.#onSuiteRetry(retry, nowMs);
    }
    this.#drop("retry");
  }

  #onVersionRetry(retry: Retry, nowMs: number): void {
    if (firstCommon(VERSIONS, retry.versions) === undefined) {
      const what = `the listener speaks ${retry.versions.join(", ") || "none"}`;
      return this.#fail(new SttError("VERSION", `cannot connect: ${what}`, { remote: true }));
    }
    // It does speak ours, so our HELLO was changed on the way: another one may arrive whole.
    this.#startOver(this.#suites, nowMs);
  }

  #onSuiteRetry(retry: Retry, nowMs: number): void {
    const front = firstCommon(this.#config.suites, retry.suites);
    // SPEC 6.1: once.
    if (front === undefined || this.#suiteRetried) {
      const what = `the listener takes suites ${retry.suites.join(", ") || "none"}`;
      return this.#fail(new SttError("SUITE", `cannot connect: ${what}`, { remote: true }));
    }
    this.#suiteRetried = true;
    this.#startOver(moveToFront(this.#config.suites, Number(front)), nowMs);
  }

  // SPEC 6.4: a fresh nonce and node_id, as the old ones are spent or were seen with another content.
  #startOver(suites: readonly number[], nowMs: number): void {
    this.#attempt?.destroy();
    this.#suites = suites;
    this.#attempt = new HelloAttempt(this.#config, suites, this.#timestamp("HELLO", nowMs));
    this.#sendHello(this.#attempt.hello());
  }

  #sendHello(frame: Uint8Array): void {
    this.#retries++;
    this.#message = frame;
    this.#timesSent = 0;
    this.#repeat = undefined;
    this.#due = true;
  }

  #enter(phase: "proof" | "done" | "failed"): void {
    this.#phase = phase;
    this.#attempt?.destroy();
    this.#attempt = undefined;
    this.#timesSent = 0;
    this.#repeat = undefined;
    this.#due = false;
  }

  #fail(error: SttError): void {
    this.#failure = error;
    this.#enter("failed");
  }

  #unawaited(): void {
    this.#drop(
      "state",
      new SttError("PROTOCOL", "cannot go on with handshake: a message that is not awaited"),
    );
  }

  // SPEC 6.2: on UDP anybody can send anything, so only a genuine message or the timeout ends a handshake.
  #drop(reason: InitiatorDrop, error?: SttError): void {
    this.#count(reason);
    if (!this.#config.reliable) return;
    this.#fail(
      error ?? new SttError("CRYPTO", "cannot go on with handshake: a message does not verify"),
    );
  }

  #count(reason: InitiatorDrop): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
  }

  #timestamp(message: HandshakeMessageName, nowMs: number): number {
    return this.#config.injection?.timestamp?.(message) ??
      Math.floor(nowMs + this.#config.unixOffsetMs);
  }

  #encodePayload(suite: number, sessionId: Uint8Array): Uint8Array {
    const { parameters, resetToken, suites } = this.#config;
    const reset = resetToken?.(sessionId) ?? parameters.reset;
    return encodeParameters(
      reset === undefined ? parameters : { ...parameters, reset },
      negotiation(suite, suites),
    );
  }
}
