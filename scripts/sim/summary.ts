/**
 * What the runs of `deno task sim` come to: one line per cell.
 *
 * @module
 */
import type { RunAnswer } from "./messages.ts";

/** One cell. */
export interface CellSummary {
  readonly name: string;
  readonly runs: number;
  readonly failed: number;
  /** Median virtual time of a session, ms; undefined when every run failed. */
  readonly medianMs: number | undefined;
  /** Median of the bytes sent beyond the application's. */
  readonly overheadBytes: number | undefined;
  /** The same as a share of the application's bytes. */
  readonly overhead: number | undefined;
}

/** A run that failed. */
export interface Failure {
  readonly cell: string;
  readonly seed: number;
  readonly error: string;
  /** Command that repeats exactly this run. */
  readonly repeat: string;
}

/** Collects the answers of all runs. */
export class Summary {
  runs = 0;
  /** Real time of all runs added up, ms. */
  tookMs = 0;
  readonly failures: Failure[] = [];
  readonly #names: readonly string[];
  readonly #answers: Map<number, RunAnswer[]> = new Map();

  constructor(names: readonly string[]) {
    this.#names = names;
  }

  /** The failure, when it was one. */
  add(answer: RunAnswer): Failure | undefined {
    this.runs++;
    this.tookMs += answer.tookMs;
    const list = this.#answers.get(answer.cell);
    if (list === undefined) this.#answers.set(answer.cell, [answer]);
    else list.push(answer);
    if (answer.result !== undefined) return undefined;
    const cell = this.#names[answer.cell]!;
    const failure = {
      cell,
      seed: answer.seed,
      error: answer.error ?? "",
      repeat: `deno task sim --only "${cell}" --seed ${answer.seed}`,
    };
    this.failures.push(failure);
    return failure;
  }

  cells(): CellSummary[] {
    return [...this.#answers].sort(([a], [b]) => a - b).map(([index, answers]) => {
      const results = answers.flatMap(({ result }) => result === undefined ? [] : [result]);
      const extra = (each: { wireBytes: number; payloadBytes: number }): number =>
        each.wireBytes - each.payloadBytes;
      return {
        name: this.#names[index]!,
        runs: answers.length,
        failed: answers.length - results.length,
        medianMs: median(results.map(({ virtualMs }) => virtualMs)),
        overheadBytes: median(results.map(extra)),
        overhead: median(results.map((each) => extra(each) / Math.max(1, each.payloadBytes))),
      };
    });
  }

  /** As text, numbers to the right. */
  table(): string {
    const rows = this.cells().map((cell) => [
      cell.name,
      String(cell.runs),
      String(cell.failed),
      cell.medianMs === undefined ? "" : `${cell.medianMs.toFixed(0)} ms`,
      cell.overheadBytes === undefined ? "" : cell.overheadBytes.toFixed(0),
      cell.overhead === undefined ? "" : `${(cell.overhead * 100).toFixed(1)} %`,
    ]);
    rows.unshift(["cell", "runs", "failed", "virtual time", "overhead bytes", "overhead"]);
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    return rows.map((row) =>
      row.map((text, column) =>
        column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)
      ).join("  ")
    ).join("\n");
  }
}

/** Undefined for no values. */
export function median(values: readonly number[]): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle];
  return sorted.length === 0 ? undefined : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
