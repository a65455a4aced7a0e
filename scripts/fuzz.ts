/**
 * `deno task fuzz [--seconds N] [--seed S] [--target T]… [--json]`: changed inputs for everything that strangers, peers
 * and files can write to, N seconds per target. A failure prints the line that repeats it; the exit code is then 1.
 *
 * @module
 */
import { fromHex } from "../src/codec/hex.ts";
import { type FuzzArguments, parseArguments, USAGE } from "./fuzz/arguments.ts";
import { Engine, type Result } from "./fuzz/engine.ts";
import { keep, type NewInput } from "./fuzz/kept.ts";
import { failureText, jsonOf, table } from "./fuzz/report.ts";
import type { Target } from "./fuzz/target.ts";
import { TARGETS } from "./fuzz/targets/mod.ts";

const colours = Deno.stdout.isTerminal() && (Deno.env.get("NO_COLOR") ?? "") === "";

Deno.exit(await main());

async function main(): Promise<number> {
  let args: FuzzArguments | undefined;
  try {
    args = parseArguments(Deno.args, TARGETS.map(({ name }) => name));
  } catch (error) {
    console.error(`fuzz: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  if (args === undefined) {
    console.log(USAGE);
    return 0;
  }
  const { targets } = args;
  const chosen = TARGETS.filter(({ name }) => targets.length === 0 || targets.includes(name));
  return args.input === undefined ? await fuzz(args, chosen) : await repeat(args.input, chosen[0]!);
}

async function fuzz(args: FuzzArguments, targets: readonly Target[]): Promise<number> {
  const seed = args.seed ?? crypto.getRandomValues(new Uint32Array(1))[0]! + 1;
  const say = args.json ? console.error : console.log;
  say(`seed ${seed}`);
  const budget = {
    seconds: args.seconds,
    measured: true,
    ...(args.runs === undefined ? {} : { runs: args.runs }),
  };
  const results: Result[] = [];
  for (const target of targets) {
    const result = await new Engine(target, seed, budget).run();
    results.push(result);
    console.error(`${target.name}: ${result.runs} executions in ${result.seconds.toFixed(1)} s`);
    if (result.failure !== undefined) {
      say(paint(31, "failed ") + failureText(target.name, result.failure, store));
    }
    if (args.keep) keepFound(target, result);
  }
  const failed = results.filter(({ failure }) => failure !== undefined).length;
  const runs = results.reduce((sum, result) => sum + result.runs, 0);
  if (args.json) console.log(JSON.stringify({ seed, runs, failed, targets: results.map(jsonOf) }));
  else {
    console.log(table(results));
    console.log(
      paint(failed === 0 ? 32 : 31, `seed ${seed}: ${runs} executions, ${failed} targets failed`),
    );
  }
  return failed === 0 ? 0 : 1;
}

function keepFound({ name, exact }: Target, { outcomes, failure }: Result): void {
  const found: NewInput[] = [...outcomes].map(([outcome, bytes]) =>
    exact ? { outcome, bytes } : { bytes }
  );
  if (failure !== undefined) {
    found.push({ fault: failure.error.split("\n")[0] ?? "", bytes: failure.input });
  }
  const count = keep(name, found);
  if (count > 0) console.error(`${name}: ${count} inputs kept`);
}

async function repeat(text: string, target: Target): Promise<number> {
  const hex = text.startsWith("@") ? Deno.readTextFileSync(text.slice(1)).trim() : text;
  try {
    console.log(`${target.name}: ${await target.run(fromHex(hex))}`);
    return 0;
  } catch (error) {
    console.log(
      `${paint(31, "failed")} ${target.name}: ${error instanceof Error ? error.stack : error}`,
    );
    return 1;
  }
}

function store(hex: string): string {
  const path = Deno.makeTempFileSync({ prefix: "stt-fuzz-", suffix: ".hex" });
  Deno.writeTextFileSync(path, hex);
  return path;
}

function paint(colour: number, text: string): string {
  return colours ? `\x1b[${colour}m${text}\x1b[0m` : text;
}
