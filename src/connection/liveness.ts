/**
 * Idle timeout and keep-alive (SPEC 9, "Closing").
 *
 * @module
 */

/** A stream that falls silent in the middle is asked about after this many probe timeouts, but not sooner than this. */
const ASK_PTOS = 5;
const ASK_MIN_MS = 500;
/** Each question that was not needed doubles the wait for the next one, so often. */
const ASK_DOUBLINGS = 5;

/** When a silent session ends, and when it asks for a sign of life. */
export class Liveness {
  readonly #keepAliveMs: number;
  #idleMs = 0;
  #idleFrom: number;
  #keepAliveFrom: number;
  #sentSinceReceive = false;
  #receivedMs = 0;
  /** The last bytes of a stream that came were not its end. */
  #midStream = false;
  #questions = 0;

  constructor(keepAliveMs: number, nowMs: number) {
    this.#keepAliveMs = keepAliveMs;
    this.#idleFrom = nowMs;
    this.#keepAliveFrom = nowMs;
  }

  /** Both sides' wishes; 0 is none, else the smaller one counts. */
  negotiate(localMs: number, peerMs: number, nowMs: number): void {
    this.#idleMs = localMs === 0 || peerMs === 0
      ? Math.max(localMs, peerMs)
      : Math.min(localMs, peerMs);
    this.received(nowMs);
  }

  received(nowMs: number): void {
    this.#idleFrom = nowMs;
    this.#keepAliveFrom = nowMs;
    this.#receivedMs = nowMs;
    this.#sentSinceReceive = false;
  }

  /** Bytes of a stream came; `end`: the last ones. */
  streamData(end: boolean): void {
    this.#midStream = !end;
  }

  /**
   * When a receiver should ask why no more comes. It may have got another address on its way (NAT) and have nothing to
   * send that would show it: acknowledgements alone are no reason to follow (SPEC 10.6).
   */
  askAt(ptoMs: number): number | undefined {
    if (!this.#midStream) return undefined;
    return this.#receivedMs + Math.max(ASK_PTOS * ptoMs, ASK_MIN_MS) * 2 ** this.#questions;
  }

  asked(): void {
    this.#midStream = false;
    this.#questions = Math.min(this.#questions + 1, ASK_DOUBLINGS);
  }

  /** RFC 9000, 10.1: only the first frame sent after one was received restarts the timer, else a dead peer never times out. */
  sent(nowMs: number): void {
    if (this.#sentSinceReceive) return;
    this.#sentSinceReceive = true;
    this.#idleFrom = nowMs;
  }

  /** `floorMs`: 3 PTO where packets get lost, so that a slow path is no dead one (SPEC 9). */
  idleAt(floorMs: number = 0): number | undefined {
    return this.#idleMs === 0 ? undefined : this.#idleFrom + Math.max(this.#idleMs, floorMs);
  }

  keepAliveAt(): number | undefined {
    return this.#keepAliveMs === 0 ? undefined : this.#keepAliveFrom + this.#keepAliveMs;
  }

  /** A keep-alive ping was asked for: the next one a full interval later. */
  keptAlive(nowMs: number): void {
    this.#keepAliveFrom = nowMs;
  }

  get idleMs(): number {
    return this.#idleMs;
  }
}
