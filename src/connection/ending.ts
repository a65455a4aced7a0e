/**
 * What is said at the end of a session, and how often (SPEC 9.3).
 *
 * @module
 */
import type { CloseFacts } from "./events.ts";

/** Content of a SESSION_CLOSE record. */
export interface CloseWords {
  readonly code: number;
  readonly reason: string;
}

/** The facts of a session's end and the SESSION_CLOSE frames that tell the peer. */
export class Ending {
  /** How the session ended or is ending. */
  facts: CloseFacts | undefined;
  /** What `close()` was asked to say once everything is flushed. */
  request: CloseFacts | undefined;
  /** The peer closed: our SESSION_CLOSE is the last frame, nothing is awaited. */
  answering = false;
  #waiting: CloseWords | undefined;
  /** UDP: it goes again, because datagrams still come or nothing comes. */
  #repeat: CloseWords | undefined;
  #datagrams = 0;
  #repeatAt: number | undefined;

  /** The first facts count. */
  conclude(facts: CloseFacts): CloseFacts {
    return this.facts ??= facts;
  }

  /** SESSION_CLOSE is to be sent. */
  say(words: CloseWords): void {
    this.#waiting = { code: words.code, reason: words.reason };
  }

  /** SESSION_CLOSE has not left yet. */
  get waiting(): boolean {
    return this.#waiting !== undefined;
  }

  /** The SESSION_CLOSE that was not sent yet. */
  take(): CloseWords | undefined {
    const words = this.#waiting;
    this.#waiting = undefined;
    return words;
  }

  /** The SESSION_CLOSE to send once more. */
  takeRepeat(): CloseWords | undefined {
    const words = this.#repeat;
    this.#repeat = undefined;
    return words;
  }

  /** UDP: the 1st, 2nd, 4th, 8th … datagram that comes after SESSION_CLOSE is answered by another one. */
  onDatagram(): void {
    if (this.facts === undefined || this.#waiting !== undefined) return;
    const count = ++this.#datagrams;
    if ((count & (count - 1)) === 0) this.#repeat = this.facts;
  }

  /** UDP: a peer that sends nothing would else wait for its idle timeout when SESSION_CLOSE is lost. */
  repeatAt(timeMs: number): void {
    this.#repeatAt = timeMs;
  }

  nextTimeout(): number | undefined {
    return this.#repeatAt;
  }

  /** UDP: repeats SESSION_CLOSE when that is due, and again `ptoMs` later. */
  onTimeout(nowMs: number, ptoMs: number): void {
    if (this.#repeatAt === undefined || nowMs < this.#repeatAt) return;
    this.#repeatAt = nowMs + ptoMs;
    this.#repeat = this.facts;
  }

  /** Nothing more is said. */
  over(): void {
    this.#waiting = undefined;
    this.#repeat = undefined;
    this.#repeatAt = undefined;
  }
}
