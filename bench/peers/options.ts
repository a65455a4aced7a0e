/**
 * The command line of `deno task bench:peers`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { DEFAULT_PEERS, PEERS, type Row, ROWS } from "./plan.ts";
import type { Runtime } from "./runtime.ts";

/** How it is called. */
export const USAGE: string =
  "usage: deno task bench:peers [PEER…] [--runtime node|deno|both] [--rounds N] [--seconds S] [--warm-up S] " +
  "[--rows ROW,…] [--json] [--write] [--cpu-prof-dir FOLDER]";

/** What was asked for. */
export interface PeersOptions {
  readonly peers: readonly string[];
  readonly runtimes: readonly Runtime[];
  readonly rounds: number;
  /** Seconds of each measurement. */
  readonly seconds: number;
  /** Seconds of warm-up before each. */
  readonly warmUp: number;
  readonly rows: readonly Row[];
  /** Print the figures as JSON instead of tables. */
  readonly json: boolean;
  /** Write RESULTS.md and baseline.json: when all peers are measured, or on demand. */
  readonly write: boolean;
  /** Folder for a processor profile of every side. */
  readonly cpuProfile: string | undefined;
}

/** The runtimes that `name` stands for, or what is wrong with it. */
export function runtimesOf(name: string): readonly Runtime[] | string {
  if (name === "both") return ["node", "deno"];
  if (name === "deno" || name === "node") return [name];
  return `--runtime ${name} is none of node, deno, both`;
}

/** The rows of a list with commas, or what is wrong with it. */
function rowsOf(list: string | undefined): readonly Row[] | string {
  const all = Object.keys(ROWS) as Row[];
  if (list === undefined) return all;
  const names = list.split(",");
  const strange = names.find((name) => !all.some((row) => row === name));
  if (strange !== undefined) return `--rows ${strange} is none of ${all.join(", ")}`;
  return all.filter((row) => names.includes(row));
}

/** Reads the arguments; a text says what is wrong with them. */
export function peersOptions(args: readonly string[]): PeersOptions | string {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        runtime: { type: "string", default: "both" },
        rounds: { type: "string", default: "3" },
        seconds: { type: "string", default: "0.6" },
        "warm-up": { type: "string", default: "2" },
        rows: { type: "string" },
        json: { type: "boolean", default: false },
        write: { type: "boolean" },
        "cpu-prof-dir": { type: "string" },
      },
    });
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
  const { values, positionals } = parsed;
  const strange = positionals.find((name) => PEERS[name] === undefined);
  if (strange !== undefined) {
    return `there is no peer ${strange}; there are ${Object.keys(PEERS).join(", ")}`;
  }
  const runtimes = runtimesOf(values.runtime);
  if (typeof runtimes === "string") return runtimes;
  const rows = rowsOf(values.rows);
  if (typeof rows === "string") return rows;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) return `--rounds ${values.rounds} is no count`;
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 60)) return `--seconds ${values.seconds} is not up to 60`;
  const warmUp = Number(values["warm-up"]);
  if (!(warmUp > 0 && warmUp <= 60)) return `--warm-up ${values["warm-up"]} is not up to 60`;
  const whole = positionals.length === 0 && values.runtime === "both" && values.rows === undefined;
  return {
    peers: positionals.length === 0 ? DEFAULT_PEERS : positionals,
    runtimes,
    rounds,
    seconds,
    warmUp,
    rows,
    json: values.json,
    write: values.write ?? whole,
    cpuProfile: values["cpu-prof-dir"],
  };
}
