import { setImmediate, setTimeout } from "node:timers";
import { LOOP_SHARE_MS } from "./limits.ts";

/** Busy turns follow each other by `setImmediate` for so long, then one by a timer. */
const REST_AFTER_MS = 4 * LOOP_SHARE_MS;
/** Shortest time in which the runtime waits for the system. */
const REST_MS = 1;

/**
 * The time that what arrives may take from one turn of the event loop.
 *
 * Deno goes on reading a socket that has more, and Node takes something from every socket that has anything, before
 * timers get their turn: without a bound a peer that sends without a pause, or a crowd of strangers, keeps all others
 * waiting. What is beyond the share waits for later turns, first come, first served.
 *
 * While every turn is used up there is a rest now and then: Deno asks the system for other sockets when it has nothing to
 * do, and else so seldom that a new connection would wait for seconds.
 */
export class LoopShare {
  readonly #now: () => number;
  readonly #nextTurn: (turn: () => void, rest: boolean) => void;
  readonly #waiting: Set<() => void> = new Set();
  #isOpen = false;
  #since = 0;
  /** What arrives opened the share, and the turn that follows in the same round of the event loop has what is left. */
  #byArrival = false;
  /** When the last rest or the first of the busy turns was; undefined while turns are not busy. */
  #restedMs: number | undefined;

  /**
   * @param now milliseconds
   * @param nextTurn calls back once timers had their turn; with `rest` once the loop had nothing to do
   */
  constructor(
    now: () => number = () => performance.now(),
    nextTurn: (turn: () => void, rest: boolean) => void = startTurn,
  ) {
    this.#now = now;
    this.#nextTurn = nextTurn;
  }

  /** Nothing more of this turn: what has arrived goes to {@link LoopShare.later}. */
  get spent(): boolean {
    const now = this.#now();
    if (this.#isOpen) return this.#waiting.size > 0 || now - this.#since >= LOOP_SHARE_MS;
    this.#open(now, true);
    this.#nextTurn(this.#turn, false);
    return false;
  }

  /** Does the work in a later turn. The same function waits once. */
  later(work: () => void): void {
    this.#waiting.add(work);
    if (this.#isOpen) return;
    this.#open(this.#now(), true);
    this.#nextTurn(this.#turn, false);
  }

  #open(now: number, byArrival: boolean): void {
    this.#isOpen = true;
    this.#since = now;
    this.#byArrival = byArrival;
  }

  readonly #turn = (): void => {
    if (this.#waiting.size === 0) {
      this.#isOpen = false;
      this.#restedMs = undefined;
      return;
    }
    const now = this.#now();
    this.#open(this.#byArrival ? this.#since : now, false);
    this.#restedMs ??= this.#since;
    try {
      if (now - this.#since < LOOP_SHARE_MS) this.#work();
    } finally {
      // Behind the work: a timer that is due already would be no rest.
      const now = this.#now();
      const rest = now - this.#restedMs >= REST_AFTER_MS;
      if (rest) this.#restedMs = now;
      this.#nextTurn(this.#turn, rest);
    }
  };

  #work(): void {
    for (const work of [...this.#waiting]) {
      this.#waiting.delete(work);
      work();
      if (this.#now() - this.#since >= LOOP_SHARE_MS) return;
    }
  }
}

function startTurn(turn: () => void, rest: boolean): void {
  // The work is not the timer's: other timers that are due come before it.
  if (rest) setTimeout(() => setImmediate(turn), REST_MS);
  else setImmediate(turn);
}
