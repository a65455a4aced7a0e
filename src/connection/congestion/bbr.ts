/**
 * BBR version 3.
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";
import { BbrBounds, flightAtThreshold, LOSS_BETA } from "./bbr_bounds.ts";
import { AckAggregation } from "./bbr_ack_aggregation.ts";
import { flightWithHeadroom, minimumFlight, workableFlight } from "./bbr_flight.ts";
import { FullPipe } from "./bbr_full_pipe.ts";
import { LossNoise } from "./bbr_loss_noise.ts";
import { MaxBandwidth } from "./bbr_max_bandwidth.ts";
import { MinRtt } from "./bbr_min_rtt.ts";
import { type BbrPhase, isProbingBandwidth, PHASE_GAINS } from "./bbr_phase.ts";
import { ProbeRttTimer } from "./bbr_probe_rtt.ts";
import { BbrRounds } from "./bbr_rounds.ts";
import { BbrSchedule } from "./bbr_schedule.ts";
import { StartupLoss } from "./bbr_startup_loss.ts";
import { StandingQueue } from "./bbr_standing_queue.ts";
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
/** Up to this window startup triples it per round instead of doubling it, and is paced by it (`#leastInStartup`). */
const TRIPLING_PACKETS = 300;
/** How many of these windows are paced over a round trip. */
const WINDOWS_PER_ROUND = 3;
/** On shorter paths that rate would raise the window in turn, which is at least what timers let go (`workableFlight`). */
const FLOOR_MIN_RTT_MS = 10;
/** The wait for the next probe after one that found more, in round trips; doubled by each that finds nothing. */
const SOON_ROUNDS = 2;
/** A probe that finds so much more, and no more loss than noise and this share, goes on as startup. */
const MUCH_MORE = 1.4;
const LITTLE_LOSS = 0.01;
/** A probe that finds so much more is followed by the next one soon. */
const SOME_MORE = 1.25;
/** What is left at least of the estimate of a flow that had to yield, when it probes again. */
const YIELDED_ESTIMATE = 0.85;
/** Noise that grew by this factor and share since it was taken for congestion: that was no congestion. */
const NOISE_GREW_FACTOR = 1.5;
const NOISE_GREW = 0.005;

/**
 * Paces at the measured bandwidth and keeps the flight near bandwidth times round trip. Loss bounds the flight only
 * where it exceeds what the path loses at any rate by 2 % (see {@link LossNoise}); a queue that stays while others get
 * their share makes it yield (see {@link StandingQueue}).
 */
export class Bbr implements CongestionController {
  readonly name = "bbr";
  readonly #bandwidth: MaxBandwidth = new MaxBandwidth();
  readonly #minRtt: MinRtt = new MinRtt();
  readonly #aggregation: AckAggregation = new AckAggregation();
  readonly #fullPipe: FullPipe = new FullPipe();
  readonly #bounds: BbrBounds = new BbrBounds();
  readonly #noise: LossNoise = new LossNoise();
  readonly #queue: StandingQueue = new StandingQueue();
  readonly #startupLoss: StartupLoss = new StartupLoss();
  readonly #episode: RecoveryPeriod = new RecoveryPeriod();
  readonly #rounds: BbrRounds = new BbrRounds();
  readonly #schedule: BbrSchedule = new BbrSchedule();
  readonly #probeRtt: ProbeRttTimer = new ProbeRttTimer();
  #phase: BbrPhase = "startup";
  #mtu: number;
  #window: number;
  #savedWindow = 0;
  #pacingRate: number | undefined;
  #fullBandwidthReached = false;
  #untouched = true;
  #idleRestart = false;

  #lostTotal = 0;
  #probeSamples = false;
  #probeEnding = false;
  #lastInProbeRtt = -1;
  #lastInDown = -1;
  /** A round has passed since the phase "down" began. */
  #downRound = false;
  /** The last round too was spent without probing. */
  #steady = false;
  #roundAcked = 0;
  #roundLost = 0;
  #noiseAtCut = 0;
  #soonRounds = SOON_ROUNDS;
  /** Losses have ended a probe: startup is not repeated. */
  #limitMet = false;
  /** The estimate when the last probe began. */
  #probedFrom = 0;
  /** The phase that the losses of this episode ended. */
  #endedByLoss: BbrPhase | undefined;

  /**
   * Starts with the initial window.
   *
   * @param mtu Bytes of a full packet.
   */
  constructor(mtu: number) {
    this.#mtu = mtu;
    this.#window = INITIAL_WINDOW_PACKETS * mtu;
  }

  get window(): number {
    return this.#window;
  }

  get pacingRate(): number | undefined {
    return this.#minRtt.value < PACING_MIN_RTT_MS ? undefined : this.#pacingRate;
  }

  onSent(packet: SentPacket, bytesInFlight: number, _nowMs: number): void {
    this.#rounds.onSent(packet.sequence, bytesInFlight + this.#mtu > this.#window);
    // The total is the estimator's: a controller that starts in the middle of a session agrees with it.
    this.#lostTotal = packet.lostAtSend;
    if (this.#phase === "probe_bw_down") this.#lastInDown = packet.sequence;
    // What is sent with a window of half of what the path holds says nothing about its bandwidth.
    else if (this.#phase === "probe_rtt") this.#lastInProbeRtt = packet.sequence;
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
    for (const packet of acked) {
      if (packet.sequence > this.#rounds.largestAcked) this.#rounds.largestAcked = packet.sequence;
    }
    this.#noise.onAcked(acked.length, sample.rttMs);
    this.#roundAcked += sample.newlyAcked;
    this.#updateModel(sample, nowMs);
    this.#updatePhase(sample, bytesInFlight, nowMs);
    this.#bounds.advance(sample, this.#restraint());
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
    if (this.#episode.begins(lost, this.#rounds.largestSent)) {
      this.#bounds.save();
      this.#endedByLoss = undefined;
    }
    for (const packet of lost) {
      this.#lostTotal += packet.size;
      if (packet.mtuProbe) continue;
      this.#roundLost += packet.size;
      this.#noise.onLost(packet.sequence);
      this.#startupLoss.onLost(packet.sequence);
      this.#bounds.onLoss(this.#rounds.largestSent);
      const lostSinceSent = this.#lostTotal - packet.lostAtSend;
      if (this.#probeSamples && this.#isTooMuch(lostSinceSent, packet.inFlightAtSend)) {
        const { inFlightAtSend } = packet;
        const tolerated = this.#noise.tolerance(inFlightAtSend, this.#mtu) / inFlightAtSend;
        const flight = flightAtThreshold(packet, lostSinceSent, tolerated);
        this.#onFlightTooLarge(flight, packet.appLimited, nowMs);
      }
    }
    if (!persistent) return;
    this.#window = Math.max(bytesInFlight + this.#mtu, minimumFlight(this.#mtu));
    this.#episode.confirm();
  }

  onSpuriousLoss(sequences: readonly number[]): void {
    if (!this.#episode.isRefuted(sequences)) return;
    this.#bounds.restore();
    this.#roundLost = 0;
    this.#startupLoss.reset();
    this.#fullPipe.reset(this.#bandwidth.value);
    if (this.#phase === "probe_rtt") return;
    if (this.#endedByLoss === "startup") {
      this.#enterStartup();
    } else if (this.#endedByLoss === "probe_bw_up" && this.#phase !== "probe_bw_up") {
      this.#enterUp(this.#bandwidth.value);
    }
    this.#endedByLoss = undefined;
  }

  onMtu(bytes: number): void {
    this.#mtu = bytes;
    if (this.#untouched) this.#window = INITIAL_WINDOW_PACKETS * bytes;
    this.#window = Math.max(this.#window, minimumFlight(this.#mtu));
  }

  onIdleRestart(nowMs: number): void {
    this.#idleRestart = true;
    if (this.#phase === "probe_rtt") {
      if (this.#probeRtt.hasElapsed(nowMs)) this.#finishProbeRtt(nowMs);
    } else if (this.#phase.startsWith("probe_bw")) {
      this.#pacingRate = this.#estimate() * PACING_MARGIN;
    }
  }

  state(): string {
    return this.#phase;
  }

  // The model.

  #updateModel(sample: RateSample, nowMs: number): void {
    const rounds = this.#rounds;
    rounds.onAck();
    if (rounds.started) {
      this.#schedule.onRound();
      this.#aggregation.onRound();
    }
    this.#bounds.onSample(sample, this.#restraint(), rounds.largestAcked, rounds.largestSent);
    if (!this.#isLimited(sample) || sample.deliveryRate >= this.#bandwidth.value) {
      this.#bandwidth.update(sample.deliveryRate);
    }
    if (this.#bounds.lossRoundStart) {
      if (
        this.#bounds.lossInRound && !isProbingBandwidth(this.#phase) &&
        this.#isTooMuch(this.#roundLost, this.#roundAcked + this.#roundLost)
      ) {
        this.#bounds.lower(this.#bandwidth.value, this.#window, this.#noise.share);
      }
      this.#bounds.lossInRound = false;
      this.#roundAcked = 0;
      this.#roundLost = 0;
    }
    if (rounds.started) this.#endRound();
    const { value } = this.#bandwidth;
    this.#queue.onSample(sample, this.#restraint(), value, this.#minRtt.value, this.#mtu, nowMs);
    this.#aggregation.update(sample.newlyAcked, this.#estimate(), this.#window, nowMs);
  }

  #endRound(): void {
    const steady = this.#phase === "probe_bw_down" || this.#phase === "probe_bw_cruise";
    this.#queue.onRound(steady, this.#bandwidth.value, this.#minRtt.value, this.#mtu);
    const growing = this.#phase === "startup" && this.#fullPipe.rounds === 0;
    this.#noise.onRound(growing || (steady && this.#steady));
    this.#steady = steady;
    if (this.#noise.share > NOISE_GREW_FACTOR * this.#noiseAtCut + NOISE_GREW) {
      this.#bounds.flightHigh = Infinity;
    }
  }

  #updatePhase(sample: RateSample, bytesInFlight: number, nowMs: number): void {
    if (!this.#isLimited(sample) && sample.deliveryRate > 0) {
      this.#fullPipe.update(sample.deliveryRate, this.#rounds.started);
    }
    if (this.#fullPipe.now) this.#fullBandwidthReached = true;
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
    this.#minRtt.update(sample.rttMs, nowMs);
    this.#checkProbeRtt(bytesInFlight, nowMs);
  }

  #checkStartup(sample: RateSample): void {
    const bounds = this.#bounds;
    if (bounds.lossRoundStart) {
      const tooMuch = this.#fullPipe.rounds > 0 &&
        this.#isTooMuch(sample.lost, sample.inFlightAtSend);
      const queued = this.#queue.stoodLastRound(this.#minRtt.value);
      if (tooMuch && this.#startupLoss.isOver(sample, queued, this.#mtu)) {
        this.#fullBandwidthReached = true;
        this.#endedByLoss = "startup";
        bounds.flightHigh = Math.max(this.#bdp(), bounds.flightLatest);
      }
      this.#startupLoss.reset();
    }
    if (this.#queue.isFull(this.#fullPipe.rounds === 0)) this.#fullBandwidthReached = true;
    if (this.#fullBandwidthReached) this.#phase = "drain";
  }

  #adaptUpperBound(sample: RateSample, nowMs: number): void {
    if (this.#probeEnding && this.#rounds.started) {
      // The flight of the probe has been acknowledged: its samples are complete.
      this.#probeSamples = false;
      this.#probeEnding = false;
      if (this.#phase.startsWith("probe_bw") && !this.#isLimited(sample)) {
        this.#bandwidth.advance();
      }
    }
    if (this.#isTooMuch(sample.lost, sample.inFlightAtSend)) {
      if (this.#probeSamples) {
        this.#onFlightTooLarge(sample.inFlightAtSend, sample.isAppLimited, nowMs);
      }
      return;
    }
    if (this.#bounds.flightHigh === Infinity) return;
    this.#bounds.flightHigh = Math.max(this.#bounds.flightHigh, sample.inFlightAtSend);
    if (this.#phase === "probe_bw_up" && this.#isHeldByUpperBound()) {
      this.#bounds.raise(sample.newlyAcked, this.#window, this.#mtu, this.#rounds.started);
    }
  }

  #onFlightTooLarge(flight: number, appLimited: boolean, nowMs: number): void {
    // One verdict per probe: the losses that follow belong to the same flight.
    this.#probeSamples = false;
    if (!appLimited) {
      this.#bounds.flightHigh = Math.max(flight, this.#targetFlight() * LOSS_BETA);
      this.#noiseAtCut = this.#noise.share;
    }
    if (this.#phase !== "probe_bw_up") return;
    this.#limitMet = true;
    this.#enterDown(nowMs);
    this.#endedByLoss = "probe_bw_up";
  }

  // The cycle of bandwidth probes.

  #updateCycle(sample: RateSample, bytesInFlight: number, nowMs: number): void {
    if (this.#rounds.started) this.#downRound = true;
    const drained = this.#phase !== "probe_bw_down";
    const due = this.#schedule.isDue(nowMs, this.#targetFlight() / this.#mtu, drained);
    switch (this.#phase) {
      case "probe_bw_down":
        if (due) this.#enterRefill();
        else if (
          this.#downRound &&
          bytesInFlight <= Math.min(this.#flightWithHeadroom(), this.#flightFor(1))
        ) {
          this.#phase = "probe_bw_cruise";
        }
        break;
      case "probe_bw_cruise":
        if (due) this.#enterRefill();
        break;
      case "probe_bw_refill":
        if (this.#rounds.started) this.#enterUp(sample.deliveryRate);
        break;
      case "probe_bw_up":
        if (this.#hasFoundMuchMore()) this.#enterStartup();
        else if (this.#isHeldByUpperBound()) this.#fullPipe.reset(sample.deliveryRate);
        else if (this.#fullPipe.now) this.#enterDown(nowMs);
        break;
      default:
    }
  }

  #enterDown(nowMs: number): void {
    this.#bounds.resetSignals();
    this.#downRound = false;
    this.#soonRounds = this.#bandwidth.value >= SOME_MORE * this.#probedFrom
      ? SOON_ROUNDS
      : 2 * this.#soonRounds;
    this.#schedule.restart(nowMs, this.#rounds.largestSent, this.#soonRounds * this.#minRtt.value);
    this.#probeEnding = true;
    this.#rounds.restart();
    this.#phase = "probe_bw_down";
  }

  #enterRefill(): void {
    this.#bounds.resetShortTerm();
    this.#bandwidth.limit(Math.max(this.#queue.bound, YIELDED_ESTIMATE * this.#bandwidth.value));
    this.#queue.bound = Infinity;
    this.#probeEnding = false;
    this.#rounds.restart();
    this.#phase = "probe_bw_refill";
  }

  #enterUp(rate: number): void {
    this.#probeSamples = true;
    this.#rounds.restart();
    this.#fullPipe.reset(rate);
    this.#bounds.startRaising();
    this.#probedFrom = this.#bandwidth.value;
    this.#phase = "probe_bw_up";
  }

  /**
   * What startup found was far too low: the estimate grew by 40 % within a probe that met no queue and no loss but
   * noise. Not once losses have ended a probe: flows that share a small buffer would overrun it again and again.
   */
  #hasFoundMuchMore(): boolean {
    return !this.#limitMet && this.#queue.isClear &&
      this.#bandwidth.value >= MUCH_MORE * this.#probedFrom &&
      this.#roundLost <= (this.#noise.share + LITTLE_LOSS) * (this.#roundLost + this.#roundAcked);
  }

  #enterStartup(): void {
    this.#probeSamples = false;
    this.#fullBandwidthReached = false;
    this.#bounds.flightHigh = Infinity;
    this.#fullPipe.reset(this.#bandwidth.value);
    this.#phase = "startup";
  }

  // Probing for the lowest round trip.

  #checkProbeRtt(bytesInFlight: number, nowMs: number): void {
    if (this.#phase !== "probe_rtt") {
      // After a pause the path is as empty as it gets.
      if (!this.#minRtt.expired || this.#idleRestart) return;
      this.#savedWindow = this.#window;
      this.#phase = "probe_rtt";
      this.#probeEnding = true;
      this.#rounds.restart();
      this.#probeRtt.start();
    } else if (this.#rounds.started) this.#probeRtt.onRound();
    if (bytesInFlight <= this.#probeRttWindow() && this.#probeRtt.onSmallFlight(nowMs)) {
      this.#rounds.restart();
    }
    if (this.#probeRtt.isOver(nowMs)) this.#finishProbeRtt(nowMs);
  }

  #finishProbeRtt(nowMs: number): void {
    this.#minRtt.refresh(nowMs);
    this.#window = Math.max(this.#window, this.#savedWindow);
    this.#bounds.resetShortTerm();
    if (this.#fullBandwidthReached) {
      this.#enterDown(nowMs);
      this.#phase = "probe_bw_cruise";
    } else {
      this.#phase = "startup";
    }
  }

  // What follows for the sender.

  #setPacingRate(): void {
    const estimate = this.#estimate();
    const bandwidth = this.#fullBandwidthReached
      ? estimate
      : Math.max(estimate, this.#leastInStartup());
    const rate = PHASE_GAINS[this.#phase].pacing * bandwidth * PACING_MARGIN /
      (1 - NOISE_MADE_UP * this.#noise.share);
    // Before the pipe was full once, an estimate lower than the last is only a sample of a sender that had less to send.
    if (this.#fullBandwidthReached || rate > (this.#pacingRate ?? 0)) this.#pacingRate = rate;
  }

  /**
   * What little a handshake sends says nothing about the path, and a sample is a round trip old: while the window
   * triples, a third of a round trip is enough for it.
   */
  #leastInStartup(): number {
    const rtt = Math.max(this.#minRtt.value, 1);
    const initial = INITIAL_WINDOW_PACKETS * this.#mtu;
    if (rtt < FLOOR_MIN_RTT_MS || this.#window >= TRIPLING_PACKETS * this.#mtu) {
      return initial / rtt;
    }
    return Math.max(initial, this.#window * WINDOWS_PER_ROUND / PHASE_GAINS.startup.pacing) / rtt;
  }

  #setWindow(sample: RateSample): void {
    const target = this.#flightFor(PHASE_GAINS[this.#phase].window, this.#aggregation.extra);
    if (this.#fullBandwidthReached) {
      this.#window = Math.min(this.#window + sample.newlyAcked, target);
    } else if (
      this.#window < target ||
      sample.totalDelivered < INITIAL_WINDOW_PACKETS * this.#mtu
    ) {
      const factor = this.#window < TRIPLING_PACKETS * this.#mtu ? 2 : 1;
      this.#window += factor * sample.newlyAcked;
    }
    let cap = this.#bounds.flightLow;
    if (this.#phase === "probe_rtt") cap = Math.min(cap, this.#probeRttWindow());
    if (this.#phase === "probe_rtt" || this.#phase === "probe_bw_cruise") {
      cap = Math.min(cap, this.#flightWithHeadroom());
    } else if (this.#phase.startsWith("probe_bw")) {
      cap = Math.min(cap, this.#bounds.flightHigh);
    }
    this.#window = Math.max(Math.min(this.#window, cap), minimumFlight(this.#mtu));
  }

  // Quantities.

  #estimate(): number {
    return Math.min(this.#bandwidth.value, this.#bounds.bandwidthLow, this.#queue.bound);
  }

  #bdp(): number {
    if (this.#minRtt.value === Infinity) return INITIAL_WINDOW_PACKETS * this.#mtu;
    return this.#estimate() * this.#minRtt.value;
  }

  #flightFor(gain: number, extra: number = 0): number {
    const held = gain * this.#bdp() + extra;
    const flight = workableFlight(held, this.#pacingRate ?? 0, this.#mtu);
    return this.#phase === "probe_bw_up" ? flight + 2 * this.#mtu : flight;
  }

  #flightWithHeadroom(): number {
    return flightWithHeadroom(this.#bounds.flightHigh, this.#mtu);
  }

  #targetFlight(): number {
    return Math.min(this.#bdp(), this.#window);
  }

  #probeRttWindow(): number {
    return Math.max(PHASE_GAINS.probe_rtt.window * this.#bdp(), minimumFlight(this.#mtu));
  }

  #isLimited(sample: RateSample): boolean {
    return sample.isAppLimited || this.#rounds.largestAcked <= this.#lastInProbeRtt;
  }

  #isTooMuch(lost: number, flight: number): boolean {
    return lost > this.#noise.tolerance(flight, this.#mtu);
  }

  /** Share of the estimate at which the packets acknowledged now may have been sent. */
  #restraint(): number {
    if (this.#phase === "drain" || this.#rounds.largestAcked <= this.#lastInProbeRtt) return 0;
    return this.#rounds.largestAcked <= this.#lastInDown ? PHASE_GAINS.probe_bw_down.pacing : 1;
  }

  /** True when within the last round the window was full and it was the upper bound that kept it from being larger. */
  #isHeldByUpperBound(): boolean {
    return this.#rounds.windowFilled && this.#window >= this.#bounds.flightHigh;
  }
}
