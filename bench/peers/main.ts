/**
 * `deno task bench:peers [PEER…]`: this project and its rivals side by side, in one run. bench/README.md has the rest.
 *
 * @module
 */
import { cpus, loadavg, totalmem } from "node:os";
import { ROOT_PATH } from "../../scripts/source_files.ts";
import { installPackages } from "./install.ts";
import { measure, type Round } from "./measure.ts";
import { isPrivate } from "./network.ts";
import { type PeersOptions, peersOptions, USAGE } from "./options.ts";
import { type Peer, PEERS } from "./plan.ts";
import { readmeBlock, withBlock } from "./readme.ts";
import { combined, type Results } from "./results.ts";
import { prepare, type Runtime, runtimeVersion } from "./runtime.ts";
import { figure, median } from "./statistics.ts";
import { failureList, figuresTable, goalsTable, report } from "./table.ts";

interface Entry {
  readonly peer: string;
  readonly runtime: Runtime;
  readonly rounds: Round[];
}

const HERE = new URL(".", import.meta.url);
const REFERENCE_STEPS = 20_000_000;

/** Millions of steps per second of a loop that never changes. */
function reference(): number {
  const start = performance.now();
  let state = 1;
  for (let i = 0; i < REFERENCE_STEPS; i++) {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + i) | 0;
  }
  const seconds = (performance.now() - start) / 1000;
  // The result is used, so that the loop is not left out.
  return state === 0 ? 0 : REFERENCE_STEPS / 1e6 / seconds;
}

function entriesOf(options: PeersOptions): Entry[] {
  const node = Number(runtimeVersion("node").replace(/^node (\d+).*/, "$1"));
  const entries: Entry[] = [];
  for (const peer of options.peers) {
    const { runtimes, node: least = 0 } = PEERS[peer] as Peer;
    for (const runtime of options.runtimes) {
      if (!runtimes.includes(runtime)) continue;
      if (runtime === "node" && node < least) {
        console.error(`${peer} is left out on Node ${node}: it needs ${least}`);
        continue;
      }
      entries.push({ peer, runtime, rounds: [] });
    }
  }
  return entries;
}

async function run(options: PeersOptions): Promise<Results> {
  if (options.peers.some((peer) => PEERS[peer]?.packages === true)) await installPackages();
  prepare(options.runtimes);
  const entries = entriesOf(options);
  const references: number[] = [reference()];
  const loads: number[] = [];
  for (let round = 1; round <= options.rounds; round++) {
    for (const { peer, runtime, rounds } of entries) {
      const found = await measure(peer, runtime, options.rows, options, options.cpuProfile);
      rounds.push(found);
      const figures = Object.entries(found.figures).map(([row, value]) =>
        `${row} ${figure(value)}`
      );
      console.error(
        `round ${round}: ${peer}, ${runtime}: ` +
          [...figures, ...found.failures.map((text) => `failed: ${text}`)].join(", "),
      );
      references.push(reference());
      loads.push(loadavg()[0] ?? NaN);
    }
  }
  const args = Deno.args.map((arg) => ` ${arg}`).join("");
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, ` +
      `${Math.round(totalmem() / 2 ** 30)} GiB, ${Deno.build.os} ${Deno.osRelease()}` +
      (isPrivate() ? ", a loopback interface for each pair" : ", one loopback interface for all"),
    versions: options.runtimes.map(runtimeVersion),
    command: `deno task bench:peers${args}`,
    rounds: options.rounds,
    seconds: options.seconds,
    warmUp: options.warmUp,
    reference: Number(median(references).toPrecision(4)),
    load: Number(median(loads).toFixed(1)),
    peers: entries.map(({ peer, runtime, rounds }) => combined(peer, runtime, rounds)),
  };
}

/** Writes RESULTS.md, baseline.json and README's table. */
async function keep(results: Results): Promise<void> {
  const files = ["bench/RESULTS.md", "bench/baseline.json", "README.md"] as const;
  const limits = Deno.readTextFileSync(new URL("limits.md", HERE));
  Deno.writeTextFileSync(ROOT_PATH + files[0], report(results, limits));
  // The ratios of scripts/bench_report.ts stand in the same file.
  const { benches } = JSON.parse(Deno.readTextFileSync(ROOT_PATH + files[1])) as {
    benches?: unknown;
  };
  Deno.writeTextFileSync(
    ROOT_PATH + files[1],
    JSON.stringify({ ...results, benches }, null, 2) + "\n",
  );
  const readme = Deno.readTextFileSync(ROOT_PATH + files[2]);
  Deno.writeTextFileSync(ROOT_PATH + files[2], withBlock(readme, readmeBlock(results)));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "-q", ...files], cwd: ROOT_PATH })
    .output();
  console.error(`written: ${files.join(", ")}`);
}

const options = peersOptions(Deno.args);
if (typeof options === "string") {
  console.error(`${options}\n${USAGE}`);
  Deno.exit(2);
}
const results = await run(options);
if (options.json) {
  for (const entry of results.peers) console.log(JSON.stringify(entry));
} else {
  for (const text of [figuresTable(results), failureList(results), goalsTable(results)]) {
    if (text !== "") console.log(text + "\n");
  }
}
if (options.write) await keep(results);
// A child that did not answer may still hold a reader.
Deno.exit(0);
