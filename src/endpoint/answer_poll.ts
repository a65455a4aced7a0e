/**
 * Looking for the answer instead of sleeping until it comes.
 *
 * A process that sleeps between a request and its reply pays for waking up, 30 to 60 µs on either side, and for a cold
 * cache, which is more than the protocol takes. Where the last answers came within {@link WINDOW_MS}, the event loop
 * keeps turning for so long. One that does not come in time ends that until some were quick again.
 *
 * The peer chooses when it answers, and one that sends a datagram in each window, from wherever it is, would keep a
 * processor busy. So each quick answer pays for {@link MS_PER_ANSWER} of turning and no more: what a datagram makes this
 * side spend is its own cost and that, whatever the peer does and however many peers there are.
 *
 * @module
 */

/** Only machines of one room, or one machine, answer within this. */
const WINDOW_MS = 0.3;
/** Quick answers in a row that make the next one likely. */
const QUICK_ANSWERS = 4;
/** Half a window: more than answers of one machine take, and about what it costs to take a datagram and reply. */
const MS_PER_ANSWER = WINDOW_MS / 2;
/** What can be saved up, so that a few slow answers among quick ones do not end the turning. */
const MAX_CREDIT_MS = 4 * WINDOW_MS;
/** More bytes than this are no question, nor an answer, but a part of a bulk transfer: the processor has work to do. */
const BULK_BYTES = 16_384;

/** Keeps the event loop turning while an answer is likely to come within moments. */
export class AnswerPoll {
  readonly #now: () => number;
  readonly #afterTurn: (run: () => void) => void;
  readonly #enabled: boolean;
  /** When the question left that no datagram has followed. */
  #askedMs = -Infinity;
  #quick = 0;
  /** Milliseconds of turning that answers have paid for; below 0 by at most a window. */
  #creditMs = 0;
  /** Whether the event loop turns for the question that is open. */
  #spends = false;
  #turning = false;

  /**
   * @param now Milliseconds.
   * @param afterTurn Runs something in the next turn of the event loop.
   * @param enabled False where there is no processor to spare.
   */
  constructor(
    now: () => number,
    afterTurn: (run: () => void) => void,
    enabled: boolean,
  ) {
    this.#now = now;
    this.#afterTurn = afterTurn;
    this.#enabled = enabled;
  }

  /** Datagrams of the peer came, with so many bytes in all. */
  answered(bytes: number): void {
    if (!this.#enabled) return;
    const quick = bytes <= BULK_BYTES && this.#now() - this.#askedMs <= WINDOW_MS;
    this.#settle();
    this.#quick = quick ? this.#quick + 1 : 0;
    if (quick) this.#creditMs = Math.min(this.#creditMs + MS_PER_ANSWER, MAX_CREDIT_MS);
  }

  /** So many bytes went to the peer, one datagram after the other, and the peer has to acknowledge some. */
  asked(bytes: number): void {
    if (!this.#enabled || bytes === 0) return;
    this.#settle();
    if (bytes > BULK_BYTES) return;
    this.#askedMs = this.#now();
    if (this.#quick < QUICK_ANSWERS || this.#creditMs <= 0) return;
    this.#spends = true;
    if (this.#turning) return;
    this.#turning = true;
    this.#afterTurn(this.#turn);
  }

  /** The question is answered, given up or followed by another one: what the turning took is paid. */
  #settle(): void {
    if (this.#spends) this.#creditMs -= Math.min(this.#now() - this.#askedMs, WINDOW_MS);
    this.#spends = false;
    this.#askedMs = -Infinity;
  }

  readonly #turn = (): void => {
    if (!this.#spends || this.#now() - this.#askedMs > WINDOW_MS) {
      this.#turning = false;
    } else {
      this.#afterTurn(this.#turn);
    }
  };
}
