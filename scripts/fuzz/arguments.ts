/**
 * The arguments of `deno task fuzz`.
 *
 * @module
 */

import { readArguments, textValue, wholeNumber } from "../command_arguments.ts";

/** What to run. */
export interface FuzzArguments {
  /** Per target. */
  readonly seconds: number;
  /** Per target; undefined: only the time counts. */
  readonly runs: number | undefined;
  /** Undefined: a new one. */
  readonly seed: number | undefined;
  /** Names of targets; empty: all. */
  readonly targets: readonly string[];
  /** One input instead of many: hex, or a path behind `@`. */
  readonly input: string | undefined;
  /** One JSON document on stdout instead of the table. */
  readonly json: boolean;
  /** Whether inputs with new outcomes go to vectors/fuzz. */
  readonly keep: boolean;
}

/** Shown for `--help` and behind a wrong argument. */
export const USAGE =
  `deno task fuzz [--seconds N] [--runs N] [--seed S] [--target T]… [--json] [--keep]
deno task fuzz --target T --input HEX|@FILE

  --seconds N  time per target (default 10; the full run is 60)
  --runs N     stop after so many inputs per target, whatever the time
  --seed S     repeats a run (default: a new one, which is printed)
  --target T   only this target; may be given several times
  --input HEX  runs one input: what a failure prints
  --json       one JSON document on stdout
  --keep       adds what failed, and a short input for each new outcome, to vectors/fuzz`;

/**
 * Reads the arguments; undefined for `--help`.
 *
 * @throws {Error} naming the argument that is wrong.
 */
export function parseArguments(
  args: readonly string[],
  known: readonly string[],
): FuzzArguments | undefined {
  let seconds: number | undefined;
  let runs: number | undefined;
  let seed: number | undefined;
  let input: string | undefined;
  const targets: string[] = [];
  let json = false;
  let keep = false;
  const read = readArguments(args, {
    "--json": () => json = true,
    "--keep": () => keep = true,
  }, {
    "--seconds": (name, value) => seconds = wholeNumber(name, value, 10),
    "--runs": (name, value) => runs = wholeNumber(name, value, 10),
    "--seed": (name, value) => seed = wholeNumber(name, value, 10),
    "--target": (name, value) => targets.push(oneOf(name, value, known)),
    "--input": (name, value) => input = textValue(name, value),
  });
  if (!read) return undefined;
  if (input !== undefined && targets.length !== 1) throw new Error("--input needs one --target");
  // Runs alone are a whole budget, and repeat exactly.
  const time = seconds ?? (runs === undefined ? 10 : Infinity);
  return { seconds: time, runs, seed, targets, input, json, keep };
}

function oneOf(name: string, value: string | undefined, known: readonly string[]): string {
  if (value !== undefined && known.includes(value)) return value;
  throw new Error(`${name} needs one of ${known.join(", ")}`);
}
