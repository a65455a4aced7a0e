/**
 * The arguments of `deno task soak`.
 *
 * @module
 */

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
  for (let index = 0; index < args.length; index++) {
    const name = args[index]!;
    if (name === "--help") return undefined;
    if (name === "--json") {
      json = true;
      continue;
    }
    const value = args[++index];
    if (name === "--minutes") minutes = above0(name, value, 10_080);
    else if (name === "--seed") seed = whole(name, value);
    else if (name === "--rate") rate = whole(name, value);
    else throw new Error(`unknown argument ${name}`);
  }
  if (minutes === undefined) throw new Error("--minutes is needed");
  return { minutes, seed, rate, json };
}

function above0(name: string, value: string | undefined, most: number): number {
  const number = Number(value ?? NaN);
  if (number > 0 && number <= most) return number;
  throw new Error(`${name} needs a number above 0 and at most ${most}`);
}

function whole(name: string, value: string | undefined): number {
  if (value !== undefined && /^[1-9][0-9]{0,8}$/.test(value)) return Number(value);
  throw new Error(`${name} needs a whole number above 0`);
}
