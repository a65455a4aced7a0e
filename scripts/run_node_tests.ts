/**
 * `deno task test:node [--newest] [path…]`: runs the compiled tests of npm/ under `node --test` and ends with the line
 * `N passed, N failed, N skipped`. STT_NODE names another Node than the one on the path; `--newest` is the one of
 * scripts/package_check.
 *
 * @module
 */

import { installTools, newestNode } from "./package_check/tools.ts";
import { exists, filesUnder, ROOT_PATH } from "./source_files.ts";
import { groupTests, isTestFile, writeGroups } from "./test_groups.ts";
import { countedLine, readNodeEvents } from "./test_report.ts";
import type { TestCounts } from "./test_report.ts";
import { runWatched } from "./watched_command.ts";
import type { WatchedExit } from "./watched_command.ts";

if (!exists("npm/package.json")) {
  console.error("npm/ is missing: run `deno task npm` first");
  Deno.exit(1);
}
const root = new URL("../npm/", import.meta.url);
const newest = Deno.args.includes("--newest");
const wanted = Deno.args.filter((argument) => argument !== "--newest");
for (const argument of wanted) {
  if (!argument.startsWith("-")) continue;
  console.error(`unknown argument ${argument}; usage: deno task test:node [--newest] [path…]`);
  Deno.exit(2);
}
const files = ["src", "conformance"].flatMap((path) => filesUnder(path, ["_test.js"], root))
  .filter(isTestFile)
  .filter((file) => wanted.length === 0 || wanted.some((path) => file.startsWith(path)));
if (files.length === 0) {
  console.log("failed: no test file in npm/");
  console.log(countedLine(0, 1, 0));
  Deno.exit(1);
}

async function nodeProgram(): Promise<string> {
  if (!newest) return Deno.env.get("STT_NODE") ?? "node";
  await installTools();
  const program = newestNode();
  if (program !== undefined) return program;
  console.error("there is no newest Node for this system in scripts/package_check/package.json");
  Deno.exit(2);
}

const program = await nodeProgram();
const folder = await Deno.makeTempDir({ prefix: "stt-node-" });
let counts: TestCounts = { passed: 0, failed: 0, skipped: [], failures: [] };
let exit: WatchedExit;
try {
  const events = `${folder}/events.jsonl`;
  const given = wanted.length > 0
    ? files
    : await writeGroups(groupTests(files), folder, `${ROOT_PATH}npm/`, ".mjs");
  exit = await runWatched(program, [
    "--test",
    // Many tests wait for processes and timers: one file more than there are cores keeps these busy.
    `--test-concurrency=${navigator.hardwareConcurrency + 1}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    `--test-reporter=${new URL("node_reporter.mjs", import.meta.url).href}`,
    `--test-reporter-destination=${events}`,
    ...given,
  ], `${ROOT_PATH}npm`);
  counts = readNodeEvents(await Deno.readTextFile(events));
} finally {
  await Deno.remove(folder, { recursive: true });
}

if (exit.stopped !== undefined) {
  counts.failed++;
  counts.failures.push(`the run was ended: ${exit.stopped}`);
} else if (exit.code !== 0 && counts.failed === 0) {
  counts.failed++;
  counts.failures.push("the test run itself (see above)");
}
for (const { file, name, reason } of counts.skipped) {
  console.log(`skipped ${file.replace(ROOT_PATH, "")}: ${name}: ${reason || "no reason given"}`);
}
for (const failure of counts.failures) console.log(`failed ${failure.replace(ROOT_PATH, "")}`);
console.log(countedLine(counts.passed, counts.failed, counts.skipped.length));
Deno.exit(counts.failed > 0 ? 1 : 0);
