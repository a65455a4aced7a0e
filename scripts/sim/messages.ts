/**
 * What the pool and its workers tell each other.
 *
 * @module
 */
import type { RunResult } from "../../src/connection/simulation/simulate_for_test.ts";

/** One run to make. */
export interface RunRequest {
  /** Index into the cells. */
  readonly cell: number;
  readonly seed: number;
}

/** How it went. */
export interface RunAnswer extends RunRequest {
  /** Undefined when it failed. */
  readonly result?: RunResult;
  /** What was wrong, stack included. */
  readonly error?: string;
  /** Real time, ms. */
  readonly tookMs: number;
}
