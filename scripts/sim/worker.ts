/**
 * A worker of `deno task sim`: makes one run per message.
 *
 * @module
 */
import { CELLS } from "../../src/connection/simulation/cells_for_test.ts";
import { simulate } from "../../src/connection/simulation/simulate_for_test.ts";
import type { RunAnswer, RunRequest } from "./messages.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<RunRequest>) => void) | null;
  postMessage(answer: RunAnswer): void;
}

const scope = self as unknown as WorkerScope;

scope.onmessage = ({ data: { cell, seed } }) => {
  const start = performance.now();
  const took = (): { cell: number; seed: number; tookMs: number } => ({
    cell,
    seed,
    tookMs: performance.now() - start,
  });
  try {
    const result = simulate(CELLS[cell]!, seed);
    scope.postMessage({ ...took(), result });
  } catch (error) {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    scope.postMessage({ ...took(), error: text });
  }
};
