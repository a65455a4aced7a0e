/**
 * Which streams the peer has opened, and how many it may open.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { RangeSet } from "./range_set.ts";

/** An id is 32 bits wide and every second one is a side's own. */
export const MAX_STREAM_COUNT = 2_147_483_647;

/** Ids below the highest that were not named yet are ranges: opening id n costs the same for any n. */
export class PeerStreams {
  readonly #concurrent: number;
  readonly #unnamed: RangeSet = new RangeSet();
  #opened = 0;
  #closed = 0;
  #advertised: number;

  constructor(concurrent: number) {
    this.#concurrent = concurrent;
    this.#advertised = Math.min(concurrent, MAX_STREAM_COUNT);
  }

  /** Streams ever opened, those below the highest id included. */
  get opened(): number {
    return this.#opened;
  }

  /** What the peer was told. */
  get advertised(): number {
    return this.#advertised;
  }

  /** True when STREAMS_LIMIT has news for the peer. */
  get limitDue(): boolean {
    return this.#limit() > this.#advertised;
  }

  /** The count to tell the peer now. */
  takeLimit(): number {
    this.#advertised = this.#limit();
    return this.#advertised;
  }

  /**
   * A frame names stream `index` (0 is the side's first). Returns true when it has no state yet, false
   * when it is gone already.
   *
   * @throws {SttError} `STREAM_LIMIT`
   */
  name(index: number): boolean {
    if (index >= this.#advertised) {
      throw new SttError(
        "STREAM_LIMIT",
        `cannot take stream: it is number ${index + 1}, above the limit of ${this.#advertised}`,
        { limit: this.#advertised },
      );
    }
    if (index >= this.#opened) {
      // SPEC 8: a frame for id n opens all lower ids of that side.
      this.#unnamed.add(this.#opened, index);
      this.#opened = index + 1;
      return true;
    }
    return this.#unnamed.remove(index, index + 1) === 1;
  }

  /** A stream of the peer is done, so it may open another one. */
  close(): void {
    this.#closed++;
  }

  #limit(): number {
    return Math.min(this.#concurrent + this.#closed, MAX_STREAM_COUNT);
  }
}
