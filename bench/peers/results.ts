/**
 * The figures of all rounds.
 *
 * @module
 */
import type { Round } from "./measure.ts";
import { type Row, ROWS } from "./plan.ts";
import type { Runtime } from "./runtime.ts";
import { median } from "./statistics.ts";

/** Medians of one peer in one runtime. */
export interface PeerResult {
  readonly peer: string;
  readonly runtime: Runtime;
  readonly figures: Partial<Record<Row, number>>;
  readonly failures: readonly string[];
}

/** What a run found, as baseline.json keeps it. */
export interface Results {
  readonly date: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly command: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUp: number;
  /** Steps per second of a fixed loop, in millions: tells how fast the machine was just then. */
  readonly reference: number;
  /** Processes that wanted a core meanwhile, the bench's own two included. */
  readonly load: number;
  readonly peers: readonly PeerResult[];
}

/** The medians of several rounds. Equal failures are told once. */
export function combined(
  peer: string,
  runtime: Runtime,
  rounds: readonly Round[],
): PeerResult {
  const figures: Partial<Record<Row, number>> = {};
  for (const row of Object.keys(ROWS) as Row[]) {
    const values = rounds.flatMap((round) => round.figures[row] ?? []);
    if (values.length > 0) figures[row] = Number(median(values).toPrecision(6));
  }
  const failures = [...new Set(rounds.flatMap((round) => round.failures))];
  return { peer, runtime, figures, failures };
}

/** A median, or undefined when there is none. */
export function figureOf(
  results: Pick<Results, "peers">,
  peer: string,
  runtime: Runtime,
  row: Row,
): number | undefined {
  return results.peers.find((entry) => entry.peer === peer && entry.runtime === runtime)
    ?.figures[row];
}
