/**
 * What is to be reached, and whether it is.
 *
 * @module
 */
import { LESS_IS_BETTER, type Row } from "./plan.ts";
import { figureOf, type Results } from "./results.ts";
import type { Runtime } from "./runtime.ts";

/** A ratio of ours to a rival in one run. */
export interface Goal {
  readonly row: Row;
  readonly ours: string;
  readonly rival: string;
  /** At least this many times the rival; for rows of which less is better, at most. */
  readonly ratio: number;
  /** Where it holds; everywhere when not given. */
  readonly runtime?: Runtime;
}

/** A goal in one runtime, with what was measured. */
export interface Judged {
  readonly goal: Goal;
  readonly runtime: Runtime;
  readonly ours: number;
  readonly rival: number;
  /** Where the rival was measured: another runtime where it does not run in this one. */
  readonly rivalRuntime: Runtime;
  readonly ratio: number;
  readonly reached: boolean;
}

function goals(
  row: Row,
  ours: string,
  rivals: Readonly<Record<string, number>>,
  runtime?: Runtime,
): Goal[] {
  return Object.entries(rivals).map(([rival, ratio]) => ({
    row,
    ours,
    rival,
    ratio,
    ...(runtime === undefined ? {} : { runtime }),
  }));
}

/** All goals. */
export const GOALS: readonly Goal[] = [
  ...goals("tp64k", "ours-udp", {
    "hyper-udx": 4,
    "deno-quic": 1,
    "node-datachannel": 4,
    "libp2p-tcp": 1.5,
  }),
  ...goals("tp64k", "ours-udp-1452", { "hyper-udx": 0.8 }),
  ...goals("tp64k", "ours-ws", { "ws": 0.8, "wss": 1.3, "libp2p-ws": 2.2 }, "node"),
  ...goals("tp64k", "ours-ws", { "ws": 0.8, "wss": 2.5, "libp2p-ws": 4 }, "deno"),
  ...goals("tp64k", "ours-tcp", { "tls13": 0.6, "hyper-tcp": 1.2 }),
  ...goals("rr64w64", "ours-udp", {
    "ws": 2.5,
    "hyper-udx": 3,
    "deno-quic": 2,
    "zeromq-curve": 5,
    "libp2p-tcp": 15,
  }),
  ...goals("rr64w64", "ours-ws", { "ws": 2.5 }),
  ...goals("rr64w64", "ours-tcp", { "libp2p-tcp": 15 }),
  ...goals("rr64w1", "ours-udp", { "udp": 0.85, "hyper-udx": 1.1 }),
  ...goals("hs1", "ours-udp", {
    "hyper-udx": 3,
    "tls13": 4,
    "deno-quic": 2.3,
    "libp2p-tcp": 15,
  }),
  ...goals("hs1", "ours-tcp", { "tls13": 4, "libp2p-tcp": 15 }),
  ...goals("hs8", "ours-udp", { "hyper-udx": 3, "deno-quic": 2.3 }),
  ...goals("hs8", "ours-tcp", { "tls13": 4, "libp2p-tcp": 15 }),
  ...goals("wire", "ours-udp", { "hyper-udx": 1.5, "tls13": 0.36, "deno-quic": 0.17 }),
  ...goals("clientMiB", "ours-udp", { "hyper-udx": 1, "deno-quic": 1 }),
  ...goals("serverMiB", "ours-udp", { "hyper-udx": 1, "deno-quic": 1 }),
];

function other(runtime: Runtime): Runtime {
  return runtime === "node" ? "deno" : "node";
}

/** The goals of which both figures are there, in each runtime. */
export function judge(results: Pick<Results, "peers">, all: readonly Goal[] = GOALS): Judged[] {
  return all.flatMap((goal) =>
    (["node", "deno"] as const).flatMap((runtime) => {
      if (goal.runtime !== undefined && goal.runtime !== runtime) return [];
      const ours = figureOf(results, goal.ours, runtime, goal.row);
      let rivalRuntime = runtime;
      let rival = figureOf(results, goal.rival, runtime, goal.row);
      if (rival === undefined) {
        rivalRuntime = other(runtime);
        rival = figureOf(results, goal.rival, rivalRuntime, goal.row);
      }
      if (ours === undefined || rival === undefined) return [];
      const ratio = ours / rival;
      const reached = LESS_IS_BETTER.includes(goal.row) ? ratio <= goal.ratio : ratio >= goal.ratio;
      return [{ goal, runtime, ours, rival, rivalRuntime, ratio, reached }];
    })
  );
}
