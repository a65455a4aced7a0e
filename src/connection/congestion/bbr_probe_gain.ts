/**
 * What probes for bandwidth bring.
 *
 * @module
 */

/** The wait for the next probe after one that found more, in round trips; doubled by each that finds nothing. */
const SOON_ROUNDS = 2;
/** A probe that finds so much more, no queue and little loss, goes on as startup. */
const MUCH_MORE = 1.4;
/** A probe that finds so much more is followed by the next one soon. */
const SOME_MORE = 1.25;

/** Compares the estimate of the bandwidth with the one that a probe began with; all in bytes per ms. */
export class ProbeGain {
  #from = 0;
  #rounds = SOON_ROUNDS;
  #limitMet = false;

  /** A probe begins. */
  begin(estimate: number): void {
    this.#from = estimate;
  }

  /** Losses have ended a probe: startup is not repeated. */
  meetLimit(): void {
    this.#limitMet = true;
  }

  /** True when what startup found was far too low, and no probe was ever ended by losses. */
  isMuch(estimate: number): boolean {
    return !this.#limitMet && estimate >= MUCH_MORE * this.#from;
  }

  /** A cycle begins anew: for how many round trips to wait for the next probe at most. */
  nextRounds(estimate: number): number {
    this.#rounds = estimate >= SOME_MORE * this.#from ? SOON_ROUNDS : 2 * this.#rounds;
    return this.#rounds;
  }
}
