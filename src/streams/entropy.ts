/**
 * Entropy-weighted delivery (SPEC 11): how often a segment of a kind-2 stream is worth sending.
 *
 * @module
 */

/** Bytes of a segment; only a stream's last one is shorter. */
export const SEGMENT_BYTES = 16_384;

const MAX_TRANSMISSIONS = 8;
const MIN_LOSS = 0.001;

/**
 * Shannon entropy of the bytes, 0 to 1.
 *
 * Normalised by log2(min(256, length)): against 8 bits no short segment could reach 1, and random
 * bytes would pass for compressible ones.
 */
export function normalisedEntropy(segment: Uint8Array): number {
  const length = segment.length;
  if (length < 2) return 0;
  const counts = new Uint32Array(256);
  for (let index = 0; index < length; index++) counts[segment[index]!]!++;
  let bits = 0;
  for (const count of counts) {
    if (count > 0) bits -= (count / length) * Math.log2(count / length);
  }
  return Math.min(1, bits / Math.log2(Math.min(256, length)));
}

/** Probability with which a segment of this entropy is to arrive whole. */
export function deliveryTarget(entropy: number): number {
  if (entropy > 0.9) return 0.99;
  if (entropy > 0.75) return 0.95;
  if (entropy > 0.6) return 0.90;
  if (entropy > 0.3) return 0.80;
  return 0.70;
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
