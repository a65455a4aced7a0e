/**
 * Loss that is not the sender's doing.
 *
 * @module
 */

import type { SentPacket } from "../recovery/sent_packet.ts";

/** Loss above the noise of the path by this share of a flight means that the flight was too large. */
export const LOSS_THRESHOLD = 0.02;
const DEVIATIONS = Number(Deno.env.get("DEV") ?? 2.5);
const WINDOW_PACKETS = Number(Deno.env.get("WIN") ?? 64);
const UP = 1 / Number(Deno.env.get("UP") ?? 16);
const QF = Number(Deno.env.get("QF") ?? 1.02);
const QM = Number(Deno.env.get("QM") ?? 1);
const DOWN = 1 / 4;
const MAX_SHARE = 0.35;

export class LossNoise {
  #share = 0;
  #run = 1;
  #windows = 0;
  #minMs = Infinity;
  #everMinMs = Infinity;
  #previousLost = -2;
  // This round.
  #acked = 0;
  #lost = 0;
  #runs = 0;
  // Rounds that count, since the last verdict.
  #packets = 0;
  #windowLost = 0;
  #windowRuns = 0;

  /** Share of packets lost whatever the rate, 0 to 0.35. */
  get share(): number {
    return Math.min(this.#share, MAX_SHARE);
  }

  /** Packets were acknowledged. */
  onAcked(packets: number, rttMs: number): void {
    this.#acked += packets;
    if (rttMs < this.#minMs) this.#minMs = rttMs;
    if (rttMs < this.#everMinMs) this.#everMinMs = rttMs;
  }

  /** A packet was declared lost. */
  onLost(sequence: number): void {
    this.#lost++;
    if (sequence !== this.#previousLost + 1) this.#runs++;
    this.#previousLost = sequence;
  }

  /** A round is over: `clear` when its losses cannot be the sender's doing. */
  onRound(clear: boolean): void {
    if (clear && this.#minMs < this.#everMinMs * QF + QM) {
      this.#packets += this.#acked + this.#lost;
      this.#windowLost += this.#lost;
      this.#windowRuns += this.#runs;
      if (this.#packets >= WINDOW_PACKETS) this.#learn();
    }
    this.#acked = 0;
    this.#lost = 0;
    this.#runs = 0;
    this.#minMs = Infinity;
  }

  #learn(): void {
    const share = this.#windowLost / this.#packets;
    const first = 1 / (++this.#windows + Number(Deno.env.get("K0") ?? 8));
    this.#share += Math.max(share > this.#share ? UP : DOWN, first) * (share - this.#share);
    if (this.#windowRuns > 0) {
      this.#run += (this.#windowLost / this.#windowRuns - this.#run) / 8;
    }
    this.#packets = 0;
    this.#windowLost = 0;
    this.#windowRuns = 0;
  }

  /** Bytes that a flight of `flight` bytes in packets of `mtu` may lose. Never less than one packet. */
  tolerance(flight: number, mtu: number): number {
    const noise = this.share;
    const variance = noise * (1 - noise) * Math.max(2 * this.#run - 1, 1) * mtu / flight;
    const share = noise + LOSS_THRESHOLD + DEVIATIONS * Math.sqrt(variance);
    return Math.max(share * flight, mtu);
  }
}
