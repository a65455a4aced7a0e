/**
 * `deno task test [path…] [--filter text]`: runs the tests and the documentation examples, says which tests were
 * skipped and why, and ends with the line `N passed, N failed, N skipped`. Without a path, files share processes as
 * test_groups.ts has it.
 *
 * @module
 */

import { explainSkips } from "./skip_reasons.ts";
import { filesUnder, ROOT, ROOT_PATH } from "./source_files.ts";
import { groupTests, isTestFile, writeGroups } from "./test_groups.ts";
import { countedLine, readJunit } from "./test_report.ts";
import type { TestCounts } from "./test_report.ts";
import { runWatched } from "./watched_command.ts";
import type { WatchedExit } from "./watched_command.ts";

/** Where tests are; scripts/doc_examples_deno_test.ts runs the examples of all documents and docstrings. */
const TEST_PATHS = ["src", "conformance", "scripts", "examples", "bench"];

const options: string[] = [];
const paths: string[] = [];
for (let i = 0; i < Deno.args.length; i++) {
  const arg = Deno.args[i] ?? "";
  if (arg === "--filter") options.push(arg, Deno.args[++i] ?? "");
  else if (arg.startsWith("-")) options.push(arg);
  else paths.push(arg);
}

// Many tests wait for processes and timers: one file more than there are cores keeps these busy.
if (Deno.env.get("DENO_JOBS") === undefined) {
  Deno.env.set("DENO_JOBS", String(navigator.hardwareConcurrency + 1));
}
const folder = await Deno.makeTempDir({ prefix: "stt-test-" });
let counts: TestCounts = { passed: 0, failed: 0, skipped: [], failures: [] };
let exit: WatchedExit;
try {
  const junit = `${folder}/junit.xml`;
  const given = paths.length > 0
    // Each file by itself, with the examples in it.
    ? ["--doc", ...paths]
    : await writeGroups(
      groupTests(TEST_PATHS.flatMap((path) => filesUnder(path, ["_test.ts"])).filter(isTestFile)),
      folder,
      ROOT_PATH,
      ".ts",
    );
  exit = await runWatched(Deno.execPath(), [
    "test",
    "-A",
    // `deno task check` has looked at the types of all of it, the examples in documents included.
    "--no-check",
    // The groups stand outside the repository.
    `--config=${ROOT_PATH}deno.json`,
    // Files share the cores; every test makes its own ports, folders and processes.
    "--parallel",
    "--frozen",
    `--junit-path=${junit}`,
    ...options,
    ...given,
  ], ROOT_PATH);
  try {
    counts = readJunit((await Deno.readTextFile(junit)).replaceAll(ROOT.href, ""));
  } catch (error) {
    // No report is written when a file does not compile: the runner has said so, and its exit code counts below.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
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
if (counts.skipped.length > 0) {
  explainSkips(
    counts.skipped,
    ["src", "conformance", "scripts"].flatMap((p) => filesUnder(p, ["_test.ts"])),
  );
}
for (const { file, name, reason } of counts.skipped) {
  console.log(`skipped ${file}: ${name}: ${reason === "" ? "no reason given" : reason}`);
}
for (const failure of counts.failures) console.log(`failed ${failure.replace(ROOT_PATH, "")}`);
if (exit.code === 0 && counts.passed === 0) {
  counts.failed++;
  console.log("failed: no test ran");
}
console.log(countedLine(counts.passed, counts.failed, counts.skipped.length));
Deno.exit(counts.failed > 0 ? 1 : 0);
