/**
 * Which packets arrived and when to say so (SPEC 10).
 *
 * @module
 */
import { ACK_MAX_FURTHER_RANGES } from "../../codec/record_types.ts";
import type { AckRecord } from "../../codec/records.ts";
import { RangeSet } from "../../streams/range_set.ts";
import type { RttEstimator } from "./rtt.ts";

/** Options of {@link AckTracker}. */
export interface AckTrackerConfig {
  /** Longest wait with an ACK, in ms: what this side promised the peer. */
  readonly ackDelayMs: number;
  /** Ack-eliciting packets per ACK that the peer wishes for, 1 to 64. */
  readonly ackEvery: number;
  /** Tells how many packets come per round trip; without it the wish is followed as it is. */
  readonly rtt?: RttEstimator;
}

/** SPEC 10: so many ack-eliciting packets are acknowledged at once. */
const EAGER_PACKETS = 16;
/** SPEC 10: up to here every second one, so that the window of a starting sender grows. */
const STARTING_PACKETS = 100;
const STARTING_EVERY = 2;
/** Acknowledged ranges kept; the peer counts anything below as lost. */
const MAX_RANGES = 64;
/** SPEC 10: ACKs in one-way traffic after which one asks for an ACK itself. */
const ACKS_PER_PING = 32;

/** The receiver's side of loss recovery. Sequences given to it are new: the replay window stands before it. */
export class AckTracker {
  /** The peer's wish may come later than its first packets. */
  ackEvery: number;
  readonly #ackDelayMs: number;
  readonly #rtt: RttEstimator | undefined;
  readonly #ranges: RangeSet = new RangeSet();
  #largest = -1;
  #largestMs = 0;
  /** Lowest sequence that no ACK has named yet; Infinity for none. */
  #lowestUnreported = Infinity;
  /** Sequences went missing since the last ack-eliciting packet. */
  #holeAppeared = false;
  #urgent = false;
  #due = false;
  #deadline: number | undefined;
  /** Ack-eliciting packets since the last ACK, and ever. */
  #unacknowledged = 0;
  #eliciting = 0;
  #roundStartMs = -Infinity;
  #roundPackets = 0;
  #perRound = Infinity;
  #acksSinceEliciting = 0;

  constructor(config: AckTrackerConfig) {
    this.#ackDelayMs = config.ackDelayMs;
    this.ackEvery = config.ackEvery;
    this.#rtt = config.rtt;
  }

  /** An ACK must go out now. */
  get due(): boolean {
    return this.#due;
  }

  /** An ack-eliciting packet is not acknowledged yet: an ACK belongs into the next packet, whatever it is. */
  get pending(): boolean {
    return this.#unacknowledged > 0;
  }

  /** The ACK to send should come with a PING: the last 32 did not ask for an ACK, and ranges are only dropped when one comes. */
  get pingDue(): boolean {
    return this.#acksSinceEliciting >= ACKS_PER_PING - 1;
  }

  /** Ranges of sequences that are remembered; at most 64. */
  get rangeCount(): number {
    return this.#ranges.size;
  }

  /** Highest sequence received, -1 before the first. */
  get largest(): number {
    return this.#largest;
  }

  /**
   * A verified packet arrived.
   *
   * @param urgent It ends a stream, is a PING, or starts a key epoch.
   */
  onPacket(sequence: number, ackEliciting: boolean, nowMs: number, urgent: boolean): void {
    const late = sequence < this.#largest;
    if (sequence > this.#largest + 1) this.#holeAppeared = true;
    this.#ranges.add(sequence, sequence + 1);
    if (this.#ranges.size > MAX_RANGES) this.#ranges.remove(0, this.#ranges.end(0));
    if (sequence > this.#largest) {
      this.#largest = sequence;
      this.#largestMs = nowMs;
    }
    if (sequence < this.#lowestUnreported) this.#lowestUnreported = sequence;
    // RFC 9000, 13.2.1: packets that ask for nothing never cause an ACK, or two idle sides would answer each other's.
    if (!ackEliciting) return;
    this.#eliciting++;
    this.#unacknowledged++;
    this.#roundPackets++;
    if (urgent || late || this.#holeAppeared || this.#eliciting <= EAGER_PACKETS) {
      this.#urgent = true;
    }
    this.#holeAppeared = false;
    this.#deadline ??= nowMs + this.#ackDelayMs;
  }

  /** All datagrams of a burst were given to `onPacket`: one ACK answers for all. */
  endOfBatch(nowMs: number): void {
    this.#measureRound(nowMs);
    if (this.#unacknowledged === 0) return;
    if (this.#urgent || this.#unacknowledged >= this.#every() || nowMs >= this.#deadline!) {
      this.#due = true;
    }
  }

  /** When an ACK becomes due by time; undefined when none is owed or one is due already. */
  nextTimeout(): number | undefined {
    return this.#due ? undefined : this.#deadline;
  }

  /** The clock moved. */
  onTimeout(nowMs: number): void {
    if (this.#deadline !== undefined && nowMs >= this.#deadline) this.#due = true;
  }

  /** The ACK to send now, due or not; undefined when nothing ever arrived. */
  take(nowMs: number): AckRecord | undefined {
    const ranges = this.#ranges;
    if (ranges.size === 0) return undefined;
    this.#due = false;
    this.#urgent = false;
    this.#deadline = undefined;
    this.#unacknowledged = 0;
    this.#lowestUnreported = Infinity;
    this.#acksSinceEliciting++;
    const listed: [number, number][] = [];
    const lowest = Math.max(ranges.size - 1 - ACK_MAX_FURTHER_RANGES, 0);
    for (let index = ranges.size - 1; index >= lowest; index--) {
      listed.push([ranges.start(index), ranges.end(index) - 1]);
    }
    return {
      type: "ack",
      largest: listed[0]![1],
      delayUs: Math.max(Math.round((nowMs - this.#largestMs) * 1000), 0),
      ranges: listed,
    };
  }

  /** This side sent a packet that asks for an ACK. */
  onElicitingSent(): void {
    this.#acksSinceEliciting = 0;
  }

  /** The peer confirmed the ACK with this `largest`: what it named need not be said again. */
  onAckAcked(largest: number): void {
    // The top stays: it dates the delay, and an ACK must name something.
    this.#ranges.remove(0, Math.min(largest, this.#lowestUnreported, this.#largest));
  }

  /** SPEC 10: a window must be worth at least four ACKs. The receiver sees the window as packets per round trip. */
  #every(): number {
    if (this.#eliciting <= STARTING_PACKETS) return Math.min(STARTING_EVERY, this.ackEvery);
    return Math.min(this.ackEvery, Math.max(Math.floor(this.#perRound / 4), STARTING_EVERY));
  }

  #measureRound(nowMs: number): void {
    const rtt = this.#rtt;
    if (rtt === undefined) return;
    const elapsed = nowMs - this.#roundStartMs;
    const roundMs = Math.max(rtt.smoothed, 1);
    if (elapsed < roundMs) return;
    if (elapsed < Infinity) {
      const packets = this.#roundPackets * roundMs / elapsed;
      this.#perRound = this.#perRound === Infinity ? packets : (this.#perRound + packets) / 2;
    }
    this.#roundStartMs = nowMs;
    this.#roundPackets = 0;
  }
}
