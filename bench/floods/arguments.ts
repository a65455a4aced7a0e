/**
 * The arguments of `deno task floods`.
 *
 * @module
 */

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
  for (let index = 0; index < args.length; index++) {
    const name = args[index]!;
    if (name === "--help") return undefined;
    if (name === "--json") {
      json = true;
      continue;
    }
    const value = args[++index];
    if (value === undefined) throw new Error(`${name} needs a value, or is unknown`);
    if (name === "--only") only = value;
    else if (name === "--scale") scale = share(name, value);
    else throw new Error(`unknown argument ${name}`);
  }
  return { only, scale, json };
}

function share(name: string, value: string): number {
  const number = Number(value);
  if (number > 0 && number <= 1) return number;
  throw new Error(`${name} needs a number above 0 and at most 1`);
}
