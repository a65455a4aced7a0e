/**
 * How long things take in one session, as distributions in fixed memory. It exists only where it was asked for: two looks
 * at a clock for each frame have a price.
 *
 * @module
 */
import type { FrameHeader } from "../codec/frame.ts";
import { Histogram, type HistogramSnapshot } from "../observe/histogram.ts";
import { Protection, type ProtectionConfig } from "../session/protection.ts";

/** A microsecond and less. */
const WAIT_RESOLUTION_MS = 1 / 1024;
/** Eight nanoseconds. */
const WORK_RESOLUTION_MS = 1 / 131_072;
/** A write that was not sent for so long is given up, so that a reset stream does not end the sampling. */
const GIVE_UP_MS = 10_000;

/** Distributions of a session, in milliseconds. */
export interface ProfileStats {
  /** Round trips: of the handshake, of PINGs, over UDP of acknowledgements. */
  readonly rtt: HistogramSnapshot;
  /** From a write on a stream until its last byte is in a frame. Sampled: one write of the session at a time. */
  readonly sendLatency: HistogramSnapshot;
  /** Sealing of one frame. */
  readonly seal: HistogramSnapshot;
  /** Opening of one frame, also of those that do not verify. */
  readonly open: HistogramSnapshot;
}

/** The distributions of one session while it runs: 4 KiB. */
export class Profile {
  /** Milliseconds, as fine as the clock can. */
  readonly now: () => number;
  readonly rtt: Histogram = new Histogram(WAIT_RESOLUTION_MS);
  readonly sendLatency: Histogram = new Histogram(WAIT_RESOLUTION_MS);
  readonly seal: Histogram = new Histogram(WORK_RESOLUTION_MS);
  readonly open: Histogram = new Histogram(WORK_RESOLUTION_MS);
  #stream = 0;
  #end = 0;
  #since = 0;

  constructor(now: () => number) {
    this.now = now;
  }

  /** A stream was written to up to `end`. */
  written(stream: number, end: number): void {
    const now = this.now();
    if (this.#stream !== 0 && now - this.#since < GIVE_UP_MS) return;
    this.#stream = stream;
    this.#end = end;
    this.#since = now;
  }

  /** Bytes of a stream up to `end` are in a frame. */
  handedOut(stream: number, end: number): void {
    if (stream !== this.#stream || end < this.#end) return;
    this.#stream = 0;
    this.sendLatency.record(this.now() - this.#since);
  }

  snapshot(): ProfileStats {
    return {
      rtt: this.rtt.snapshot(),
      sendLatency: this.sendLatency.snapshot(),
      seal: this.seal.snapshot(),
      open: this.open.snapshot(),
    };
  }
}

/** Protection that measures itself. */
export class TimedProtection extends Protection {
  readonly #profile: Profile;

  constructor(config: ProtectionConfig, profile: Profile) {
    super(config);
    this.#profile = profile;
  }

  override seal(
    buffer: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    type: number,
    flags: number,
    streamId: number,
    timestamp: number,
  ): void {
    const { now, seal } = this.#profile;
    const from = now();
    super.seal(buffer, payloadStart, payloadEnd, type, flags, streamId, timestamp);
    seal.record(now() - from);
  }

  override open(bytes: Uint8Array, header: FrameHeader, nowMs: number): Uint8Array | undefined {
    const { now, open } = this.#profile;
    const from = now();
    const payload = super.open(bytes, header, nowMs);
    open.record(now() - from);
    return payload;
  }
}
