/**
 * `deno task test [path…] [--filter text]`: runs the tests and the documentation examples, says which tests were
 * skipped and why, and ends with the line `N passed, N failed, N skipped`.
 *
 * @module
 */

import { explainSkips } from "./skip_reasons.ts";
import { exists, filesUnder, ROOT, ROOT_PATH } from "./source_files.ts";
import { countedLine, readJunit } from "./test_report.ts";
import type { TestCounts } from "./test_report.ts";
import { runWatched } from "./watched_command.ts";
import type { WatchedExit } from "./watched_command.ts";

const DEFAULT_PATHS = [
  "src",
  "conformance",
  "scripts",
  "examples",
  "bench",
  "docs",
  "README.md",
  "SPEC.md",
  "SECURITY.md",
  "mod.ts",
];

const options: string[] = [];
let paths: string[] = [];
for (let i = 0; i < Deno.args.length; i++) {
  const arg = Deno.args[i] ?? "";
  if (arg === "--filter") options.push(arg, Deno.args[++i] ?? "");
  else if (arg.startsWith("-")) options.push(arg);
  else paths.push(arg);
}
if (paths.length === 0) paths = DEFAULT_PATHS.filter(exists);

// Many tests wait for processes and timers: one file more than there are cores keeps these busy.
if (Deno.env.get("DENO_JOBS") === undefined) {
  Deno.env.set("DENO_JOBS", String(navigator.hardwareConcurrency + 1));
}
const folder = await Deno.makeTempDir({ prefix: "stt-test-" });
let counts: TestCounts = { passed: 0, failed: 0, skipped: [], failures: [] };
let exit: WatchedExit;
try {
  const junit = `${folder}/junit.xml`;
  exit = await runWatched(Deno.execPath(), [
    "test",
    "-A",
    "--doc",
    // `deno task check` has looked at the types of all of it, the examples in documents included.
    "--no-check",
    // Files share the cores; every test makes its own ports, folders and processes.
    "--parallel",
    "--frozen",
    `--junit-path=${junit}`,
    ...options,
    ...paths,
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
