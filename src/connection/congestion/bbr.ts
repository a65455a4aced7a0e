/**
 * BBR version 3.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";
import { LOSS_BETA } from "./bbr_bounds.ts";
import { minimumFlight, workableFlight } from "./bbr_flight.ts";
import { BbrModel } from "./bbr_model.ts";
import { type BbrPhase, PHASE_GAINS } from "./bbr_phase.ts";
import { ProbeGain } from "./bbr_probe_gain.ts";
import { ProbeRttTimer } from "./bbr_probe_rtt.ts";
import { BbrSchedule } from "./bbr_schedule.ts";
import { StartupLoss } from "./bbr_startup_loss.ts";
import { isTripling, leastInStartup } from "./bbr_startup_rate.ts";
import {
  type CongestionController,
  INITIAL_WINDOW_PACKETS,
  PACING_MIN_RTT_MS,
} from "./controller.ts";
import { RecoveryPeriod } from "./recovery_period.ts";

/** Paced a little below the estimate, so that a queue that formed goes away. */
const PACING_MARGIN = 0.995;
/** Half of the noise is sent on top, so that an estimate of what arrives does not sink by it from probe to probe. */
const NOISE_MADE_UP = 0.5;
/** What is left at least of the estimate of a flow that had to yield, when it probes again. */
const YIELDED_ESTIMATE = 0.85;

/**
 * Paces at the measured bandwidth and keeps the flight near bandwidth times round trip. Loss bounds the flight only
 * where it exceeds what the path loses at any rate by 2 % (see `LossNoise`); a queue that stays while others get
 * their share makes it yield (see `StandingQueue`). What is known of the path is in {@link BbrModel}; here is what to do.
 */
export class Bbr implements CongestionController {
  readonly name = "bbr";
  readonly #model: BbrModel;
  readonly #startupLoss: StartupLoss = new StartupLoss();
  readonly #episode: RecoveryPeriod = new RecoveryPeriod();
  readonly #schedule: BbrSchedule = new BbrSchedule();
  readonly #probeGain: ProbeGain = new ProbeGain();
  readonly #probeRtt: ProbeRttTimer = new ProbeRttTimer();
  #phase: BbrPhase = "startup";
  #window: number;
  #savedWindow = 0;
  #pacingRate: number | undefined;
  #fullBandwidthReached = false;
  #untouched = true;
  #idleRestart = false;
  #probeSamples = false;
  #probeEnding = false;
  /** A round has passed since the phase "down" began. */
  #downRound = false;
  /** The phase that the losses of this episode ended. */
  #endedByLoss: BbrPhase | undefined;

  /**
   * Starts with the initial window.
   *
   * @param mtu Bytes of a full packet.
   */
  constructor(mtu: number) {
    this.#model = new BbrModel(mtu);
    this.#window = INITIAL_WINDOW_PACKETS * mtu;
  }

  get window(): number {
    return this.#window;
  }

  get pacingRate(): number | undefined {
    return this.#model.minRtt.value < PACING_MIN_RTT_MS ? undefined : this.#pacingRate;
  }

  onSent(packet: SentPacket, bytesInFlight: number, _nowMs: number): void {
    this.#model.onSent(packet, this.#phase, bytesInFlight + this.#model.mtu > this.#window);
  }

  onAcked(
    acked: readonly SentPacket[],
    sample: RateSample | undefined,
    _rtt: RttEstimator,
    bytesInFlight: number,
    nowMs: number,
  ): void {
    if (sample === undefined) return;
    this.#untouched = false;
    this.#model.onAcked(acked, sample, this.#phase, this.#window, nowMs);
    if (this.#model.rounds.started) this.#schedule.onRound();
    this.#updatePhase(sample, bytesInFlight, nowMs);
    this.#model.advance(sample, this.#phase);
    this.#idleRestart = false;
    this.#setWindow(sample);
    this.#setPacingRate();
  }

  onLost(
    lost: readonly SentPacket[],
    persistent: boolean,
    bytesInFlight: number,
    nowMs: number,
  ): void {
    if (this.#episode.begins(lost, this.#model.rounds.largestSent)) {
      this.#model.bounds.save();
      this.#endedByLoss = undefined;
    }
    for (const packet of lost) {
      this.#model.onLost(packet);
      if (packet.mtuProbe) continue;
      this.#startupLoss.onLost(packet.sequence);
      const flight = this.#probeSamples ? this.#model.flightTooLarge(packet) : undefined;
      if (flight !== undefined) this.#onFlightTooLarge(flight, packet.appLimited, nowMs);
    }
    if (!persistent) return;
    this.#window = Math.max(bytesInFlight + this.#model.mtu, minimumFlight(this.#model.mtu));
    this.#episode.confirm();
  }

  onSpuriousLoss(sequences: readonly number[]): void {
    if (!this.#episode.isRefuted(sequences)) return;
    this.#model.restore();
    this.#startupLoss.reset();
    this.#model.fullPipe.reset(this.#model.bandwidth.value);
    if (this.#phase === "probe_rtt") return;
    if (this.#endedByLoss === "startup") {
      this.#enterStartup();
    } else if (this.#endedByLoss === "probe_bw_up" && this.#phase !== "probe_bw_up") {
      this.#enterUp(this.#model.bandwidth.value);
    }
    this.#endedByLoss = undefined;
  }

  onMtu(bytes: number): void {
    this.#model.mtu = bytes;
    if (this.#untouched) this.#window = INITIAL_WINDOW_PACKETS * bytes;
    this.#window = Math.max(this.#window, minimumFlight(this.#model.mtu));
  }

  onIdleRestart(nowMs: number): void {
    this.#idleRestart = true;
    if (this.#phase === "probe_rtt") {
      if (this.#probeRtt.hasElapsed(nowMs)) this.#finishProbeRtt(nowMs);
    } else if (this.#phase.startsWith("probe_bw")) {
      this.#pacingRate = this.#model.estimate * PACING_MARGIN;
    }
  }

  state(): string {
    return this.#phase;
  }

  // The phases.

  #updatePhase(sample: RateSample, bytesInFlight: number, nowMs: number): void {
    if (!this.#model.isLimited(sample) && sample.deliveryRate > 0) {
      this.#model.fullPipe.update(sample.deliveryRate, this.#model.rounds.started);
    }
    if (this.#model.fullPipe.now) this.#fullBandwidthReached = true;
    if (this.#phase === "startup") this.#checkStartup(sample);
    if (this.#phase === "drain" && bytesInFlight <= this.#flightFor(1)) {
      this.#enterDown(nowMs);
      // The queue is gone already.
      this.#phase = "probe_bw_cruise";
    }
    if (this.#fullBandwidthReached) {
      this.#adaptUpperBound(sample, nowMs);
      this.#updateCycle(sample, bytesInFlight, nowMs);
    }
    this.#model.minRtt.update(sample.rttMs, nowMs);
    this.#checkProbeRtt(bytesInFlight, nowMs);
  }

  #checkStartup(sample: RateSample): void {
    const { bounds, fullPipe, queue, minRtt, mtu } = this.#model;
    if (bounds.lossRoundStart) {
      const tooMuch = fullPipe.rounds > 0 &&
        this.#model.isTooMuch(sample.lost, sample.inFlightAtSend);
      const queued = queue.stoodLastRound(minRtt.value);
      if (tooMuch && this.#startupLoss.isOver(sample, queued, mtu)) {
        this.#fullBandwidthReached = true;
        this.#endedByLoss = "startup";
        bounds.flightHigh = Math.max(this.#model.bdp, bounds.flightLatest);
      }
      this.#startupLoss.reset();
    }
    if (queue.isFull(fullPipe.rounds === 0)) this.#fullBandwidthReached = true;
    if (this.#fullBandwidthReached) this.#phase = "drain";
  }

  #adaptUpperBound(sample: RateSample, nowMs: number): void {
    const { bandwidth, bounds, rounds, mtu } = this.#model;
    if (this.#probeEnding && rounds.started) {
      // The flight of the probe has been acknowledged: its samples are complete.
      this.#probeSamples = false;
      this.#probeEnding = false;
      if (this.#phase.startsWith("probe_bw") && !this.#model.isLimited(sample)) {
        bandwidth.advance();
      }
    }
    if (this.#model.isTooMuch(sample.lost, sample.inFlightAtSend)) {
      if (this.#probeSamples) {
        this.#onFlightTooLarge(sample.inFlightAtSend, sample.isAppLimited, nowMs);
      }
      return;
    }
    if (bounds.flightHigh === Infinity) return;
    bounds.flightHigh = Math.max(bounds.flightHigh, sample.inFlightAtSend);
    if (this.#phase === "probe_bw_up" && this.#model.isHeldByUpperBound(this.#window)) {
      bounds.raise(sample.newlyAcked, this.#window, mtu, rounds.started);
    }
  }

  #onFlightTooLarge(flight: number, appLimited: boolean, nowMs: number): void {
    // One verdict per probe: the losses that follow belong to the same flight.
    this.#probeSamples = false;
    if (!appLimited) this.#model.cut(Math.max(flight, this.#targetFlight() * LOSS_BETA));
    if (this.#phase !== "probe_bw_up") return;
    this.#probeGain.meetLimit();
    this.#enterDown(nowMs);
    this.#endedByLoss = "probe_bw_up";
  }

  // The cycle of bandwidth probes.

  #updateCycle(sample: RateSample, bytesInFlight: number, nowMs: number): void {
    if (this.#model.rounds.started) this.#downRound = true;
    const drained = this.#phase !== "probe_bw_down";
    const due = this.#schedule.isDue(nowMs, this.#targetFlight() / this.#model.mtu, drained);
    switch (this.#phase) {
      case "probe_bw_down":
        if (due) this.#enterRefill();
        else if (
          this.#downRound &&
          bytesInFlight <= Math.min(this.#model.flightWithHeadroom, this.#flightFor(1))
        ) {
          this.#phase = "probe_bw_cruise";
        }
        break;
      case "probe_bw_cruise":
        if (due) this.#enterRefill();
        break;
      case "probe_bw_refill":
        if (this.#model.rounds.started) this.#enterUp(sample.deliveryRate);
        break;
      case "probe_bw_up":
        if (this.#hasFoundMuchMore()) this.#enterStartup();
        else if (this.#model.isHeldByUpperBound(this.#window)) {
          this.#model.fullPipe.reset(sample.deliveryRate);
        } else if (this.#model.fullPipe.now) this.#enterDown(nowMs);
        break;
      default:
    }
  }

  #enterDown(nowMs: number): void {
    const { bandwidth, bounds, minRtt, rounds } = this.#model;
    bounds.resetSignals();
    this.#downRound = false;
    const soonMs = this.#probeGain.nextRounds(bandwidth.value) * minRtt.value;
    this.#schedule.restart(nowMs, rounds.largestSent, soonMs);
    this.#probeEnding = true;
    rounds.restart();
    this.#phase = "probe_bw_down";
  }

  #enterRefill(): void {
    const { bandwidth, bounds, queue, rounds } = this.#model;
    bounds.resetShortTerm();
    bandwidth.limit(Math.max(queue.bound, YIELDED_ESTIMATE * bandwidth.value));
    queue.bound = Infinity;
    this.#probeEnding = false;
    rounds.restart();
    this.#phase = "probe_bw_refill";
  }

  #enterUp(rate: number): void {
    const { bandwidth, bounds, fullPipe, rounds } = this.#model;
    this.#probeSamples = true;
    rounds.restart();
    fullPipe.reset(rate);
    bounds.startRaising();
    this.#probeGain.begin(bandwidth.value);
    this.#phase = "probe_bw_up";
  }

  /**
   * What startup found was far too low: the estimate grew by 40 % within a probe that met no queue and no loss but
   * noise. Not once losses have ended a probe: flows that share a small buffer would overrun it again and again.
   */
  #hasFoundMuchMore(): boolean {
    return this.#model.queue.isClear && this.#probeGain.isMuch(this.#model.bandwidth.value) &&
      this.#model.isLossLittle;
  }

  #enterStartup(): void {
    this.#probeSamples = false;
    this.#fullBandwidthReached = false;
    this.#model.bounds.flightHigh = Infinity;
    this.#model.fullPipe.reset(this.#model.bandwidth.value);
    this.#phase = "startup";
  }

  // Probing for the lowest round trip.

  #checkProbeRtt(bytesInFlight: number, nowMs: number): void {
    if (this.#phase !== "probe_rtt") {
      // After a pause the path is as empty as it gets.
      if (!this.#model.minRtt.expired || this.#idleRestart) return;
      this.#savedWindow = this.#window;
      this.#phase = "probe_rtt";
      this.#probeEnding = true;
      this.#model.rounds.restart();
      this.#probeRtt.start();
    } else if (this.#model.rounds.started) this.#probeRtt.onRound();
    if (bytesInFlight <= this.#probeRttWindow() && this.#probeRtt.onSmallFlight(nowMs)) {
      this.#model.rounds.restart();
    }
    if (this.#probeRtt.isOver(nowMs)) this.#finishProbeRtt(nowMs);
  }

  #finishProbeRtt(nowMs: number): void {
    this.#model.minRtt.refresh(nowMs);
    this.#window = Math.max(this.#window, this.#savedWindow);
    this.#model.bounds.resetShortTerm();
    if (this.#fullBandwidthReached) {
      this.#enterDown(nowMs);
      this.#phase = "probe_bw_cruise";
    } else {
      this.#phase = "startup";
    }
  }

  // What follows for the sender.

  #setPacingRate(): void {
    const { estimate, minRtt, noise, mtu } = this.#model;
    const bandwidth = this.#fullBandwidthReached
      ? estimate
      : Math.max(estimate, leastInStartup(this.#window, minRtt.value, mtu));
    const rate = PHASE_GAINS[this.#phase].pacing * bandwidth * PACING_MARGIN /
      (1 - NOISE_MADE_UP * noise.share);
    // Before the pipe was full once, an estimate lower than the last is only a sample of a sender that had less to send.
    if (this.#fullBandwidthReached || rate > (this.#pacingRate ?? 0)) this.#pacingRate = rate;
  }

  #setWindow(sample: RateSample): void {
    const { aggregation, bounds, mtu } = this.#model;
    const target = this.#flightFor(PHASE_GAINS[this.#phase].window, aggregation.extra);
    if (this.#fullBandwidthReached) {
      this.#window = Math.min(this.#window + sample.newlyAcked, target);
    } else if (
      this.#window < target ||
      sample.totalDelivered < INITIAL_WINDOW_PACKETS * mtu
    ) {
      const factor = isTripling(this.#window, mtu) ? 2 : 1;
      this.#window += factor * sample.newlyAcked;
    }
    let cap = bounds.flightLow;
    if (this.#phase === "probe_rtt") cap = Math.min(cap, this.#probeRttWindow());
    if (this.#phase === "probe_rtt" || this.#phase === "probe_bw_cruise") {
      cap = Math.min(cap, this.#model.flightWithHeadroom);
    } else if (this.#phase.startsWith("probe_bw")) {
      cap = Math.min(cap, bounds.flightHigh);
    }
    this.#window = Math.max(Math.min(this.#window, cap), minimumFlight(mtu));
  }

  // Quantities.

  #flightFor(gain: number, extra: number = 0): number {
    const held = gain * this.#model.bdp + extra;
    const flight = workableFlight(held, this.#pacingRate ?? 0, this.#model.mtu);
    return this.#phase === "probe_bw_up" ? flight + 2 * this.#model.mtu : flight;
  }

  #targetFlight(): number {
    return Math.min(this.#model.bdp, this.#window);
  }

  #probeRttWindow(): number {
    return Math.max(PHASE_GAINS.probe_rtt.window * this.#model.bdp, minimumFlight(this.#model.mtu));
  }
}
