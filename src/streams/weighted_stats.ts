/**
 * What became of the segments of weighted streams (SPEC 11).
 *
 * @module
 */
import { ENTROPY_TARGETS } from "./entropy.ts";

/** Segments with the same target. */
export interface WeightedClass {
  /** Probability with which a segment is to arrive whole; "own" for those of the application's own targets. */
  readonly target: number | "own";
  /** Segments that arrived whole or were given up. */
  readonly segments: number;
  /** Those of them that were given up. */
  readonly givenUp: number;
}

/** Counters of weighted streams, of one or of all of a session. */
export interface WeightedStats {
  /** Segments sent that arrived whole or were given up; those under way are not counted yet. */
  readonly segments: number;
  /** Those of them that were given up. */
  readonly givenUp: number;
  /** Bytes that the peer was told to wait for no more. */
  readonly bytesGivenUp: number;
  /** Frames with bytes of weighted streams, repeats included. */
  readonly transmissions: number;
  /** Those of them that went out again. */
  readonly retransmissions: number;
  /** Segments by target, from 0.99 to 0.70 and "own". */
  readonly classes: readonly WeightedClass[];
  /** Bytes that the peer gave up on its way here. */
  readonly bytesMissing: number;
}

/** Class of a segment whose target the application chose. */
export const OWN_TARGET_CLASS: number = ENTROPY_TARGETS.length;

function noneYet(): number[] {
  return new Array<number>(OWN_TARGET_CLASS + 1).fill(0);
}

/** Counts for one stream or for all. */
export class WeightedCounters {
  bytesGivenUp = 0;
  transmissions = 0;
  retransmissions = 0;
  bytesMissing = 0;
  /** By class, from the first segment that is over: most sessions have no weighted streams. */
  #segments: number[] | undefined;
  #givenUp: number[] | undefined;

  /** A segment is over. */
  segment(index: number, givenUp: boolean): void {
    const segments = this.#segments ??= noneYet();
    const gaps = this.#givenUp ??= noneYet();
    segments[index]!++;
    if (givenUp) gaps[index]!++;
  }

  snapshot(): WeightedStats {
    const counts = this.#segments ?? noneYet();
    const gaps = this.#givenUp ?? noneYet();
    const classes = counts.map((segments, index): WeightedClass => ({
      target: ENTROPY_TARGETS[index] ?? "own",
      segments,
      givenUp: gaps[index]!,
    }));
    const { bytesGivenUp, transmissions, retransmissions, bytesMissing } = this;
    return {
      segments: counts.reduce((sum, count) => sum + count, 0),
      givenUp: gaps.reduce((sum, count) => sum + count, 0),
      bytesGivenUp,
      transmissions,
      retransmissions,
      classes,
      bytesMissing,
    };
  }
}
