/**
 * What losses forbid BBR.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";

/** What a round with losses leaves of the short-term bounds at worst. */
export const LOSS_BETA = 0.7;
/**
 * A probe raises the bound by 8, 16, 32… packets per round. Steps that are equal for all flows, and cuts by a share,
 * even flows out; from one packet on (the draft) that takes minutes.
 */
const FIRST_RAISE_ROUND = 3;
const MAX_RAISE_ROUNDS = 30;

/**
 * Two kinds of bounds: the long-term one on the flight, found by probing; the short-term ones on bandwidth and flight,
 * set by losses between probes and dropped at the next probe.
 */
export class BbrBounds {
  /** Largest flight that did not lose too much, in bytes; Infinity while none has. */
  flightHigh: number = Infinity;
  /** Short-term bound of the flight, in bytes. */
  flightLow: number = Infinity;
  /** Short-term bound of the bandwidth, in bytes per ms. */
  bandwidthLow: number = Infinity;
  /** Most bytes delivered within one round trip, over the last round. */
  flightLatest: number = 0;
  /** True from the first loss to the end of the round that it began. */
  lossInRound: boolean = false;
  /** True when the last sample ended a round as losses count them. */
  lossRoundStart: boolean = false;
  #bandwidthLatest = 0;
  #restraint = 1;
  #lossRoundEnd = -1;
  #saved = { flightHigh: Infinity, flightLow: Infinity, bandwidthLow: Infinity };
  #raiseRounds = 0;
  #raisePackets = 1;

  /** A packet was declared lost while `largestSent` was the newest. */
  onLoss(largestSent: number): void {
    // What is in flight now was sent before the loss was known: the round ends behind it.
    if (!this.lossInRound) this.#lossRoundEnd = largestSent;
    this.lossInRound = true;
  }

  /** Losses begin that may turn out to have been none. */
  save(): void {
    const { flightHigh, flightLow, bandwidthLow } = this;
    this.#saved = { flightHigh, flightLow, bandwidthLow };
  }

  /** They were none: no bound is lower than at the last `save`. */
  restore(): void {
    this.flightHigh = Math.max(this.flightHigh, this.#saved.flightHigh);
    this.flightLow = Math.max(this.flightLow, this.#saved.flightLow);
    this.bandwidthLow = Math.max(this.bandwidthLow, this.#saved.bandwidthLow);
    this.lossInRound = false;
  }

  /**
   * First step of an ACK.
   *
   * @param sample Its rate sample.
   * @param restraint Share of its estimate at which BBR sent what was acknowledged, 0 to 1: what it held back itself is
   * not to be taken for congestion. 0: no verdict.
   * @param largestAcked The highest sequence acknowledged.
   * @param largestSent The highest sequence that has left.
   */
  onSample(
    sample: RateSample,
    restraint: number,
    largestAcked: number,
    largestSent: number,
  ): void {
    this.#restraint = Math.min(this.#restraint, restraint);
    this.#bandwidthLatest = Math.max(this.#bandwidthLatest, sample.deliveryRate);
    this.flightLatest = Math.max(this.flightLatest, sample.delivered);
    this.lossRoundStart = largestAcked > this.#lossRoundEnd;
    if (this.lossRoundStart) this.#lossRoundEnd = largestSent;
  }

  /** Last step of an ACK: a new round forgets what the previous one delivered. */
  advance(sample: RateSample, restraint: number): void {
    if (!this.lossRoundStart) return;
    this.#restraint = restraint;
    this.#bandwidthLatest = sample.deliveryRate;
    this.flightLatest = sample.delivered;
  }

  /**
   * A round without probing lost too much: what it delivered is what is safe, but no cut is deeper than 30 %.
   *
   * @param noise Share of packets that the path loses whatever the rate.
   */
  lower(bandwidth: number, window: number, noise: number): void {
    if (this.#restraint === 0) return;
    if (this.bandwidthLow === Infinity) this.bandwidthLow = bandwidth;
    if (this.flightLow === Infinity) this.flightLow = window;
    this.bandwidthLow = lowered(this.bandwidthLow, this.#bandwidthLatest / this.#restraint, noise);
    this.flightLow = lowered(this.flightLow, this.flightLatest / this.#restraint, noise);
  }

  /** A probe begins, or the path was measured anew: short-term bounds have had their time. */
  resetShortTerm(): void {
    this.bandwidthLow = Infinity;
    this.flightLow = Infinity;
  }

  /** What the rounds of a probe delivered says nothing about the time after it. */
  resetSignals(): void {
    this.lossInRound = false;
    this.#bandwidthLatest = 0;
    this.flightLatest = 0;
  }

  /** A probe for bandwidth begins: the upper bound will rise by 8 packets in the first round. */
  startRaising(): void {
    this.#raiseRounds = FIRST_RAISE_ROUND + 1;
    this.#raisePackets = 2 ** FIRST_RAISE_ROUND;
  }

  /** Raises the upper bound by 8, 16, 32… packets per round while it is what holds the sender back. */
  raise(acked: number, window: number, mtu: number, roundStart: boolean): void {
    this.flightHigh += acked * this.#raisePackets * mtu / window;
    if (!roundStart) return;
    this.#raisePackets = 2 ** this.#raiseRounds;
    this.#raiseRounds = Math.min(this.#raiseRounds + 1, MAX_RAISE_ROUNDS);
  }
}

/**
 * A round is credited with the loss that is noise: otherwise the bounds of a path that loses 1 % of everything, and
 * delivers that much less than was sent, would sink round by round until the next probe.
 */
function lowered(bound: number, delivered: number, noise: number): number {
  return Math.min(bound, Math.max(delivered / (1 - noise), LOSS_BETA * bound));
}

/**
 * How large the flight was when, packet by packet, its loss passed the threshold.
 *
 * @param packet The lost packet.
 * @param lost Bytes lost since it was sent, its own included.
 * @param threshold Share of a flight above which its loss is too much.
 */
export function flightAtThreshold(packet: SentPacket, lost: number, threshold: number): number {
  const flightBefore = packet.inFlightAtSend - packet.size;
  const lostBefore = lost - packet.size;
  const more = (threshold * flightBefore - lostBefore) / (1 - threshold);
  return flightBefore + Math.max(more, 0);
}
