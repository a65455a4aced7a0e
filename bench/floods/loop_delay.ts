/**
 * How long the event loop was kept from its timers.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";

/** Milliseconds between two looks. */
const STEP_MS = 2;

/** The worst delays of a timer. */
export interface Delay {
  /** Milliseconds on the clock, those in which other processes had the processor included. */
  readonly wallMs: number;
  /**
   * Milliseconds of the processor that the thread of the event loop used within one delay: what it blocked by itself.
   * Where the system does not tell them (other than Linux), those of the whole process, which are more.
   */
  readonly ownMs: number;
}

/**
 * Watches the delay of a timer. `monitorEventLoopDelay` of `node:perf_hooks` does so on Node; Deno's (2.9) does not see
 * an event loop that is blocked.
 */
export class LoopDelay {
  #wallMs = 0;
  #ownMs = 0;
  #last = 0;
  #lastOwn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  start(): this {
    this.#last = performance.now();
    this.#lastOwn = ownTimeMs();
    this.#arm();
    return this;
  }

  /** Ends; the worst of all. */
  stop(): Delay {
    clearTimeout(this.#timer);
    this.#look();
    return { wallMs: this.#wallMs, ownMs: this.#ownMs };
  }

  #look(): void {
    const now = performance.now();
    const own = ownTimeMs();
    const delay = now - this.#last - STEP_MS;
    this.#wallMs = Math.max(this.#wallMs, delay);
    // Without numbers of the thread, other threads of the process count as well: neither alone says what was blocked.
    this.#ownMs = Math.max(this.#ownMs, Math.min(delay, own - this.#lastOwn));
    this.#last = now;
    this.#lastOwn = own;
  }

  #arm(): void {
    this.#timer = setTimeout(() => {
      this.#look();
      this.#arm();
    }, STEP_MS);
  }
}

/** The main thread's, in which Deno runs the event loop: its id is the process's. */
const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

function ownTimeMs(): number {
  try {
    return Number.parseInt(readFileSync(SCHEDSTAT, "latin1"), 10) / 1e6;
  } catch {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  }
}
