/**
 * Which segments of a kind-2 stream are sent again, and which are given up (SPEC 11).
 *
 * @module
 */
import {
  ENTROPY_TARGETS,
  entropyClass,
  EntropyMeter,
  SEGMENT_BYTES,
  transmissions,
} from "./entropy.ts";
import { LossCounts } from "./loss_counts.ts";
import { Queue } from "./queue.ts";
import { OWN_TARGET_CLASS, WeightedCounters } from "./weighted_stats.ts";

/** What the weighted streams of a session share. */
export interface WeightedShared {
  /** Share of the last packets that was lost, 0 to 1. */
  loss: () => number;
  /** Bytes of a stream in a full packet. */
  packetBytes: number;
  /** Counters over all streams. */
  readonly counters: WeightedCounters;
}

/** Knows the entropy of the segments that are not over, and how often their bytes were lost. */
export class Weighting {
  /** Probability with which each segment is to arrive whole; undefined: what its entropy says. */
  target: number | undefined = undefined;
  readonly counters: WeightedCounters = new WeightedCounters();
  readonly #shared: WeightedShared;
  /** Of the segment that is being written. */
  readonly #meter: EntropyMeter = new EntropyMeter();
  /** Entropy classes of the segments that are written whole, from `#first` on. */
  readonly #classes: Queue<number> = new Queue();
  readonly #givenUp: Set<number> = new Set();
  readonly #losses: LossCounts = new LossCounts();
  /** Index of the first segment that is not over. */
  #first = 0;

  constructor(shared: WeightedShared) {
    this.#shared = shared;
  }

  /** The application wrote bytes. */
  write(chunk: Uint8Array): void {
    const meter = this.#meter;
    for (let at = 0; at < chunk.length;) {
      const end = Math.min(chunk.length, at + SEGMENT_BYTES - meter.length);
      meter.push(chunk, at, end);
      at = end;
      if (meter.length < SEGMENT_BYTES) return;
      this.#classes.push(entropyClass(meter.value()));
      meter.clear();
    }
  }

  /** A frame went out. */
  sent(again: boolean): void {
    for (const counters of [this.counters, this.#shared.counters]) {
      counters.transmissions++;
      if (again) counters.retransmissions++;
    }
  }

  /**
   * Bytes of one segment were lost on their way. True: their segment is not worth another transmission. `written`: size of
   * the stream so far, which the last segment's length follows from.
   */
  lost(start: number, end: number, written: number): boolean {
    const times = this.#losses.add(start, end);
    const index = Math.floor(start / SEGMENT_BYTES);
    const length = Math.min(SEGMENT_BYTES, written - index * SEGMENT_BYTES);
    const packets = Math.max(1, Math.ceil(length / this.#shared.packetBytes));
    const target = this.target ?? ENTROPY_TARGETS[this.#classOf(index)]!;
    return times >= transmissions(target, packets, this.#shared.loss());
  }

  acked(start: number, end: number): void {
    this.#losses.remove(start, end);
  }

  /** Nobody waits for [start, end) any more: part or all of one segment. */
  giveUp(start: number, end: number): void {
    this.#losses.remove(start, end);
    this.#givenUp.add(Math.floor(start / SEGMENT_BYTES));
    this.counters.bytesGivenUp += end - start;
    this.#shared.counters.bytesGivenUp += end - start;
  }

  /** Everything below `base` is over. `end`: size of the stream, once it is fixed. */
  release(base: number, end: number | undefined): void {
    for (;;) {
      const start = this.#first * SEGMENT_BYTES;
      const stop = Math.min(start + SEGMENT_BYTES, end ?? Infinity);
      if (base < stop || stop <= start) return;
      const own = this.target !== undefined;
      const segmentClass = own ? OWN_TARGET_CLASS : this.#classOf(this.#first);
      const givenUp = this.#givenUp.delete(this.#first);
      this.counters.segment(segmentClass, givenUp);
      this.#shared.counters.segment(segmentClass, givenUp);
      this.#classes.shift();
      this.#first++;
    }
  }

  clear(): void {
    this.#classes.clear();
    this.#givenUp.clear();
    this.#losses.clear();
    this.#meter.clear();
  }

  #classOf(index: number): number {
    return this.#classes.at(index - this.#first) ?? entropyClass(this.#meter.value());
  }
}
