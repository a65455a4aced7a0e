/**
 * What a process uses.
 *
 * @module
 */
import type { Sample } from "./verdict.ts";

/** Open descriptors; undefined where `/proc` does not tell. */
export function openHandles(): number | undefined {
  try {
    // The descriptor of the folder itself is one of them.
    return [...Deno.readDirSync("/proc/self/fd")].length - 1;
  } catch {
    return undefined;
  }
}

/** Buffers that a collection found dead are given back by another thread. */
const SWEEP_MS = 50;

/** Memory after two collections, which need `--v8-flags=--expose-gc`. */
export async function sample(since: number): Promise<Sample> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("the samples need deno run --v8-flags=--expose-gc");
  gc();
  await new Promise((resolve) => setTimeout(resolve, SWEEP_MS));
  gc();
  const { heapUsed, external, rss } = Deno.memoryUsage();
  return {
    atMs: performance.now() - since,
    heap: heapUsed + external,
    rss,
    handles: openHandles(),
  };
}
