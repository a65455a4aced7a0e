/**
 * The throughput of our own transports between two processes on this machine, to compare one change with another:
 *
 *     deno run -A bench/loopback.ts [--transport udp,ws,tcp,mem] [--runtime deno|node|both] [--write BYTES]
 *       [--seconds S] [--rounds N] [--unstable-net] [--congestion NAME] [--path-mtu BYTES] [--stats] [--cpu-prof [FOLDER]]
 *
 * One stream, writes of `--write` bytes, the other side swallows; megabytes (10^6 bytes) per second of each round and
 * their median. `mem` is one process. Nothing but this repository is needed.
 *
 * @module
 */
import { type LoopbackOptions, loopbackOptions, USAGE } from "./loopback_options.ts";
import { Child } from "./peers/child.ts";
import type { OurOptions } from "./peers/ours.ts";
import { prepare, type Runtime, runtimeVersion, sideCommand } from "./peers/runtime.ts";
import { figure, median } from "./peers/statistics.ts";

/** One transport in one runtime. */
interface Lane {
  readonly transport: string;
  readonly runtime: Runtime;
  /** Megabytes per second, a figure a round. */
  readonly found: number[];
}

function ourOptions(options: LoopbackOptions): OurOptions {
  const { congestion, pathMtu } = options;
  return {
    ...(congestion === undefined ? {} : { congestion }),
    ...(pathMtu === undefined ? {} : { pathMtu }),
  };
}

async function measure(lane: Lane, options: LoopbackOptions): Promise<string> {
  const [program, args] = sideCommand(lane.runtime, { ...options, packages: false });
  const start = (role: string): Child =>
    new Child(program, [
      ...args,
      role,
      `ours-${lane.transport}`,
      JSON.stringify(ourOptions(options)),
    ]);
  const server = start(lane.transport === "mem" ? "both" : "server");
  const client = lane.transport === "mem" ? server : start("client");
  try {
    const { address = "" } = await server.answer(20_000);
    await client.run({ run: "connect", address }, 20_000);
    const before = await usages(server, client);
    const { rate = NaN } = await client.run(
      { run: "stream", size: options.write, seconds: options.seconds },
      5_000 + 10_000 * options.seconds,
    );
    const after = await usages(server, client);
    await client.run({ run: "disconnect" }, 20_000);
    lane.found.push(rate / 1e6);
    const cpu = after.map(({ cpuSeconds }, i) => cpuSeconds - (before[i]?.cpuSeconds ?? 0));
    return `${figure(rate / 1e6)} MB/s; client and server: ` +
      `${cpu.map(figure).join(" and ")} s of processor, ` +
      `${after.map(({ peakMiB }) => peakMiB).join(" and ")} MiB at most`;
  } finally {
    if (options.stats) await printStats(client, server);
    await client.stop();
    if (server !== client) await server.stop();
  }
}

async function printStats(client: Child, server: Child): Promise<void> {
  for (const [name, side] of [["client", client], ["server", server]] as const) {
    const { stats } = await side.run({ run: "stats" }, 5000);
    console.log(`${name} ${JSON.stringify(stats)}`);
  }
}

async function usages(
  server: Child,
  client: Child,
): Promise<{ cpuSeconds: number; peakMiB: number }[]> {
  const sides = server === client ? [client] : [client, server];
  const found = [];
  for (const side of sides) {
    const { usage = { cpuSeconds: NaN, peakMiB: NaN } } = await side.run({ run: "usage" }, 20_000);
    found.push(usage);
  }
  return found;
}

const options = loopbackOptions(Deno.args);
if (typeof options === "string") {
  console.error(`${options}\n${USAGE}`);
  Deno.exit(2);
}
prepare(options.runtimes);
console.log(
  `one stream, writes of ${options.write} bytes, ${options.seconds} s a round; ` +
    options.runtimes.map(runtimeVersion).join(", "),
);
const lanes: Lane[] = options.runtimes.flatMap((runtime) =>
  options.transports.map((transport) => ({ transport, runtime, found: [] }))
);
let failed = false;
for (let round = 1; round <= options.rounds; round++) {
  for (const lane of lanes) {
    const name = `${lane.transport.padEnd(4)} ${lane.runtime.padEnd(4)} round ${round}`;
    try {
      console.log(`${name}: ${await measure(lane, options)}`);
    } catch (error) {
      failed = true;
      console.log(`${name}: failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
for (const { transport, runtime, found } of lanes) {
  const middle = found.length === 0 ? "–" : figure(median(found));
  console.log(`${transport.padEnd(4)} ${runtime.padEnd(4)} median ${middle} MB/s`);
}
// A child that did not answer may still hold a reader.
Deno.exit(failed ? 1 : 0);
