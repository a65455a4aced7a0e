/**
 * Losses that end startup.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";

/** Fewer losses that do not follow each other are an accident. */
const LOSS_EVENTS = 6;
/** Startup that loses this share, and packets, of a flight overruns a buffer that is too small for round trips to show. */
const OVERRUN_SHARE = 0.35;
const OVERRUN_PACKETS = 32;

/**
 * Startup tries up to 2.77 times the rate that it knows of, so losses are bound to come once the pipe is full. Loss
 * alone does not show that: it must come with a queue, or be so much that no path is likely to lose it by itself.
 */
export class StartupLoss {
  #events = 0;
  #previous = -2;

  /** A packet was declared lost. */
  onLost(sequence: number): void {
    if (sequence !== this.#previous + 1) this.#events++;
    this.#previous = sequence;
  }

  /** A round as losses count them is over, or its losses turned out to be none. */
  reset(): void {
    this.#events = 0;
  }

  /**
   * True when a round whose flight lost too much ends startup.
   *
   * @param sample The round's last.
   * @param queued A queue stood.
   * @param mtu Bytes of a full packet.
   */
  isOver({ lost, delivered }: RateSample, queued: boolean, mtu: number): boolean {
    if (this.#events < LOSS_EVENTS) return false;
    return queued || lost > Math.max(OVERRUN_SHARE * (lost + delivered), OVERRUN_PACKETS * mtu);
  }
}
