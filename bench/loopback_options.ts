/**
 * The command line of bench/loopback.ts.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { runtimesOf } from "./peers/options.ts";
import type { Runtime } from "./peers/runtime.ts";

/** How it is called. */
export const USAGE: string =
  "usage: loopback.ts [--transport udp,ws,tcp,mem] [--runtime deno|node|both] " +
  "[--write BYTES] [--seconds S] [--rounds N] [--unstable-net] [--congestion cubic|bbr|newreno] " +
  "[--path-mtu BYTES] [--stats] [--cpu-prof] [--cpu-prof-dir FOLDER]";

const TRANSPORTS: readonly string[] = ["udp", "ws", "tcp", "mem"];
const CONGESTION = ["cubic", "bbr", "newreno"] as const;

/** What was asked for. */
export interface LoopbackOptions {
  readonly transports: readonly string[];
  readonly runtimes: readonly Runtime[];
  /** Bytes of a write. */
  readonly write: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly unstableNet: boolean;
  readonly congestion: (typeof CONGESTION)[number] | undefined;
  readonly pathMtu: number | undefined;
  /** Print the counters of both sessions. */
  readonly stats: boolean;
  /** Folder for processor profiles. */
  readonly cpuProfile: string | undefined;
}

/** Reads the arguments; a text says what is wrong with them. */
export function loopbackOptions(args: readonly string[]): LoopbackOptions | string {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        transport: { type: "string", default: TRANSPORTS.join() },
        runtime: { type: "string", default: "both" },
        write: { type: "string", default: "65536" },
        seconds: { type: "string", default: "2" },
        rounds: { type: "string", default: "3" },
        "unstable-net": { type: "boolean", default: false },
        congestion: { type: "string" },
        "path-mtu": { type: "string" },
        stats: { type: "boolean", default: false },
        "cpu-prof": { type: "boolean", default: false },
        "cpu-prof-dir": { type: "string", default: "." },
      },
    }));
  } catch (error) {
    if (error instanceof Error) return error.message;
    throw error;
  }
  const transports = values.transport.split(",");
  const strange = transports.find((name) => !TRANSPORTS.includes(name));
  if (strange !== undefined) return `--transport ${strange} is none of ${TRANSPORTS.join(", ")}`;
  const runtimes = runtimesOf(values.runtime);
  if (typeof runtimes === "string") return runtimes;
  const write = Number(values.write);
  if (!Number.isInteger(write) || write < 1 || write > 65_536) {
    return `--write ${values.write} is not 1 to 65536`;
  }
  const seconds = Number(values.seconds);
  if (!(seconds > 0 && seconds <= 600)) return `--seconds ${values.seconds} is not up to 600`;
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) return `--rounds ${values.rounds} is no count`;
  const congestion = CONGESTION.find((name) => name === values.congestion);
  if (congestion !== values.congestion) {
    return `--congestion ${values.congestion} is none of ${CONGESTION.join(", ")}`;
  }
  const pathMtu = values["path-mtu"] === undefined ? undefined : Number(values["path-mtu"]);
  return {
    transports,
    runtimes,
    write,
    seconds,
    rounds,
    unstableNet: values["unstable-net"],
    congestion,
    pathMtu,
    stats: values.stats,
    cpuProfile: values["cpu-prof"] ? values["cpu-prof-dir"] : undefined,
  };
}
