/**
 * The lines that `deno task netlab` measures, as data.
 *
 * @module
 */
import type { LinkOptions } from "./lab.ts";

/** A line, and what is measured on it. */
export interface Case {
  readonly name: string;
  readonly text: string;
  readonly line: LinkOptions;
  /** Files of these sizes, in MB of 10^6 bytes; or the round trip of pings beside one file; or what the lab itself bears. */
  readonly measure: "transfers" | "ping" | "lab";
  readonly megabytes: readonly number[];
}

const WIDE: LinkOptions = { rtt: 50, rate: 100 };
const SIZES: readonly number[] = [8, 20];

function transfers(
  name: string,
  text: string,
  line: LinkOptions,
  megabytes: readonly number[] = [8],
): Case {
  return { name, text, line, measure: "transfers", megabytes };
}

/** All of them, in the order of the table. */
export const CASES: readonly Case[] = [
  {
    name: "lab",
    text: "no delay, no limit: what the lab itself carries",
    line: {},
    measure: "lab",
    megabytes: [64],
  },
  transfers("clean", "50 ms, 100 Mbit/s, no loss", WIDE, SIZES),
  transfers("loss1", "50 ms, 100 Mbit/s, 1 % loss", { ...WIDE, loss: 1 }, SIZES),
  transfers("loss5", "50 ms, 100 Mbit/s, 5 % loss", { ...WIDE, loss: 5 }, SIZES),
  transfers("bursts", "50 ms, 100 Mbit/s, 1 % loss in runs of 3", { ...WIDE, loss: 1, burst: 3 }),
  transfers("reorder", "50 ms, 100 Mbit/s, 5 % reordered by 5 ms", { ...WIDE, reorder: 5 }),
  transfers("dup", "50 ms, 100 Mbit/s, 1 % duplicated", { ...WIDE, dup: 1 }),
  transfers("corrupt", "50 ms, 100 Mbit/s, 0.1 % corrupted", { ...WIDE, corrupt: 0.1 }),
  transfers("all", "50 ms, 100 Mbit/s, all of these at once", {
    ...WIDE,
    loss: 1,
    burst: 3,
    reorder: 5,
    dup: 1,
    corrupt: 0.1,
  }),
  transfers("far", "300 ms, 10 Mbit/s, queue 100 ms", { rtt: 300, rate: 10 }, [4]),
  {
    name: "ping",
    text: "50 ms, 1 Mbit/s, queue 50 ms: stt ping beside a transfer",
    line: { rtt: 50, rate: 1, queue: 50 },
    measure: "ping",
    megabytes: [4],
  },
];
