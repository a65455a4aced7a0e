/**
 * CUBIC (RFC 9438) with HyStart++ (RFC 9406).
 *
 * @module
 */

import type { RateSample } from "../recovery/delivery_rate.ts";
import type { RttEstimator } from "../recovery/rtt.ts";
import type { SentPacket } from "../recovery/sent_packet.ts";
import {
  type CongestionController,
  INITIAL_WINDOW_PACKETS,
  MINIMUM_WINDOW_PACKETS,
} from "./controller.ts";
import { CUBIC_BETA, CubicCurve } from "./cubic_curve.ts";
import { HyStart } from "./hystart.ts";
import { RecoveryPeriod } from "./recovery_period.ts";
import { windowPacingRate } from "./window_pacing.ts";
import { WindowUse } from "./window_use.ts";

/** CUBIC: the default of the internet, kind to NewReno where that is faster. */
export class Cubic implements CongestionController {
  readonly name = "cubic";
  readonly #use: WindowUse = new WindowUse();
  readonly #recovery: RecoveryPeriod = new RecoveryPeriod();
  readonly #hystart: HyStart = new HyStart();
  readonly #curve: CubicCurve = new CubicCurve();
  #mtu: number;
  #window: number;
  #threshold = Infinity;
  #untouched = true;
  #smoothedMs: number | undefined;
  #curveMs = 0;
  #before = { window: 0, threshold: Infinity };

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
    return windowPacingRate(this.#window, this.#smoothedMs, this.#window < this.#threshold);
  }

  onSent(packet: SentPacket, bytesInFlight: number, nowMs: number): void {
    this.#use.onSent(packet, bytesInFlight, this.#window, this.#mtu);
    // RFC 9438, 4.2: a pause is no time on the curve.
    if (bytesInFlight <= packet.size) this.#curveMs = nowMs;
  }

  onAcked(
    acked: readonly SentPacket[],
    sample: RateSample | undefined,
    rtt: RttEstimator,
    _bytesInFlight: number,
    nowMs: number,
  ): void {
    this.#smoothedMs = rtt.smoothed;
    this.#untouched = false;
    let counted = 0;
    let largest = -1;
    for (const packet of acked) {
      largest = Math.max(largest, packet.sequence);
      if (!packet.inFlight || this.#recovery.covers(packet)) continue;
      this.#recovery.finish();
      if (this.#use.wasLimit(packet)) counted += packet.size;
    }
    const elapsedMs = nowMs - this.#curveMs;
    this.#curveMs = nowMs;
    if (this.#window < this.#threshold) {
      this.#slowStart(counted, sample?.rttMs, largest);
    } else if (counted > 0) {
      this.#curve.advance(elapsedMs / 1000);
      const window = this.#curve.grow(
        this.#window / this.#mtu,
        counted / this.#mtu,
        rtt.smoothed / 1000,
      );
      this.#window = window * this.#mtu;
    }
  }

  onLost(
    lost: readonly SentPacket[],
    persistent: boolean,
    _bytesInFlight: number,
    _nowMs: number,
  ): void {
    const minimum = MINIMUM_WINDOW_PACKETS * this.#mtu;
    if (this.#recovery.begins(lost, this.#use.largestSent)) {
      this.#untouched = false;
      this.#before = { window: this.#window, threshold: this.#threshold };
      this.#curve.onReduction(this.#window / this.#mtu);
      this.#window = Math.max(this.#window * CUBIC_BETA, minimum);
      this.#threshold = this.#window;
    }
    if (persistent) {
      this.#curve.reset();
      this.#hystart.reset();
      this.#window = minimum;
      this.#recovery.finish();
      this.#recovery.confirm();
    }
  }

  onSpuriousLoss(sequences: readonly number[]): void {
    if (!this.#recovery.isRefuted(sequences)) return;
    this.#window = Math.max(this.#window, this.#before.window);
    this.#threshold = this.#before.threshold;
    this.#curve.undoReduction();
  }

  onMtu(bytes: number): void {
    if (bytes === this.#mtu) return;
    this.#mtu = bytes;
    // The curve counts in packets, whose size has just changed.
    this.#curve.reset();
    // RFC 9002, 7.2: before anything is known the window is counted in packets; later it is measured bytes.
    if (this.#untouched) this.#window = INITIAL_WINDOW_PACKETS * bytes;
    this.#window = Math.max(this.#window, MINIMUM_WINDOW_PACKETS * bytes);
  }

  onIdleRestart(nowMs: number): void {
    this.#curveMs = nowMs;
  }

  state(): string {
    if (this.#recovery.active) return "recovery";
    if (this.#window >= this.#threshold) return "congestion_avoidance";
    return this.#hystart.conservative ? "conservative_slow_start" : "slow_start";
  }

  #slowStart(counted: number, rttMs: number | undefined, largestAcked: number): void {
    this.#window += counted / this.#hystart.divisor;
    // RFC 9406, 4.3: HyStart++ is for the first slow start; later ones have a threshold to stop at.
    if (this.#threshold !== Infinity) return;
    if (this.#hystart.onAcked(rttMs, largestAcked, this.#use.largestSent)) {
      this.#threshold = this.#window;
      this.#curve.restart();
    }
  }
}
