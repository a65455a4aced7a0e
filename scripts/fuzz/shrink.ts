/**
 * Makes a failing input shorter, so that it can be read.
 *
 * @module
 */
import { spliced } from "./mutate_bytes.ts";

/** Runs spent on it. */
const MAX_RUNS = 500;
const MAX_MS = 20_000;

/** Takes pieces away, large ones first, as long as `fails` says that the rest still fails. */
export async function shrink(
  input: Uint8Array,
  fails: (input: Uint8Array) => Promise<boolean>,
): Promise<Uint8Array> {
  let best = input;
  const end = performance.now() + MAX_MS;
  let runs = 0;
  for (let size = input.length >> 1; size >= 1; size >>= 1) {
    for (let at = 0; at < best.length;) {
      if (runs++ >= MAX_RUNS || performance.now() > end) return best;
      const smaller = spliced(best, at, size, new Uint8Array(0));
      if (await fails(smaller)) best = smaller;
      else at += size;
    }
  }
  return best;
}
