/**
 * Results of the fuzzer in words.
 *
 * @module
 */
import { toHex } from "../../src/codec/hex.ts";
import type { Failure, Result } from "./engine.ts";

/** Longest input that a line holds; longer ones go to a file. */
const LINE_BYTES = 2000;

/** All results as a table, numbers to the right. */
export function table(results: readonly Result[]): string {
  const rows = results.map((result) => [
    result.target,
    String(result.runs),
    String(Math.round(result.runs / Math.max(result.seconds, 0.001))),
    String(result.outcomes.size),
    `${result.slowestMs.toFixed(0)} ms`,
    `${(result.memoryBytes / 1_048_576).toFixed(0)} MiB`,
    result.failure === undefined ? "clean" : "FAILED",
  ]);
  rows.unshift(["target", "executions", "per second", "outcomes", "slowest", "memory", ""]);
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row.map((text, column) =>
      column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!)
    ).join("  ").trimEnd()
  ).join("\n");
}

/** A failure with the line that repeats it; `store` is given inputs too long for a line, and returns a path. */
export function failureText(
  target: string,
  { error, input }: Failure,
  store: (hex: string) => string,
): string {
  const hex = toHex(input);
  const argument = input.length <= LINE_BYTES ? hex : `@${store(hex)}`;
  return `${target}: ${error}\n  input of ${input.length} bytes; this repeats it:\n` +
    `  deno task fuzz --target ${target} --input ${argument === "" ? '""' : argument}`;
}

/** A result for `--json`. */
export function jsonOf(result: Result): Record<string, unknown> {
  const { target, runs, seconds, slowestMs, memoryBytes, failure } = result;
  return {
    target,
    runs,
    seconds,
    slowestMs,
    memoryBytes,
    outcomes: [...result.outcomes.keys()].sort(),
    ...(failure === undefined
      ? {}
      : { failure: { error: failure.error, input: toHex(failure.input) } }),
  };
}
