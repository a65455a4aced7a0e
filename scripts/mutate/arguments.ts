/**
 * The command line of `deno task mutate`.
 *
 * @module
 */

/** What to run, and how to tell. */
export interface Options {
  /** Beginnings of paths of the core; none is all of it. */
  readonly files: readonly string[];
  /** Only mutants of these lines, as `file:line`. */
  readonly lines: readonly string[] | undefined;
  readonly json: boolean;
  readonly verbose: boolean;
  /** 1 to `shards`. */
  readonly shard: number;
  readonly shards: number;
}

/** How it is called. */
export const USAGE =
  "usage: deno task mutate [--file path]… [--line file:line]… [--shard i/n] [--json | --verbose]";

/** The options, or what is wrong with them. */
export function parseArguments(args: readonly string[]): Options | string {
  const files: string[] = [];
  const lines: string[] = [];
  let json = false;
  let verbose = false;
  let shard = 1;
  let shards = 1;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i];
    if (arg === "--json") json = true;
    else if (arg === "--verbose") verbose = true;
    else if (arg === "--file" || arg === "--line" || arg === "--shard") {
      const value = args[++i];
      if (value === undefined) return `${arg} needs a value`;
      if (arg === "--file") files.push(value);
      else if (arg === "--line") lines.push(value);
      else {
        const match = /^(\d+)\/(\d+)$/.exec(value);
        shard = Number(match?.[1]);
        shards = Number(match?.[2]);
        if (!(shard >= 1 && shard <= shards)) return `--shard ${value} is not i/n with 1 ≤ i ≤ n`;
      }
    } else return `unknown argument ${arg}`;
  }
  return { files, lines: lines.length === 0 ? undefined : lines, json, verbose, shard, shards };
}
