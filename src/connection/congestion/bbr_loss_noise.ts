/**
 * Loss that is not the sender's doing.
 *
 * @module
 */

/** Loss above the noise of the path by this share of a flight means that the flight was too large. */
const LOSS_THRESHOLD = 0.02;
/** Chance alone lets the loss of a flight exceed the mean by this many standard deviations. */
const DEVIATIONS = 2;
/** Packets per measurement. */
const WINDOW_PACKETS = 64;
/** Less loss is believed eight times as fast as more: loss that others cause comes and goes, noise stays. */
const RISE = 1 / 16;
const FALL = 1 / 2;
/** Measurements that the first ones are weighed against, so that a crowded start is not taken for a noisy path. */
const PRIOR_WINDOWS = 16;
const RUN_GAIN = 1 / 8;
/** A round that shows more than the lowest round trip ever, by this factor and time, had a queue. */
const QUEUE_FACTOR = 1.02;
const QUEUE_MS = 1;
/** No path is taken to lose more than this whatever the rate. */
const MAX_SHARE = 0.35;

/**
 * What a path loses in rounds in which the sender did not try for more than it knows to be delivered, and in which no
 * queue stood, is noise of the path; so is what it loses while each round still delivers a quarter more. Only loss that
 * clearly exceeds it says that a flight was too large. While no noise is known, this is the plain rule of BBR version
 * 3: more than 2 % is too much.
 */
export class LossNoise {
  #share = 0;
  /** Mean length of a run of losses. */
  #run = 1;
  #windows = 0;
  #lowestMs = Infinity;
  #previousLost = -2;
  // Of this round.
  #roundMs = Infinity;
  #acked = 0;
  #lost = 0;
  #runs = 0;
  // Of the rounds that count, since the last measurement.
  #packets = 0;
  #packetsLost = 0;
  #packetRuns = 0;

  /** Share of packets lost whatever the rate, 0 to 0.35. */
  get share(): number {
    return Math.min(this.#share, MAX_SHARE);
  }

  /** An ACK acknowledged `packets`; the newest of them took `rttMs`. */
  onAcked(packets: number, rttMs: number): void {
    this.#acked += packets;
    if (rttMs < this.#roundMs) this.#roundMs = rttMs;
    if (rttMs < this.#lowestMs) this.#lowestMs = rttMs;
  }

  /** A packet was declared lost. */
  onLost(sequence: number): void {
    this.#lost++;
    if (sequence !== this.#previousLost + 1) this.#runs++;
    this.#previousLost = sequence;
  }

  /** A round is over. `innocent`: what it lost cannot be the sender's doing, unless a queue stood. */
  onRound(innocent: boolean): void {
    if (innocent && this.#roundMs < this.#lowestMs * QUEUE_FACTOR + QUEUE_MS) {
      this.#packets += this.#acked + this.#lost;
      this.#packetsLost += this.#lost;
      this.#packetRuns += this.#runs;
      if (this.#packets >= WINDOW_PACKETS) this.#learn();
    }
    this.#roundMs = Infinity;
    this.#acked = 0;
    this.#lost = 0;
    this.#runs = 0;
  }

  /**
   * Bytes that a flight may lose, never less than one packet: of a small flight one packet alone is no rate.
   *
   * @param flight Bytes.
   * @param mtu Bytes of a full packet.
   */
  tolerance(flight: number, mtu: number): number {
    const noise = this.share;
    // Losses in runs of m are n / m independent events: the variance of their number grows by 2 m - 1.
    const variance = noise * (1 - noise) * (2 * this.#run - 1) * mtu / flight;
    const share = noise + LOSS_THRESHOLD + DEVIATIONS * Math.sqrt(variance);
    return Math.max(share * flight, mtu);
  }

  #learn(): void {
    const share = this.#packetsLost / this.#packets;
    const first = 1 / (++this.#windows + PRIOR_WINDOWS);
    this.#share += Math.max(share > this.#share ? RISE : FALL, first) * (share - this.#share);
    if (this.#packetRuns > 0) {
      this.#run += RUN_GAIN * (this.#packetsLost / this.#packetRuns - this.#run);
    }
    this.#packets = 0;
    this.#packetsLost = 0;
    this.#packetRuns = 0;
  }
}
