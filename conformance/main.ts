/**
 * `deno task conformance`: runs the cases of SPEC.md and the data files against this project or any other program.
 *
 * @module
 */
import { existsSync, statSync, writeFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Case } from "./case.ts";
import { builtInCases } from "./cases/mod.ts";
import { loadData, type LoadedData } from "./data/files.ts";
import { PeerProcess } from "./peer_process.ts";
import type { Implementation } from "./protocol.ts";
import { jsonReport, junitReport, type ReportHead, textReport } from "./reports.ts";
import { runCases, summarize } from "./runner.ts";

const USAGE = `usage: deno task conformance [options]

  --list             print the cases and stop
  --filter TEXT      only cases whose id or title contains TEXT, or matches it as /regular expression/;
                     may be given more than once
  --vectors DIR      run the data files in DIR instead of the built-in cases and this repository's vectors
  --impl COMMAND     drive COMMAND over JSON lines instead of this project's code
  --provider NAME    node (default) or noble: cryptography of this project's code
  --timeout MS       longest wait for one answer of COMMAND (30000)
  --json             print the report as JSON
  --junit FILE       write the report as JUnit XML
  --help             print this

exit code: 0 nothing failed, 1 a case failed, 2 the command line or the data cannot be used`;

function usageError(text: string): never {
  console.error(`conformance: ${text}\n\n${USAGE}`);
  process.exit(2);
}

function options() {
  try {
    return parseArgs({
      args: process.argv.slice(2),
      options: {
        list: { type: "boolean", default: false },
        filter: { type: "string", multiple: true, default: [] },
        vectors: { type: "string" },
        impl: { type: "string" },
        provider: { type: "string", default: "node" },
        timeout: { type: "string", default: "30000" },
        json: { type: "boolean", default: false },
        junit: { type: "string" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error));
  }
}

function expressionOf(pattern: string): RegExp {
  try {
    return new RegExp(pattern);
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error));
  }
}

function matcher(filters: readonly string[]): (one: Case) => boolean {
  const tests = filters.map((filter) => {
    const pattern = /^\/(.*)\/$/.exec(filter);
    if (pattern === null) {
      return (one: Case): boolean => one.id.includes(filter) || one.title.includes(filter);
    }
    const expression = expressionOf(pattern[1] as string);
    return (one: Case): boolean => expression.test(one.id) || expression.test(one.title);
  });
  return (one) => tests.length === 0 || tests.some((test) => test(one));
}

async function implementationOf(
  impl: string | undefined,
  provider: string,
  timeout: string,
): Promise<Implementation> {
  if (impl !== undefined) {
    const timeoutMs = Number(timeout);
    if (!(timeoutMs > 0)) {
      usageError(`--timeout ${timeout} is not a positive number of milliseconds`);
    }
    return new PeerProcess(impl, { timeoutMs });
  }
  const { InProcess } = await import("./in_process.ts");
  if (provider === "noble") {
    const { nobleProvider } = await import("../src/crypto/noble_provider.ts");
    return new InProcess(nobleProvider());
  }
  if (provider !== "node") usageError(`--provider ${provider} is neither node nor noble`);
  const { nodeProvider } = await import("../src/crypto/node_provider.ts");
  return new InProcess(nodeProvider());
}

async function main(): Promise<void> {
  const given = options();
  if (given.help) return console.log(USAGE);
  // Before the cases, whose handshakes take a second to make.
  const matches = matcher(given.filter);
  const implementation = await implementationOf(given.impl, given.provider, given.timeout);
  let data: LoadedData;
  let cases: Case[];
  if (given.vectors === undefined) {
    data = loadData(fileURLToPath(new URL("../vectors", import.meta.url)), false);
    cases = [...builtInCases(), ...data.cases];
  } else {
    if (!existsSync(given.vectors) || !statSync(given.vectors).isDirectory()) {
      usageError(`--vectors ${given.vectors} is not a directory`);
    }
    data = loadData(given.vectors);
    cases = data.cases;
    if (cases.length === 0) {
      usageError(`--vectors ${given.vectors} holds no data file of a known schema`);
    }
  }
  cases = cases.filter(matches);
  if (cases.length === 0) usageError("no case matches the filter");
  if (given.list) {
    for (const { id, level, title } of cases) console.log(`${level.padEnd(6)} ${id}  ${title}`);
    return;
  }

  const started = performance.now();
  const results = await runCases(cases, implementation);
  await implementation.close();
  const head: ReportHead = {
    implementation: implementation.name,
    summary: summarize(results),
    milliseconds: performance.now() - started,
    files: data.files,
    skipped: data.skipped,
  };
  const color = process.stdout.isTTY === true && !process.env.NO_COLOR;
  // Written whole: process.exit would cut a pipe short, so the exit code is set instead.
  console.log(given.json ? jsonReport(head, results) : textReport(head, results, color));
  if (given.junit !== undefined) writeFileSync(given.junit, junitReport(head, results));
  process.exitCode = head.summary.fail > 0 ? 1 : 0;
}

// The program under test is ended when this process exits, which a signal alone would not be.
process.on("SIGINT", () => process.exit(130));
process.on("SIGTERM", () => process.exit(143));
await main();
