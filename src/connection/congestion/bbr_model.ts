/**
 * What BBR knows of the path.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";
import { AckAggregation } from "./bbr_ack_aggregation.ts";
import { BbrBounds, flightAtThreshold } from "./bbr_bounds.ts";
import { flightWithHeadroom } from "./bbr_flight.ts";
import { FullPipe } from "./bbr_full_pipe.ts";
import { LossNoise } from "./bbr_loss_noise.ts";
import { MaxBandwidth } from "./bbr_max_bandwidth.ts";
import { MinRtt } from "./bbr_min_rtt.ts";
import { type BbrPhase, isProbingBandwidth, PHASE_GAINS } from "./bbr_phase.ts";
import { BbrRounds } from "./bbr_rounds.ts";
import { StandingQueue } from "./bbr_standing_queue.ts";
import { INITIAL_WINDOW_PACKETS } from "./controller.ts";

/** Noise that grew by this factor and share since it was taken for congestion: that was no congestion. */
const NOISE_GREW_FACTOR = 1.5;
const NOISE_GREW = 0.005;
/** Loss that exceeds noise by no more than this share is little. */
const LITTLE_LOSS = 0.01;

/**
 * Bandwidth, round trip and what losses and queues forbid, learned from every packet; the phase that a packet was sent
 * in says what can be learned from it. What to do about it is `Bbr`'s part.
 */
export class BbrModel {
  readonly bandwidth: MaxBandwidth = new MaxBandwidth();
  readonly minRtt: MinRtt = new MinRtt();
  readonly aggregation: AckAggregation = new AckAggregation();
  readonly fullPipe: FullPipe = new FullPipe();
  readonly bounds: BbrBounds = new BbrBounds();
  readonly noise: LossNoise = new LossNoise();
  readonly queue: StandingQueue = new StandingQueue();
  readonly rounds: BbrRounds = new BbrRounds();
  /** Bytes of a full packet. */
  mtu: number;
  #lostTotal = 0;
  #lastInProbeRtt = -1;
  #lastInDown = -1;
  /** The last round too was spent without probing. */
  #steady = false;
  #roundAcked = 0;
  #roundLost = 0;
  #noiseAtCut = 0;

  /**
   * Starts without knowledge.
   *
   * @param mtu Bytes of a full packet.
   */
  constructor(mtu: number) {
    this.mtu = mtu;
  }

  /** What the path is thought to carry, in bytes per ms. */
  get estimate(): number {
    return Math.min(this.bandwidth.value, this.bounds.bandwidthLow, this.queue.bound);
  }

  /** What the path holds without a queue, in bytes. */
  get bdp(): number {
    if (this.minRtt.value === Infinity) return INITIAL_WINDOW_PACKETS * this.mtu;
    return this.estimate * this.minRtt.value;
  }

  /** What may be in flight between probes, in bytes. */
  get flightWithHeadroom(): number {
    return flightWithHeadroom(this.bounds.flightHigh, this.mtu);
  }

  /** True while this round lost hardly more than noise. */
  get isLossLittle(): boolean {
    return this.#roundLost <=
      (this.noise.share + LITTLE_LOSS) * (this.#roundLost + this.#roundAcked);
  }

  /**
   * A packet leaves.
   *
   * @param full Whether no other packet fits into the window behind it.
   */
  onSent(packet: SentPacket, phase: BbrPhase, full: boolean): void {
    this.rounds.onSent(packet.sequence, full);
    // The total is the estimator's: a controller that starts in the middle of a session agrees with it.
    this.#lostTotal = packet.lostAtSend;
    if (phase === "probe_bw_down") this.#lastInDown = packet.sequence;
    // What is sent with a window of half of what the path holds says nothing about its bandwidth.
    else if (phase === "probe_rtt") this.#lastInProbeRtt = packet.sequence;
  }

  /** First step of an ACK, in the phase before it. */
  onAcked(
    acked: readonly SentPacket[],
    sample: RateSample,
    phase: BbrPhase,
    window: number,
    nowMs: number,
  ): void {
    const { rounds } = this;
    for (const packet of acked) {
      if (packet.sequence > rounds.largestAcked) rounds.largestAcked = packet.sequence;
    }
    this.noise.onAcked(acked.length, sample.rttMs);
    this.#roundAcked += sample.newlyAcked;
    rounds.onAck();
    if (rounds.started) this.aggregation.onRound();
    const restraint = this.#restraint(phase);
    this.bounds.onSample(sample, restraint, rounds.largestAcked, rounds.largestSent);
    if (!this.isLimited(sample) || sample.deliveryRate >= this.bandwidth.value) {
      this.bandwidth.update(sample.deliveryRate);
    }
    if (this.bounds.lossRoundStart) this.#endLossRound(phase, window);
    if (rounds.started) this.#endRound(phase);
    const { value } = this.bandwidth;
    this.queue.onSample(sample, restraint, value, this.minRtt.value, this.mtu, nowMs);
    this.aggregation.update(sample.newlyAcked, this.estimate, window, nowMs);
  }

  /** Second step of an ACK, in the phase that follows from the first. */
  advance(sample: RateSample, phase: BbrPhase): void {
    this.bounds.advance(sample, this.#restraint(phase));
  }

  /** A packet was declared lost. What probed for a larger packet says nothing about congestion. */
  onLost(packet: SentPacket): void {
    this.#lostTotal += packet.size;
    if (packet.mtuProbe) return;
    this.#roundLost += packet.size;
    this.noise.onLost(packet.sequence);
    this.bounds.onLoss(this.rounds.largestSent);
  }

  /** The losses since `bounds.save` were none. */
  restore(): void {
    this.bounds.restore();
    this.#roundLost = 0;
  }

  /** How large the flight of a lost packet was when its loss became too much, in bytes; undefined while it is not. */
  flightTooLarge(packet: SentPacket): number | undefined {
    const { inFlightAtSend } = packet;
    const lostSinceSent = this.#lostTotal - packet.lostAtSend;
    if (!this.isTooMuch(lostSinceSent, inFlightAtSend)) return undefined;
    const tolerated = this.noise.tolerance(inFlightAtSend, this.mtu) / inFlightAtSend;
    return flightAtThreshold(packet, lostSinceSent, tolerated);
  }

  /** Losses of a probe bound the flight from now on, unless they turn out to be noise. */
  cut(flight: number): void {
    this.bounds.flightHigh = flight;
    this.#noiseAtCut = this.noise.share;
  }

  /** True when the sender, not the path, decided the rate of this sample. */
  isLimited(sample: RateSample): boolean {
    return sample.isAppLimited || this.rounds.largestAcked <= this.#lastInProbeRtt;
  }

  /** True when a flight lost more than noise and chance explain; both in bytes. */
  isTooMuch(lost: number, flight: number): boolean {
    return lost > this.noise.tolerance(flight, this.mtu);
  }

  /** True when within the last round the window was full and it was the upper bound that kept it from being larger. */
  isHeldByUpperBound(window: number): boolean {
    return this.rounds.windowFilled && window >= this.bounds.flightHigh;
  }

  #endLossRound(phase: BbrPhase, window: number): void {
    if (
      this.bounds.lossInRound && !isProbingBandwidth(phase) &&
      this.isTooMuch(this.#roundLost, this.#roundAcked + this.#roundLost)
    ) {
      this.bounds.lower(this.bandwidth.value, window, this.noise.share);
    }
    this.bounds.lossInRound = false;
    this.#roundAcked = 0;
    this.#roundLost = 0;
  }

  #endRound(phase: BbrPhase): void {
    const steady = phase === "probe_bw_down" || phase === "probe_bw_cruise";
    this.queue.onRound(steady, this.bandwidth.value, this.minRtt.value, this.mtu);
    const growing = phase === "startup" && this.fullPipe.rounds === 0;
    this.noise.onRound(growing || (steady && this.#steady));
    this.#steady = steady;
    if (this.noise.share > NOISE_GREW_FACTOR * this.#noiseAtCut + NOISE_GREW) {
      this.bounds.flightHigh = Infinity;
    }
  }

  /** Share of the estimate at which the packets acknowledged now may have been sent. */
  #restraint(phase: BbrPhase): number {
    if (phase === "drain" || this.rounds.largestAcked <= this.#lastInProbeRtt) return 0;
    return this.rounds.largestAcked <= this.#lastInDown ? PHASE_GAINS.probe_bw_down.pacing : 1;
  }
}
