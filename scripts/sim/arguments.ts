/**
 * The arguments of `deno task sim`.
 *
 * @module
 */

/** What to run. */
export interface SimArguments {
  /** First seed. */
  readonly seed: number;
  /** Seeds per cell, from `seed` on. */
  readonly seeds: number;
  /** Cells whose name holds this text; a whole name means that one cell. */
  readonly only: string | undefined;
  /** One JSON document on stdout instead of the table. */
  readonly json: boolean;
  /** Runs at the same time. */
  readonly jobs: number;
}

/** Shown for `--help` and behind a wrong argument. */
export const USAGE = `deno task sim [--seeds N] [--seed S] [--only TEXT] [--json] [--jobs N]

  --seeds N    seeds per cell (default 2; the full run is 1000)
  --seed S     only this seed; with --seeds the first one
  --only TEXT  only cells whose name holds TEXT
  --json       one JSON document on stdout
  --jobs N     runs at the same time (default: the cores of this machine)`;

/**
 * Reads the arguments; undefined for `--help`.
 *
 * @throws {Error} naming the argument that is wrong.
 */
export function parseArguments(args: readonly string[], cores: number): SimArguments | undefined {
  let seed: number | undefined;
  let seeds: number | undefined;
  let only: string | undefined;
  let json = false;
  let jobs = cores;
  for (let index = 0; index < args.length; index++) {
    const name = args[index]!;
    if (name === "--help") return undefined;
    if (name === "--json") {
      json = true;
      continue;
    }
    const value = args[++index];
    if (name === "--only" && value !== undefined) only = value;
    else if (name === "--seed") seed = positive(name, value);
    else if (name === "--seeds") seeds = positive(name, value);
    else if (name === "--jobs") jobs = positive(name, value);
    else if (name.startsWith("--only")) throw new Error("--only needs a text");
    else throw new Error(`unknown argument ${name}`);
  }
  return { seed: seed ?? 1, seeds: seeds ?? (seed === undefined ? 2 : 1), only, json, jobs };
}

function positive(name: string, value: string | undefined): number {
  if (value === undefined || !/^[1-9][0-9]{0,8}$/.test(value)) {
    throw new Error(`${name} needs a whole number above 0`);
  }
  return Number(value);
}
