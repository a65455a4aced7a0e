import { setImmediate, setTimeout } from "node:timers";
import { LOOP_SHARE_MS } from "./limits.ts";

/** So many busy turns in a row go by `setImmediate`, then one by a timer. */
const TURNS_PER_REST = 4;

/**
 * The time that what arrives may take from one turn of the event loop.
 *
 * Deno goes on reading a socket that has more, and Node takes something from every socket that has anything, before
 * timers get their turn: without a bound a peer that sends without a pause, or a crowd of strangers, keeps all others
 * waiting. What is beyond the share waits for later turns, first come, first served.
 *
 * While every turn is used up, one in {@link TURNS_PER_REST} begins with a timer: Deno asks the system for other sockets
 * when it has nothing to do, and else only now and then, so that a new connection would wait for seconds.
 */
export class LoopShare {
  readonly #now: () => number;
  readonly #nextTurn: (turn: () => void, rest: boolean) => void;
  readonly #waiting: Set<() => void> = new Set();
  #isOpen = false;
  #since = 0;
  /** Turns in a row that left something waiting. */
  #busy = 0;

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
    this.#nextTurn(this.#turn, this.#busy % TURNS_PER_REST === TURNS_PER_REST - 1);
  }

  readonly #turn = (): void => {
    this.#isOpen = false;
    if (this.#waiting.size === 0) {
      this.#busy = 0;
      return;
    }
    this.#busy++;
    this.#open(this.#now());
    for (const work of [...this.#waiting]) {
      this.#waiting.delete(work);
      work();
      if (this.#now() - this.#since >= LOOP_SHARE_MS) return;
    }
  };
}

function startTurn(turn: () => void, rest: boolean): void {
  if (rest) setTimeout(turn, 1);
  else setImmediate(turn);
}
