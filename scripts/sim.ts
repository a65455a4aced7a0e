/**
 * `deno task sim [--seeds N] [--seed S] [--only TEXT] [--json]`: sessions over simulated bad networks in virtual time,
 * N seeds of each cell. A failing run prints the command that repeats it; the exit code is then 1.
 *
 * @module
 */
import { CELLS } from "../src/connection/simulation/cells_for_test.ts";
import { parseArguments, type SimArguments, USAGE } from "./sim/arguments.ts";
import type { RunRequest } from "./sim/messages.ts";
import { runAll } from "./sim/pool.ts";
import { type Failure, Summary } from "./sim/summary.ts";

const PROGRESS_MS = 5000;
const colours = Deno.stdout.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "";

Deno.exit(await main());

async function main(): Promise<number> {
  let args: SimArguments | undefined;
  try {
    args = parseArguments(Deno.args, navigator.hardwareConcurrency);
  } catch (error) {
    console.error(`sim: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (args === undefined) {
    console.log(USAGE);
    return 0;
  }
  const cells = chosen(args.only);
  if (cells.length === 0) {
    console.error(`sim: no cell's name holds "${args.only}"; they are\n${names().join("\n")}`);
    return 2;
  }
  return await run(args, cells);
}

async function run(args: SimArguments, cells: readonly number[]): Promise<number> {
  const total = cells.length * args.seeds;
  const summary = new Summary(names());
  const say = args.json ? console.error : console.log;
  const start = performance.now();
  let told = start;
  await runAll(requests(args, cells), Math.min(args.jobs, total), (answer) => {
    const failure = summary.add(answer);
    if (failure !== undefined) say(report(failure, total === 1));
    if (performance.now() - told < PROGRESS_MS) return;
    told = performance.now();
    const left = (told - start) / summary.runs * (total - summary.runs) / 1000;
    console.error(
      `${summary.runs} of ${total} runs, ${summary.failures.length} failed, ` +
        `${left.toFixed(0)} s left`,
    );
  });
  const seconds = (performance.now() - start) / 1000;
  const failed = summary.failures.length;
  if (args.json) {
    const document = {
      runs: summary.runs,
      failed,
      seconds,
      msPerRun: summary.tookMs / summary.runs,
      cells: summary.cells(),
      failures: summary.failures,
    };
    console.log(JSON.stringify(document));
  } else {
    console.log(summary.table());
    console.log(
      paint(
        failed === 0 ? 32 : 31,
        `${summary.runs} runs, ${failed} failed, ${seconds.toFixed(0)} s, ` +
          `${(summary.tookMs / summary.runs).toFixed(0)} ms of one core per run`,
      ),
    );
  }
  return failed === 0 ? 0 : 1;
}

/** Seed by seed through all cells: an early end has looked at every kind of network. */
function* requests(args: SimArguments, cells: readonly number[]): Generator<RunRequest> {
  for (let seed = args.seed; seed < args.seed + args.seeds; seed++) {
    for (const cell of cells) yield { cell, seed };
  }
}

function chosen(only: string | undefined): number[] {
  const exact = names().indexOf(only ?? "");
  if (exact >= 0) return [exact];
  return names().flatMap((name, index) => name.includes(only ?? "") ? [index] : []);
}

function names(): string[] {
  return CELLS.map(({ name }) => name);
}

function report({ cell, seed, error, repeat }: Failure, whole: boolean): string {
  const what = whole ? error : error.split("\n")[0];
  return `${paint(31, "failed")} ${cell}, seed ${seed}: ${what}\n  ${repeat}`;
}

function paint(colour: number, text: string): string {
  return colours ? `\x1b[${colour}m${text}\x1b[0m` : text;
}
