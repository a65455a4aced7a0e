/**
 * The handshake as a connection sees it, the same for both roles.
 *
 * @module
 */
import { DEFAULT_HANDSHAKE_TIMEOUT_MS } from "../constants.ts";
import { SttError } from "../errors.ts";
import type { Acceptor } from "../handshake/acceptor.ts";
import { Initiator } from "../handshake/initiator.ts";
import type { HandshakeSession, InitiatorConfig, PendingSession } from "../handshake/types.ts";
import type { Counters } from "./stats.ts";

/** One side of a handshake over one transport connection. */
export interface Handshaking {
  readonly role: "initiator" | "responder";
  /** Set once the peer is authenticated. */
  readonly session: HandshakeSession | undefined;
  /** True once both sides agree that the session stands. */
  readonly done: boolean;
  readonly failure: SttError | undefined;
  /** Responder: message 3's payload was refused, the peer must be told under the session keys. */
  readonly refusal: SttError | undefined;
  /** Responder: HELLO was answered with RESPONSE. */
  readonly answered: boolean;
  readonly rttMs: number | undefined;
  receive(frame: Uint8Array, nowMs: number): void;
  transmit(nowMs: number): Uint8Array | undefined;
  /** A protected frame of the session verified. */
  onSessionFrame(nowMs: number): void;
  /** Responder: the application decided. */
  accept(nowMs: number): void;
  refuse(nowMs: number): void;
  nextTimeout(): number | undefined;
  onTimeout(nowMs: number): void;
  destroy(): void;
}

/** The initiator's side. */
export class Dialling implements Handshaking {
  readonly role = "initiator";
  readonly answered = false;
  readonly #initiator: Initiator;

  constructor(config: InitiatorConfig, nowMs: number) {
    this.#initiator = new Initiator(config, nowMs);
  }

  get session(): HandshakeSession | undefined {
    return this.#initiator.session;
  }

  get done(): boolean {
    return this.#initiator.phase === "done";
  }

  get failure(): SttError | undefined {
    if (this.#initiator.phase !== "failed") return undefined;
    return this.#initiator.failure ??
      new SttError("HANDSHAKE_TIMEOUT", "cannot open session: the handshake failed");
  }

  get refusal(): undefined {
    return undefined;
  }

  get rttMs(): number | undefined {
    return this.#initiator.rttMs;
  }

  receive(frame: Uint8Array, nowMs: number): void {
    this.#initiator.receive(frame, nowMs);
  }

  transmit(nowMs: number): Uint8Array | undefined {
    return this.#initiator.transmit(nowMs);
  }

  onSessionFrame(nowMs: number): void {
    this.#initiator.onSessionFrame(nowMs);
  }

  accept(): void {
    throw new SttError("INTERNAL", "cannot accept: only a responder accepts");
  }

  refuse(): void {
    throw new SttError("INTERNAL", "cannot refuse: only a responder refuses");
  }

  nextTimeout(): number | undefined {
    return this.#initiator.nextTimeout();
  }

  onTimeout(nowMs: number): void {
    this.#initiator.onTimeout(nowMs);
  }

  destroy(): void {
    this.#initiator.destroy();
  }
}

/** What the responder's side needs. */
export interface AnsweringConfig {
  readonly acceptor: Acceptor;
  readonly from: { readonly host: string; readonly port: number };
  readonly handshakeTimeout?: number;
}

/** What of a larger configuration is kept for as long as the session lasts. */
export function answeringOf(
  { acceptor, from, handshakeTimeout }: AnsweringConfig,
): AnsweringConfig {
  return handshakeTimeout === undefined ? { acceptor, from } : { acceptor, from, handshakeTimeout };
}

/** The responder's side: an acceptor that a listener's connections share, seen from one of them. */
export class Answering implements Handshaking {
  readonly role = "responder";
  done = false;
  failure: SttError | undefined;
  answered = false;
  rttMs: number | undefined;
  readonly #config: AnsweringConfig;
  readonly #counters: Counters;
  readonly #out: Uint8Array[] = [];
  #deadline: number | undefined;
  #responseSentAt: number | undefined;
  #pending: PendingSession | undefined;
  #decided = false;

  constructor(config: AnsweringConfig, counters: Counters, nowMs: number) {
    this.#config = config;
    this.#counters = counters;
    this.#deadline = nowMs + (config.handshakeTimeout ?? DEFAULT_HANDSHAKE_TIMEOUT_MS);
  }

  get session(): HandshakeSession | undefined {
    return this.#pending?.session;
  }

  get refusal(): SttError | undefined {
    return this.#pending?.refusal;
  }

  receive(frame: Uint8Array, nowMs: number): void {
    const { acceptor, from } = this.#config;
    const result = acceptor.receive(frame, { ...from, reliable: true, connection: this }, nowMs);
    if (result.kind === "send") {
      this.#out.push(result.frame);
      this.answered ||= result.halfOpen !== undefined;
      this.#responseSentAt = nowMs;
    } else if (result.kind === "session") {
      this.#pending = result.pending;
      this.#deadline = undefined;
      if (this.#responseSentAt !== undefined) this.rttMs = nowMs - this.#responseSentAt;
    } else {
      this.#counters.reject(result.reason, frame.length);
      // SPEC 6.2: on reliable transports any failure ends the connection, silently for strangers.
      this.failure = new SttError("CRYPTO", `cannot accept handshake: dropped (${result.reason})`);
    }
  }

  transmit(): Uint8Array | undefined {
    return this.#out.shift();
  }

  onSessionFrame(): void {
    // Only an initiator waits for FINAL.
  }

  accept(nowMs: number): void {
    const pending = this.#decide();
    if (pending === undefined) return;
    this.#out.push(this.#config.acceptor.accept(pending, nowMs));
    this.done = true;
  }

  refuse(nowMs: number): void {
    const pending = this.#decide();
    if (pending !== undefined) this.#config.acceptor.refuse(pending, nowMs);
  }

  #decide(): PendingSession | undefined {
    if (this.#decided) return undefined;
    this.#decided = this.#pending !== undefined;
    return this.#pending;
  }

  nextTimeout(): number | undefined {
    return this.#deadline;
  }

  onTimeout(nowMs: number): void {
    if (this.#deadline === undefined || nowMs < this.#deadline) return;
    this.#deadline = undefined;
    this.failure = new SttError(
      "HANDSHAKE_TIMEOUT",
      "cannot accept session: the handshake was not complete in time",
    );
  }

  destroy(): void {
    this.#config.acceptor.forget(this);
  }
}

/** The responder's side on UDP: the shared socket led the handshake up to AUTH_PROOF. */
export class Accepted implements Handshaking {
  readonly role = "responder";
  readonly failure = undefined;
  readonly answered = true;
  readonly rttMs: number | undefined;
  done = false;
  readonly #acceptor: Acceptor;
  readonly #pending: PendingSession;
  #final: Uint8Array | undefined;
  #decided = false;

  constructor(acceptor: Acceptor, pending: PendingSession, rttMs: number | undefined) {
    this.#acceptor = acceptor;
    this.#pending = pending;
    this.rttMs = rttMs;
  }

  get session(): HandshakeSession {
    return this.#pending.session;
  }

  get refusal(): SttError | undefined {
    return this.#pending.refusal;
  }

  receive(): void {
    // Repeats of HELLO and AUTH_PROOF are the socket's affair.
  }

  transmit(): Uint8Array | undefined {
    const final = this.#final;
    this.#final = undefined;
    return final;
  }

  onSessionFrame(): void {
    // Only an initiator waits for FINAL.
  }

  accept(nowMs: number): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#final = this.#acceptor.accept(this.#pending, nowMs);
    this.done = true;
  }

  refuse(nowMs: number): void {
    if (this.#decided) return;
    this.#decided = true;
    this.#acceptor.refuse(this.#pending, nowMs);
  }

  nextTimeout(): undefined {
    return undefined;
  }

  onTimeout(): void {
    // The acceptor forgets half-open handshakes by itself.
  }

  destroy(): void {
    this.#final = undefined;
  }
}
