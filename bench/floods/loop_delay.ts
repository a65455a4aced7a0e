/**
 * How long the event loop was kept from its timers.
 *
 * @module
 */

/** Milliseconds between two looks. */
const STEP_MS = 2;

/**
 * The worst delay of a timer. `monitorEventLoopDelay` of `node:perf_hooks` says the same on Node; Deno's (2.9) does not
 * see an event loop that is blocked.
 */
export class LoopDelay {
  #worst = 0;
  #last: number = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): this {
    this.#worst = 0;
    this.#last = performance.now();
    this.#arm();
    return this;
  }

  /** Ends; the worst delay in milliseconds. */
  stop(): number {
    clearTimeout(this.#timer);
    this.#look();
    return this.#worst;
  }

  #look(): void {
    const now = performance.now();
    this.#worst = Math.max(this.#worst, now - this.#last - STEP_MS);
    this.#last = now;
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      this.#look();
      this.#arm();
    }, STEP_MS);
  }
}
