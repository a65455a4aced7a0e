/**
 * What an idle peer and an idle stream cost, and whether the cost of an event grows with the number of peers:
 *
 *     deno run -A bench/scale.ts [--runtime node|deno|both] [--peers 100,1000,10000] [--streams 1000] [--snapshot FOLDER]
 *
 * One listener and one process that dials it, over UDP on loopback; every dialled session has a socket of its own. Memory
 * is what is left after collections: the heap and what it knows outside of it; what the system counts stands beside it.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { Child } from "./peers/child.ts";
import { runtimesOf } from "./peers/options.ts";
import { nodeProgram, prepare, type Runtime, runtimeVersion } from "./peers/runtime.ts";
import { NODE_BUILD } from "./peers/node_build.ts";
import type { ScaleAnswer, ScaleCommand } from "./scale/commands.ts";
import { counted, type Memory } from "./scale/memory.ts";

const USAGE =
  "usage: scale.ts [--runtime node|deno|both] [--peers N,N,…] [--streams N] [--snapshot FOLDER]";
/** Half-open handshakes are forgotten after ten seconds; until then they are no cost of an idle peer. */
const SETTLE_MS = 12_000;
const PINGS = 4000;
/** The sessions that always get pings, as many as pings are under way. */
const LANES = 16;
const PATIENCE_MS = 600_000;

type Side = Child<ScaleCommand, ScaleAnswer>;

function start(runtime: Runtime, role: string): Side {
  if (runtime === "node") {
    return new Child(nodeProgram(), [
      "--expose-gc",
      fileURLToPath(new URL("bench/scale/side.js", NODE_BUILD)),
      role,
    ]);
  }
  return new Child(Deno.execPath(), [
    "run",
    "-A",
    "--no-check",
    "--v8-flags=--expose-gc",
    fileURLToPath(new URL("scale/side.ts", import.meta.url)),
    role,
  ]);
}

async function memoryOf(side: Side): Promise<Memory> {
  const { memory } = await side.run({ run: "memory" }, PATIENCE_MS);
  if (memory === undefined) throw new Error("a side told nothing of its memory");
  return memory;
}

async function cpuOf(side: Side): Promise<number> {
  return (await side.run({ run: "cpu" }, PATIENCE_MS)).cpuSeconds ?? NaN;
}

function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
}

/** Bytes per thing between two looks. */
function each(before: Memory, after: Memory, things: number): string {
  const bytes = (from: number, to: number): string => ((to - from) / things).toFixed(0);
  return `${bytes(counted(before), counted(after))} B (heap ${bytes(before.heap, after.heap)}, ` +
    `outside ${bytes(before.external, after.external)}; ` +
    `resident ${bytes(before.resident, after.resident)})`;
}

/** Processor microseconds of the listener per ping, over a few sessions and over all. */
async function eventCost(listener: Side, dialler: Side, peers: number): Promise<string> {
  const costs: string[] = [];
  for (const among of [LANES, peers]) {
    const before = await cpuOf(listener);
    await dialler.run({ run: "ping", count: PINGS, peers: among }, PATIENCE_MS);
    const micros = 1e6 * (await cpuOf(listener) - before) / PINGS;
    costs.push(
      `${micros.toFixed(0)} µs over ${among === LANES ? `${LANES} sessions` : "all in turn"}`,
    );
  }
  return costs.join(", ");
}

async function measure(
  runtime: Runtime,
  counts: readonly number[],
  streams: number,
  snapshots: string | undefined,
): Promise<void> {
  const listener = start(runtime, "listener");
  const dialler = start(runtime, "dialler");
  try {
    const { address = "" } = await listener.answer(20_000);
    let before: [Memory, Memory] | undefined;
    let known = 0;
    for (const peers of counts) {
      await dialler.run({ run: "connect", address, peers }, PATIENCE_MS);
      // Compilers have done their work before anything is measured.
      if (before === undefined) {
        await dialler.run({ run: "ping", count: 2 * PINGS, peers }, PATIENCE_MS);
      }
      console.log(
        `${runtime}, ${peers} peers: a ping costs the listener ` +
          await eventCost(listener, dialler, peers),
      );
      await settle();
      const after: [Memory, Memory] = [await memoryOf(listener), await memoryOf(dialler)];
      if (before !== undefined) {
        const more = peers - known;
        console.log(
          `${runtime}, ${peers} peers: listener ${each(before[0], after[0], more)} a peer`,
        );
        console.log(
          `${runtime}, ${peers} peers: dialler ${each(before[1], after[1], more)} a peer`,
        );
      }
      before = after;
      known = peers;
    }
    if (snapshots !== undefined) {
      const file = `${snapshots}/${runtime}-listener.heapsnapshot`;
      await listener.run({ run: "snapshot", file }, PATIENCE_MS);
    }
    if (streams > 0) await measureStreams(runtime, listener, dialler, streams, snapshots);
  } finally {
    await dialler.stop();
    await listener.stop();
  }
}

async function measureStreams(
  runtime: Runtime,
  listener: Side,
  dialler: Side,
  streams: number,
  snapshots: string | undefined,
): Promise<void> {
  const warm = 100;
  await dialler.run({ run: "streams", count: warm }, PATIENCE_MS);
  await settle();
  const before = [await memoryOf(listener), await memoryOf(dialler)] as const;
  await dialler.run({ run: "streams", count: warm + streams }, PATIENCE_MS);
  await settle();
  const after = [await memoryOf(listener), await memoryOf(dialler)] as const;
  console.log(
    `${runtime}, ${streams} streams: listener ${each(before[0], after[0], streams)} a stream`,
  );
  console.log(
    `${runtime}, ${streams} streams: dialler ${each(before[1], after[1], streams)} a stream`,
  );
  if (snapshots === undefined) return;
  const file = `${snapshots}/${runtime}-streams.heapsnapshot`;
  await listener.run({ run: "snapshot", file }, PATIENCE_MS);
}

function usage(text: string): never {
  console.error(text === "" ? USAGE : `${text}\n${USAGE}`);
  Deno.exit(2);
}

function options() {
  try {
    return parseArgs({
      args: Deno.args,
      options: {
        runtime: { type: "string", default: "both" },
        peers: { type: "string", default: "100,1000,10000" },
        streams: { type: "string", default: "1000" },
        snapshot: { type: "string" },
      },
    }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

const values = options();
const runtimes = runtimesOf(values.runtime);
const counts = values.peers.split(",").map(Number);
const streams = Number(values.streams);
if (
  typeof runtimes === "string" || !Number.isInteger(streams) || streams < 0 ||
  counts.some((count, i) => !Number.isInteger(count) || count <= (counts[i - 1] ?? 0))
) {
  usage(typeof runtimes === "string" ? runtimes : "");
}
prepare(runtimes);
for (const runtime of runtimes) {
  console.log(runtimeVersion(runtime));
  await measure(runtime, counts, streams, values.snapshot);
}
Deno.exit(0);
