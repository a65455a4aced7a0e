/**
 * What a process holds once its garbage is gone.
 *
 * @module
 */
import process from "node:process";

/** Bytes that are still reachable. */
export interface Memory {
  /** Objects of the heap. */
  readonly heap: number;
  /** Outside of the heap but counted by it: the bytes of arrays, mostly. */
  readonly external: number;
  /** What the system counts, which holds what runtimes and OpenSSL keep unseen, and pages that garbage left behind. */
  readonly resident: number;
}

/** Finalizers run between collections, and free what the next one finds. */
const COLLECTIONS = 6;

/** Needs the runtime's `--expose-gc`. Throws Error without it. */
export async function memory(): Promise<Memory> {
  const { gc } = globalThis as { gc?: () => void };
  if (gc === undefined) throw new Error("start with --expose-gc");
  for (let i = 0; i < COLLECTIONS; i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed, external, resident: rss };
}

/** Bytes of the heap and of what it knows outside: `external` holds the array buffers. */
export function counted(memory: Memory): number {
  return memory.heap + memory.external;
}
