import { SttError } from "../errors.ts";

/**
 * A clock that moves only when told: a timeout of five minutes is tested in a microsecond.
 *
 * @example
 * ```ts
 * import { FakeClock } from "@seigr/stt/testing";
 * const clock = new FakeClock();
 * clock.advance(300_000);
 * console.log(clock.nowMs); // 300000
 * ```
 */
export class FakeClock {
  #nowMs: number;
  /** Unix time in ms when `nowMs` is 0. */
  readonly unixOffsetMs: number;

  /**
   * A clock that stands still.
   *
   * @param startMs Monotonic milliseconds to begin with.
   * @param unixOffsetMs What to add to the monotonic clock for wall-clock time.
   */
  constructor(startMs = 0, unixOffsetMs = 1_700_000_000_000) {
    this.#nowMs = startMs;
    this.unixOffsetMs = unixOffsetMs;
  }

  /** Monotonic milliseconds. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** Wall-clock milliseconds since 1970. */
  get unixMs(): number {
    return this.#nowMs + this.unixOffsetMs;
  }

  /** Moves forward by `ms`. */
  advance(ms: number): void {
    this.advanceTo(this.#nowMs + ms);
  }

  /**
   * Moves forward to `nowMs`.
   *
   * @throws {SttError} INTERNAL for a time in the past or none at all: a monotonic clock never goes back.
   */
  advanceTo(nowMs: number): void {
    if (!(nowMs >= this.#nowMs) || nowMs === Infinity) {
      throw new SttError("INTERNAL", `cannot move clock from ${this.#nowMs} ms to ${nowMs} ms`);
    }
    this.#nowMs = nowMs;
  }
}
