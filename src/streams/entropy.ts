/**
 * Entropy-weighted delivery (SPEC 11): how often a segment of a kind-2 stream is worth sending.
 *
 * @module
 */

/** Bytes of a segment; only a stream's last one is shorter. */
export const SEGMENT_BYTES = 16_384;

const MAX_TRANSMISSIONS = 8;
const MIN_LOSS = 0.001;

/** The targets that entropy leads to, highest first. */
export const ENTROPY_TARGETS: readonly number[] = [0.99, 0.95, 0.90, 0.80, 0.70];
/** A segment whose entropy is above one of these has the target in its place. */
const ENTROPY_BOUNDS: readonly number[] = [0.9, 0.75, 0.6, 0.3];

/** Shannon entropy of bytes that come in chunks. */
export class EntropyMeter {
  readonly #counts: Uint32Array = new Uint32Array(256);
  #length = 0;

  /** Bytes taken. */
  get length(): number {
    return this.#length;
  }

  /** Takes `bytes` from `start` up to `end`. */
  push(bytes: Uint8Array, start: number, end: number): void {
    const counts = this.#counts;
    for (let index = start; index < end; index++) counts[bytes[index]!]!++;
    this.#length += end - start;
  }

  /**
   * Entropy of all bytes taken, 0 to 1.
   *
   * Normalised by log2(min(256, length)): against 8 bits no short segment could reach 1, and random
   * bytes would pass for compressible ones.
   */
  value(): number {
    const length = this.#length;
    if (length < 2) return 0;
    let bits = 0;
    for (const count of this.#counts) {
      if (count > 0) bits -= (count / length) * Math.log2(count / length);
    }
    return Math.min(1, bits / Math.log2(Math.min(256, length)));
  }

  /** Forgets what was taken. */
  clear(): void {
    this.#counts.fill(0);
    this.#length = 0;
  }
}

/** Index in {@link ENTROPY_TARGETS} of the target for this entropy. */
export function entropyClass(entropy: number): number {
  let index = 0;
  while (index < ENTROPY_BOUNDS.length && entropy <= ENTROPY_BOUNDS[index]!) index++;
  return index;
}

/**
 * Transmissions per packet, 1 to 8: the smallest n with (1 - loss^n)^packets >= target.
 *
 * @param loss share of the last 1024 packets that was lost; at least 0.001 is assumed
 */
export function transmissions(target: number, packets: number, loss: number): number {
  const p = Math.min(1, Math.max(MIN_LOSS, loss));
  let each = 1;
  for (let n = 1; n < MAX_TRANSMISSIONS; n++) {
    each *= p;
    if ((1 - each) ** packets >= target) return n;
  }
  return MAX_TRANSMISSIONS;
}
