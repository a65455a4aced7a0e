/**
 * The arguments of `deno task soak`.
 *
 * @module
 */

import { numberAtMost, readArguments, wholeNumber } from "../command_arguments.ts";

/** What to run. */
export interface SoakArguments {
  /** Length of the run; fractions are fine. */
  readonly minutes: number;
  /** Decides sizes, pauses, losses and the order of endings. */
  readonly seed: number;
  /** Payload bytes per second and transport, both directions together. */
  readonly rate: number;
  /** One JSON document on stdout instead of the text. */
  readonly json: boolean;
}

/** Shown for `--help` and behind a wrong argument. */
export const USAGE = `deno task soak --minutes N [--seed S] [--rate BYTES] [--json]

  --minutes N   how long, above 0 and at most 10080; fractions are fine
  --seed S      sizes, pauses, losses and endings follow from it (default 1)
  --rate BYTES  payload bytes per second and transport, both ways together (default 60000)
  --json        one JSON document on stdout

Exit code 0 when the verdict is good, 1 when it is not, 2 for a wrong argument.`;

const DEFAULT_RATE = 60_000;

/**
 * Reads the arguments; undefined for `--help`.
 *
 * @throws {Error} naming the argument that is wrong.
 */
export function parseArguments(args: readonly string[]): SoakArguments | undefined {
  let minutes: number | undefined;
  let seed = 1;
  let rate = DEFAULT_RATE;
  let json = false;
  const read = readArguments(args, { "--json": () => json = true }, {
    "--minutes": (name, value) => minutes = numberAtMost(name, value, 10_080),
    "--seed": (name, value) => seed = wholeNumber(name, value),
    "--rate": (name, value) => rate = wholeNumber(name, value),
  });
  if (!read) return undefined;
  if (minutes === undefined) throw new Error("--minutes is needed");
  return { minutes, seed, rate, json };
}
