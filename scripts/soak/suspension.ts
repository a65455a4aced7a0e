/**
 * Whether this process was kept from running: a laptop's lid, a debugger, a machine that has other things to do.
 *
 * @module
 */

/** How often the watch looks. */
const BEAT_MS = 1000;
/** A beat that is so late is a suspension: a quarter of what the soak's sessions bear. */
const LATE_MS = 2000;
/** What ends because of it ends within this time: a handshake that is late, and the sessions that nobody answers any more. */
const AFTERMATH_MS = 60_000;

/** Notes suspensions. */
export class Suspensions {
  count = 0;
  longestMs = 0;
  #last: number = performance.now();
  #until = -Infinity;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor() {
    this.#timer = setInterval(() => this.#beat(), BEAT_MS);
  }

  /** Errors of now may come of one. */
  get recent(): boolean {
    // Whoever asks may be earlier than the beat.
    this.#beat();
    return performance.now() < this.#until;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    const now = performance.now();
    const gap = now - this.#last;
    this.#last = now;
    if (gap < BEAT_MS + LATE_MS) return;
    this.count++;
    this.longestMs = Math.max(this.longestMs, gap);
    this.#until = now + AFTERMATH_MS;
  }
}
