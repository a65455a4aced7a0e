/**
 * The arguments of `deno task floods`.
 *
 * @module
 */

import { numberAtMost, readArguments, textValue } from "../../scripts/command_arguments.ts";

/** What to run. */
export interface FloodArguments {
  /** Floods whose name holds this text. */
  readonly only: string;
  /** Share of the full size, above 0 and at most 1. */
  readonly scale: number;
  /** One JSON document on stdout; the table goes to stderr. */
  readonly json: boolean;
}

/** Shown for `--help` and behind a wrong argument. */
export const USAGE = `deno task floods [--only TEXT] [--scale N] [--json]

  --only TEXT  floods whose name holds TEXT
  --scale N    share of the full size, above 0 and at most 1 (default 1)
  --json       one JSON document on stdout

Exit code 0 when every bound held, 1 when one did not, 2 for a wrong argument.`;

/**
 * Reads the arguments; undefined for `--help`.
 *
 * @throws {Error} naming the argument that is wrong.
 */
export function parseArguments(args: readonly string[]): FloodArguments | undefined {
  let only = "";
  let scale = 1;
  let json = false;
  const read = readArguments(args, { "--json": () => json = true }, {
    "--only": (name, value) => only = textValue(name, value),
    "--scale": (name, value) => scale = numberAtMost(name, value, 1),
  });
  return read ? { only, scale, json } : undefined;
}
