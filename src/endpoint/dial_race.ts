/**
 * Several addresses of one peer, of which the first that answers is taken (RFC 8305).
 *
 * @module
 */
import { SttError } from "../errors.ts";

/** One of the tries. */
export interface DialAttempt {
  /** Aborted when another one is taken. */
  readonly signal: AbortSignal;
  /** The peer answered here: true when this is the one that is taken, which ends the others. */
  claim(): boolean;
}

/** A try, from the opening of its socket to the open session. */
export type Dial<T> = (attempt: DialAttempt) => Promise<T>;

/** The error that says most: an answer says more than silence, silence more than an address without a way. */
function rank(error: unknown): number {
  if (!(error instanceof SttError)) return 3;
  return error.code === "TRANSPORT" ? 0 : error.code === "HANDSHAKE_TIMEOUT" ? 1 : 2;
}

/** The tries of one dial. */
class Race<T> {
  readonly #dials: readonly Dial<T>[];
  readonly #stepMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #running: Map<number, AbortController> = new Map();
  #next = 0;
  #winner: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #error: unknown;
  #resolve: (value: T) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;

  constructor(dials: readonly Dial<T>[], stepMs: number, signal: AbortSignal | undefined) {
    this.#dials = dials;
    this.#stepMs = stepMs;
    this.#signal = signal;
  }

  run(): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#start();
    });
  }

  #start(): void {
    clearTimeout(this.#timer);
    const index = this.#next++;
    const dial = this.#dials[index] as Dial<T>;
    const controller = new AbortController();
    this.#running.set(index, controller);
    if (this.#next < this.#dials.length) {
      this.#timer = setTimeout(() => this.#start(), this.#stepMs);
    }
    dial({ signal: controller.signal, claim: () => this.#claim(index) }).then(
      (value) => {
        this.#claim(index);
        this.#resolve(value);
      },
      (error) => this.#failed(index, error),
    );
  }

  #claim(index: number): boolean {
    if (this.#winner === undefined) {
      this.#winner = index;
      clearTimeout(this.#timer);
      for (const [other, controller] of this.#running) if (other !== index) controller.abort();
    }
    return this.#winner === index;
  }

  #failed(index: number, error: unknown): void {
    this.#running.delete(index);
    if (this.#winner !== undefined) {
      if (this.#winner === index) this.#reject(error);
      return;
    }
    if (this.#error === undefined || rank(error) > rank(this.#error)) this.#error = error;
    if (this.#next < this.#dials.length && this.#signal?.aborted !== true) this.#start();
    else if (this.#running.size === 0) this.#end();
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#reject(this.#signal?.aborted === true ? this.#signal.reason : this.#error);
  }
}

/**
 * Starts the dials in turn, each `stepMs` after the one before or when that failed, until one is claimed. Rejects with
 * the error that says most when all have failed, or with that of the claimed one.
 *
 * @param dials At least one.
 */
export function raceDials<T>(
  dials: readonly Dial<T>[],
  stepMs: number,
  signal: AbortSignal | undefined,
): Promise<T> {
  return new Race(dials, stepMs, signal).run();
}
