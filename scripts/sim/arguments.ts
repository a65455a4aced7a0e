/**
 * The arguments of `deno task sim`.
 *
 * @module
 */

import { readArguments, textValue, wholeNumber } from "../command_arguments.ts";

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
  const read = readArguments(args, { "--json": () => json = true }, {
    "--only": (name, value) => only = textValue(name, value),
    "--seed": (name, value) => seed = wholeNumber(name, value),
    "--seeds": (name, value) => seeds = wholeNumber(name, value),
    "--jobs": (name, value) => jobs = wholeNumber(name, value),
  });
  if (!read) return undefined;
  return { seed: seed ?? 1, seeds: seeds ?? (seed === undefined ? 2 : 1), only, json, jobs };
}
