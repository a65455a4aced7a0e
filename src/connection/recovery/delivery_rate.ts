/**
 * Delivery rate samples: what the path carried between the sending and the acknowledgement of a packet.
 *
 * @module
 */
import type { SentPacket } from "./sent_packet.ts";

/** One sample; the object is reused by the next of any session. */
export interface RateSample {
  /** Bytes per ms; 0 when the interval was too short to tell. */
  deliveryRate: number;
  /** Bytes acknowledged since the newest acknowledged packet was sent. */
  delivered: number;
  /** Bytes delivered on the connection when the newest acknowledged packet was sent: a round is over when this passes the total at its start. */
  priorDelivered: number;
  /** Bytes delivered on the connection up to now: `priorDelivered + delivered`. */
  totalDelivered: number;
  /** The longer of the sending and the acknowledging time of `delivered`, in ms. */
  intervalMs: number;
  /** From the sending of the newest acknowledged packet to now, in ms. */
  rttMs: number;
  /** The newest acknowledged packet was sent while the application was the limit: the rate is a lower bound. */
  isAppLimited: boolean;
  /** Bytes declared lost since the newest acknowledged packet was sent. */
  lost: number;
  /** Bytes that this acknowledgement delivered. */
  newlyAcked: number;
  /** Bytes declared lost since the last sample. */
  newlyLost: number;
  /** Bytes in flight before this acknowledgement and the losses it uncovered. */
  priorInFlight: number;
  /** Bytes in flight right after the newest acknowledged packet was sent, its own included. */
  inFlightAtSend: number;
}

// The controller is done with a sample before another session takes one.
const SAMPLE: RateSample = {
  deliveryRate: 0,
  delivered: 0,
  priorDelivered: 0,
  totalDelivered: 0,
  intervalMs: 0,
  rttMs: 0,
  isAppLimited: false,
  lost: 0,
  newlyAcked: 0,
  newlyLost: 0,
  priorInFlight: 0,
  inFlightAtSend: 0,
};

/**
 * Per ACK: `onAcked` for each acknowledged packet, then `onLost` for each lost one, then `sample` once. Losses found by
 * a timer are given to `onLost` alone. Packets outside of congestion control (`inFlight` false) are not counted.
 */
export class DeliveryRate {
  #delivered = 0;
  #deliveredMs = 0;
  #firstSentMs = 0;
  #lost = 0;
  /** Total delivered from which on the application is no longer the limit; 0 when it is not. */
  #appLimitedUntil = 0;
  #inFlight = 0;
  #newest: SentPacket | undefined;
  #priorInFlight = 0;
  #newlyAcked = 0;
  #newlyLost = 0;

  /** Bytes acknowledged so far. */
  get delivered(): number {
    return this.#delivered;
  }

  /** Bytes declared lost so far. */
  get lost(): number {
    return this.#lost;
  }

  /** True while samples of packets sent now are lower bounds. */
  get appLimited(): boolean {
    return this.#appLimitedUntil > 0;
  }

  /** Fills the packet's rate sample state. `bytesInFlight` is without this packet. */
  onSent(packet: SentPacket, nowMs: number, bytesInFlight: number): void {
    if (bytesInFlight === 0) {
      // Nothing was on its way: the time since the last ACK was idle and belongs to no interval.
      this.#firstSentMs = nowMs;
      this.#deliveredMs = nowMs;
    }
    this.#inFlight = packet.inFlight ? bytesInFlight + packet.size : bytesInFlight;
    packet.delivered = this.#delivered;
    packet.deliveredMs = this.#deliveredMs;
    packet.firstSentMs = this.#firstSentMs;
    packet.appLimited = this.#appLimitedUntil > 0;
    packet.inFlightAtSend = this.#inFlight;
    packet.lostAtSend = this.#lost;
  }

  /** One packet of an ACK. */
  onAcked(packet: SentPacket, nowMs: number): void {
    if (!packet.inFlight) return;
    if (this.#newest === undefined) this.#priorInFlight = this.#inFlight;
    this.#inFlight = Math.max(this.#inFlight - packet.size, 0);
    this.#newlyAcked += packet.size;
    this.#delivered += packet.size;
    this.#deliveredMs = nowMs;
    if (this.#newest === undefined || packet.sequence > this.#newest.sequence) {
      this.#newest = packet;
    }
  }

  /** One packet declared lost. */
  onLost(packet: SentPacket): void {
    if (!packet.inFlight) return;
    this.#inFlight = Math.max(this.#inFlight - packet.size, 0);
    this.#newlyLost += packet.size;
    this.#lost += packet.size;
  }

  /**
   * The sample of the packets given to `onAcked` since the last call; undefined when there were none.
   *
   * @param minRttMs A shorter interval gives no rate: the ACKs were compressed, or the clock is too coarse.
   */
  sample(nowMs: number, minRttMs: number = 0): RateSample | undefined {
    const newest = this.#newest;
    if (newest === undefined) return undefined;
    this.#newest = undefined;
    const sample = SAMPLE;
    sample.delivered = this.#delivered - newest.delivered;
    sample.priorDelivered = newest.delivered;
    sample.totalDelivered = this.#delivered;
    // Both directions can be compressed; only the slower of the two is a rate that the path carried.
    const sendMs = newest.sentMs - newest.firstSentMs;
    const ackMs = this.#deliveredMs - newest.deliveredMs;
    sample.intervalMs = Math.max(sendMs, ackMs);
    sample.deliveryRate = sample.intervalMs > 0 && sample.intervalMs >= minRttMs
      ? sample.delivered / sample.intervalMs
      : 0;
    sample.rttMs = nowMs - newest.sentMs;
    sample.isAppLimited = newest.appLimited;
    sample.lost = this.#lost - newest.lostAtSend;
    sample.newlyAcked = this.#newlyAcked;
    sample.newlyLost = this.#newlyLost;
    sample.priorInFlight = this.#priorInFlight;
    sample.inFlightAtSend = newest.inFlightAtSend;
    this.#newlyAcked = 0;
    this.#newlyLost = 0;
    this.#firstSentMs = Math.max(this.#firstSentMs, newest.sentMs);
    if (this.#appLimitedUntil > 0 && this.#delivered > this.#appLimitedUntil) {
      this.#appLimitedUntil = 0;
    }
    return sample;
  }

  /** There is nothing to send although the window has room: what is in flight now and what follows is app-limited. */
  setAppLimited(bytesInFlight: number): void {
    this.#appLimitedUntil = Math.max(this.#delivered + bytesInFlight, 1);
  }
}
