/**
 * Who is measured where, and what.
 *
 * @module
 */
import type { Runtime } from "./runtime.ts";

/** A figure. */
export type Row =
  | "tp64k"
  | "tp1200"
  | "rr64w1"
  | "rr64w64"
  | "hs1"
  | "hs8"
  | "wire"
  | "cpuGB"
  | "cpuAlone"
  | "cpuRequest"
  | "cpuVisit"
  | "clientMiB"
  | "serverMiB";

/** What a figure is, in its unit, in the order of the tables. */
export const ROWS: Readonly<Record<Row, string>> = {
  tp64k: "one stream, 64 KiB writes, MB/s",
  tp1200: "one stream, 1200 B writes, MB/s",
  rr64w1: "64 B request and reply, one at a time, per second",
  rr64w64: "64 B request and reply, 64 in flight, per second",
  hs1: "connect, stream, first reply, close; one at a time, per second",
  hs8: "the same on 8 lanes",
  wire: "bytes on the wire of one such visit, IP and link headers included",
  cpuGB: "processor seconds of both sides per GB of tp64k",
  cpuAlone: "processor microseconds of both sides per request of rr64w1",
  cpuRequest: "processor microseconds of both sides per request of rr64w64",
  cpuVisit: "processor milliseconds of both sides per visit of hs1",
  clientMiB: "peak memory of the client after tp64k, MiB",
  serverMiB: "peak memory of the server after tp64k, MiB",
};

/** Rows of which less is better. */
export const LESS_IS_BETTER: readonly Row[] = [
  "wire",
  "cpuGB",
  "cpuAlone",
  "cpuRequest",
  "cpuVisit",
  "clientMiB",
  "serverMiB",
];

/** A protocol that can be measured. */
export interface Peer {
  readonly runtimes: readonly Runtime[];
  /** Major version of Node below which it does not run. */
  readonly node?: number;
  /** Needs packages of bench/peers/package.json. */
  readonly packages?: boolean;
  /** Rows that it can do; all when not given. */
  readonly rows?: readonly Row[];
  /** Not among those that are measured when none is named. */
  readonly onDemand?: boolean;
}

const BOTH: readonly Runtime[] = ["node", "deno"];

/** By name, in the order of the tables. */
export const PEERS: Readonly<Record<string, Peer>> = {
  "ours-udp": { runtimes: BOTH },
  "ours-udp-1452": { runtimes: BOTH },
  "ours-ws": { runtimes: BOTH },
  "ours-ws-native": { runtimes: ["deno"] },
  "ours-tcp": { runtimes: BOTH },
  "hyper-udx": { runtimes: ["node"], packages: true },
  "deno-quic": { runtimes: ["deno"] },
  "node-datachannel": { runtimes: BOTH, packages: true },
  "ws": { runtimes: BOTH, packages: true },
  "wss": { runtimes: BOTH, packages: true },
  "deno-ws": { runtimes: ["deno"] },
  "tls13": { runtimes: BOTH },
  "hyper-tcp": { runtimes: ["node"], packages: true },
  "zeromq-curve": { runtimes: ["node"], packages: true },
  "libp2p-tcp": { runtimes: BOTH, packages: true, node: 22 },
  "libp2p-ws": { runtimes: BOTH, packages: true, node: 22 },
  "udp": { runtimes: BOTH, rows: ["rr64w1", "cpuAlone"] },
  "tcp": { runtimes: BOTH, onDemand: true },
};

/** What is measured when nobody is named. */
export const DEFAULT_PEERS: readonly string[] = Object.entries(PEERS)
  .filter(([, peer]) => peer.onDemand !== true).map(([name]) => name);
