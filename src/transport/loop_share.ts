import { setImmediate } from "node:timers";
import { LOOP_SHARE_MS } from "./limits.ts";

/**
 * The time that what arrives may take from one turn of the event loop.
 *
 * Deno goes on reading a socket that has more, and Node takes something from every socket that has anything, before
 * timers get their turn: without a bound a peer that sends without a pause, or a crowd of strangers, keeps all others
 * waiting. What is beyond the share waits for later turns, first come, first served.
 */
export class LoopShare {
  readonly #now: () => number;
  readonly #nextTurn: (turn: () => void) => void;
  readonly #waiting: Set<() => void> = new Set();
  #isOpen = false;
  #since = 0;

  /**
   * @param now milliseconds
   * @param nextTurn calls back once timers had their turn
   */
  constructor(
    now: () => number = () => performance.now(),
    nextTurn: (turn: () => void) => void = setImmediate,
  ) {
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** Nothing more of this turn: what has arrived goes to {@link LoopShare.later}. */
  get spent(): boolean {
    const now = this.#now();
    if (this.#isOpen) return this.#waiting.size > 0 || now - this.#since >= LOOP_SHARE_MS;
    this.#open(now);
    return false;
  }

  /** Does the work in a later turn. The same function waits once. */
  later(work: () => void): void {
    this.#waiting.add(work);
    if (!this.#isOpen) this.#open(this.#now());
  }

  #open(now: number): void {
    this.#isOpen = true;
    this.#since = now;
    this.#nextTurn(this.#turn);
  }

  readonly #turn = (): void => {
    this.#isOpen = false;
    if (this.#waiting.size === 0) return;
    this.#open(this.#now());
    for (const work of [...this.#waiting]) {
      this.#waiting.delete(work);
      work();
      if (this.#now() - this.#since >= LOOP_SHARE_MS) return;
    }
  };
}
