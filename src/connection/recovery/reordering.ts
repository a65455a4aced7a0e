/**
 * How far out of order packets may arrive before one counts as lost (RFC 9002, 6.1).
 *
 * @module
 */
import { GRANULARITY_MS } from "./rtt.ts";
import type { RttEstimator } from "./rtt.ts";

/** SPEC 10: a packet this many sequences below an acknowledged one is lost. */
export const PACKET_THRESHOLD = 3;
const MAX_PACKET_THRESHOLD = 300;
/** SPEC 10: a packet sent this many eighths of an RTT before an acknowledged one is lost. */
const TIME_EIGHTHS = 9;
const MAX_TIME_EIGHTHS = 16;
/** Episodes of true loss after which a path counts as orderly again. */
const FORGET_AFTER = 16;

/**
 * Starts at the thresholds of SPEC 10 and raises them while packets declared lost turn out to have arrived: a path
 * that reorders by more would otherwise look like one that loses (RFC 9002, 6.1.1 allows it).
 */
export class Reordering {
  #packets = PACKET_THRESHOLD;
  #eighths = TIME_EIGHTHS;
  #episodes = 0;
  #raisedMs = -Infinity;
  #lossMs = -Infinity;

  /** Sequences below the largest acknowledged from which on a packet is lost. */
  get packets(): number {
    return this.#packets;
  }

  /** Age from which on a packet below the largest acknowledged is lost, in ms. */
  lossDelay(rtt: RttEstimator): number {
    return Math.max(Math.max(rtt.smoothed, rtt.latest) * this.#eighths / 8, GRANULARITY_MS);
  }

  /** A packet declared lost was acknowledged, `distance` sequences below the largest. */
  onSpurious(distance: number, rtt: RttEstimator, nowMs: number): void {
    this.#episodes = 0;
    this.#packets = Math.min(Math.max(this.#packets, distance + 1), MAX_PACKET_THRESHOLD);
    // Once per round trip: all packets of one shuffle say the same.
    if (nowMs - this.#raisedMs < rtt.smoothed) return;
    this.#raisedMs = nowMs;
    this.#eighths = Math.min(this.#eighths + 1, MAX_TIME_EIGHTHS);
  }

  /** Packets were declared lost. */
  onLoss(rtt: RttEstimator, nowMs: number): void {
    if (nowMs - this.#lossMs < rtt.smoothed) return;
    this.#lossMs = nowMs;
    if (++this.#episodes >= FORGET_AFTER) this.reset();
  }

  /** Back to the thresholds of SPEC 10. */
  reset(): void {
    this.#packets = PACKET_THRESHOLD;
    this.#eighths = TIME_EIGHTHS;
    this.#episodes = 0;
    this.#raisedMs = -Infinity;
  }
}
