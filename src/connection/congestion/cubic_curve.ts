/**
 * The growth of CUBIC in congestion avoidance.
 *
 * @module
 */

/** Packets per cubic second (RFC 9438, 5.1). */
const SCALE = 0.4;
/** What a reduction leaves of the window (RFC 9438, 4.6). */
export const CUBIC_BETA = 0.7;
const MAX_GROWTH_PER_ROUND = 1.5;
/** What makes the Reno estimate fair to Reno while both see the same losses (RFC 9438, 4.3). */
const RENO_ALPHA = 3 * (1 - CUBIC_BETA) / (1 + CUBIC_BETA);

/** One congestion avoidance stage: from a reduction of the window to the next. All windows in packets. */
export class CubicCurve {
  #plateau = 0;
  #plateauSeconds = 0;
  #renoWindow = 0;
  #priorWindow = 0;
  #seconds = 0;
  #started = false;
  /** The stage before the last reduction. */
  #before = {
    plateau: 0,
    plateauSeconds: 0,
    renoWindow: 0,
    priorWindow: 0,
    seconds: 0,
    started: false,
  };

  /**
   * The window is reduced.
   *
   * @param window Before the reduction.
   */
  onReduction(window: number): void {
    this.#before = {
      plateau: this.#plateau,
      plateauSeconds: this.#plateauSeconds,
      renoWindow: this.#renoWindow,
      priorWindow: this.#priorWindow,
      seconds: this.#seconds,
      started: this.#started,
    };
    // RFC 9438, 4.7: a flow that did not get back to its last maximum gives way to newer ones.
    this.#plateau = window < this.#plateau ? window * (1 + CUBIC_BETA) / 2 : window;
    this.#priorWindow = window;
    this.#started = false;
  }

  /** The loss that the last reduction was made for was none (RFC 9438, 4.9): its stage goes on where it was. */
  undoReduction(): void {
    this.#plateau = this.#before.plateau;
    this.#plateauSeconds = this.#before.plateauSeconds;
    this.#renoWindow = this.#before.renoWindow;
    this.#priorWindow = this.#before.priorWindow;
    this.#seconds = this.#before.seconds;
    this.#started = this.#before.started;
  }

  /** Everything known of the path is void: the next stage starts without a maximum. */
  reset(): void {
    this.#plateau = 0;
    this.#priorWindow = 0;
    this.#started = false;
  }

  /** The stage starts again at the next growth, from the window it then has. */
  restart(): void {
    this.#started = false;
  }

  /**
   * Time passed in which the sender used its window; pauses do not move along the curve.
   *
   * @param seconds Since the last call.
   */
  advance(seconds: number): void {
    if (this.#started) this.#seconds += seconds;
  }

  /**
   * The window after an acknowledgement.
   *
   * @param window Before it.
   * @param acked Packets acknowledged, may be a fraction.
   * @param rttSeconds Smoothed round trip.
   */
  grow(window: number, acked: number, rttSeconds: number): number {
    if (!this.#started) this.#start(window);
    const alpha = this.#renoWindow < this.#priorWindow ? RENO_ALPHA : 1;
    this.#renoWindow += alpha * acked / window;
    if (this.#at(this.#seconds) < this.#renoWindow) return Math.max(window, this.#renoWindow);
    const target = Math.min(
      Math.max(this.#at(this.#seconds + rttSeconds), window),
      MAX_GROWTH_PER_ROUND * window,
    );
    return window + (target - window) / window * acked;
  }

  #start(window: number): void {
    this.#started = true;
    this.#seconds = 0;
    this.#renoWindow = window;
    if (this.#plateau < window) this.#plateau = window;
    this.#plateauSeconds = Math.cbrt((this.#plateau - window) / SCALE);
  }

  #at(seconds: number): number {
    return SCALE * (seconds - this.#plateauSeconds) ** 3 + this.#plateau;
  }
}
