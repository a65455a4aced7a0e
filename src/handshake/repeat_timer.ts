/**
 * When a message goes out again (SPEC 6.3).
 *
 * @module
 */

/** Delays that double, counted from the first sending or from the last one. */
export class RepeatTimer {
  readonly #fromStart: boolean;
  #baseMs: number;
  #delayMs: number;

  /**
   * @param from `"start"`: at 1, 2, 4, 8 ... delays after the first sending; `"last"`: 1, 2, 4 ... delays after the
   * sending before
   */
  constructor(nowMs: number, delayMs: number, from: "start" | "last") {
    this.#baseMs = nowMs;
    this.#delayMs = delayMs;
    this.#fromStart = from === "start";
  }

  /** Time of the next repeat. */
  get dueMs(): number {
    return this.#baseMs + this.#delayMs;
  }

  /** Moves on; a process that slept through several repeats makes up for them with one. */
  fire(nowMs: number): void {
    if (!this.#fromStart) this.#baseMs = nowMs;
    do this.#delayMs *= 2; while (this.dueMs <= nowMs);
  }
}
