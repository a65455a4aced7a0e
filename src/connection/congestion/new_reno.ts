/**
 * NewReno as RFC 9002 has it: the plain yardstick of the others.
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
import { RecoveryPeriod } from "./recovery_period.ts";
import { windowPacingRate } from "./window_pacing.ts";
import { WindowUse } from "./window_use.ts";

const LOSS_REDUCTION = 0.5;

/** Slow start, then one packet per round trip; halved by a loss (RFC 9002, 7). */
export class NewReno implements CongestionController {
  readonly name = "newreno";
  readonly #use: WindowUse = new WindowUse();
  readonly #recovery: RecoveryPeriod = new RecoveryPeriod();
  #mtu: number;
  #window: number;
  #threshold = Infinity;
  #ackedInWindow = 0;
  #untouched = true;
  #smoothedMs: number | undefined;
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

  onSent(packet: SentPacket, bytesInFlight: number, _nowMs: number): void {
    this.#use.onSent(packet, bytesInFlight, this.#window, this.#mtu);
  }

  onAcked(
    acked: readonly SentPacket[],
    _sample: RateSample | undefined,
    rtt: RttEstimator,
    _bytesInFlight: number,
    _nowMs: number,
  ): void {
    this.#smoothedMs = rtt.smoothed;
    this.#untouched = false;
    for (const packet of acked) {
      if (!packet.inFlight || this.#recovery.covers(packet)) continue;
      this.#recovery.finish();
      if (this.#use.wasLimit(packet)) this.#grow(packet.size);
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
      this.#window = Math.max(this.#window * LOSS_REDUCTION, minimum);
      this.#threshold = this.#window;
      this.#ackedInWindow = 0;
    }
    if (persistent) {
      this.#window = minimum;
      this.#recovery.finish();
      this.#recovery.confirm();
    }
  }

  onSpuriousLoss(sequences: readonly number[]): void {
    if (!this.#recovery.isRefuted(sequences)) return;
    this.#window = Math.max(this.#window, this.#before.window);
    this.#threshold = this.#before.threshold;
  }

  onMtu(bytes: number): void {
    this.#mtu = bytes;
    // RFC 9002, 7.2: before anything is known the window is counted in packets; later it is measured bytes.
    if (this.#untouched) this.#window = INITIAL_WINDOW_PACKETS * bytes;
    this.#window = Math.max(this.#window, MINIMUM_WINDOW_PACKETS * bytes);
  }

  onIdleRestart(_nowMs: number): void {
    // Nothing: the pacer keeps the first window after a pause from leaving as one burst (RFC 9002, 7.8).
  }

  state(): string {
    if (this.#recovery.active) return "recovery";
    return this.#window < this.#threshold ? "slow_start" : "congestion_avoidance";
  }

  #grow(bytes: number): void {
    if (this.#window < this.#threshold) {
      this.#window += bytes;
      return;
    }
    this.#ackedInWindow += bytes;
    if (this.#ackedInWindow >= this.#window) {
      this.#ackedInWindow -= this.#window;
      this.#window += this.#mtu;
    }
  }
}
