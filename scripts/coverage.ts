/**
 * `deno task coverage [--missed] [--reuse]`: the tests of src/, conformance/ and examples/ with the line and branch
 * coverage of every file of src/ that is published. Processes that the tests start count too. Fails below
 * {@link LEAST} percent of either; the report for other tools is cov/lcov.info.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { parseLcov, percent, ranges, sum } from "./coverage/lcov.ts";
import type { Share } from "./coverage/lcov.ts";
import { shippedFiles, withUnloaded } from "./coverage/shipped.ts";
import { exists, ROOT, ROOT_PATH } from "./source_files.ts";

/** Percent of the lines and of the branches that must run. */
const LEAST = 95;
const PROFILE = fileURLToPath(new URL("cov/profile", ROOT));
const LCOV = fileURLToPath(new URL("cov/lcov.info", ROOT));

for (const arg of Deno.args) {
  if (arg === "--missed" || arg === "--reuse") continue;
  console.error(
    `unknown argument ${arg}; --missed lists lines, --reuse reports the last run again`,
  );
  Deno.exit(2);
}

async function deno(args: string[], quiet: boolean): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    // Every process of Deno below the tests writes its profile there too.
    env: quiet ? {} : { DENO_COVERAGE_DIR: PROFILE },
    stdout: "inherit",
    // The report names each file of folders that tests made and removed.
    stderr: quiet ? "null" : "inherit",
  }).spawn().status;
  return code;
}

let failed = false;
if (!Deno.args.includes("--reuse")) {
  if (exists("cov/profile")) await Deno.remove(PROFILE, { recursive: true });
  const paths = ["src", "conformance", "examples"];
  const args = ["test", "-A", "--parallel", "--no-check", `--coverage=${PROFILE}`];
  failed = await deno([...args, "--reporter=dot", ...paths], false) !== 0;
}
// Of a process that was killed while it wrote its profile an empty file is left, at which the report would stop.
for (const { name } of Deno.readDirSync(PROFILE)) {
  const path = `${PROFILE}/${name}`;
  if (Deno.statSync(path).size === 0) Deno.removeSync(path);
}
if (
  await deno(["coverage", PROFILE, `--include=${ROOT}src/`, "--lcov", `--output=${LCOV}`], true) !==
    0
) {
  console.error(`cannot report: deno coverage fails on ${PROFILE}`);
  Deno.exit(1);
}

const files = withUnloaded(
  parseLcov(await Deno.readTextFile(LCOV), ROOT_PATH),
  shippedFiles(),
  (file) => Deno.readTextFileSync(new URL(file, ROOT)),
);
function cells(name: string, lines: Share, branches: Share): string {
  const cell = (share: Share): string =>
    `${percent(share).toFixed(1).padStart(6)} % ${`${share.hit}/${share.found}`.padStart(11)}`;
  return `${name.padEnd(52)} ${cell(lines)} ${cell(branches)}`;
}
console.log(`${"file".padEnd(52)} ${"lines".padStart(20)} ${"branches".padStart(20)}`);
for (const { file, lines, branches, missed } of files) {
  const row = cells(file, lines, branches);
  console.log(Deno.args.includes("--missed") ? `${row}  ${ranges(missed)}` : row);
}
const lines = sum(files.map((one) => one.lines));
const branches = sum(files.map((one) => one.branches));
console.log(cells(`src/: ${files.length} files`, lines, branches));
for (const [name, share] of [["lines", lines], ["branches", branches]] as const) {
  if (percent(share) >= LEAST) continue;
  failed = true;
  console.error(`not ok: ${percent(share).toFixed(2)} % of the ${name} ran, of ${LEAST} %`);
}
Deno.exit(failed ? 1 : 0);
