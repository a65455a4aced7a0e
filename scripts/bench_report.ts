/**
 * `deno task bench:report [--write]`: whether this repository's benches became slower than `bench/baseline.json` says.
 *
 * The benches of bench/ run once, and each is divided by a loop of the same run that never changes, so that a slower
 * machine is not taken for slower code. It prints and judges nothing: the exit code is 0 whatever became of the times.
 * `--write` makes this run the baseline.
 *
 * @module
 */
import { compareRatios, NOISE, ratioLines, type Ratios, ratiosOf } from "./bench_ratios.ts";
import { ROOT_PATH } from "./source_files.ts";

const BASELINE = `${ROOT_PATH}bench/baseline.json`;

const unknown = Deno.args.find((argument) => argument !== "--write");
if (unknown !== undefined) {
  console.error(`unknown argument ${unknown}\nusage: deno task bench:report [--write]`);
  Deno.exit(2);
}

function readBaseline(): Record<string, unknown> & { readonly benches?: Ratios } {
  try {
    return JSON.parse(Deno.readTextFileSync(BASELINE)) as { benches?: Ratios };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

const { stdout, success } = new Deno.Command(Deno.execPath(), {
  args: ["bench", "-A", "--no-check", "--json", "bench/"],
  cwd: ROOT_PATH,
  stderr: "inherit",
}).outputSync();
if (!success) console.log("some benches failed; the others are compared");
const now = ratiosOf(new TextDecoder().decode(stdout));
const baseline = readBaseline();
const compared = compareRatios(now, baseline.benches ?? {});
console.log("times of the reference loop: baseline, now, change");
for (const line of ratioLines(compared)) console.log(line);
const slower = compared.filter(({ verdict }) => verdict === "slower").length;
console.log(
  slower === 0
    ? `nothing is slower than the baseline by more than the noise (${NOISE} ×)`
    : `${slower} of ${compared.length} are slower by more than ${NOISE} ×: run again before you believe it`,
);
if (Deno.args.includes("--write")) {
  Deno.writeTextFileSync(BASELINE, JSON.stringify({ ...baseline, benches: now }, null, 2) + "\n");
  console.log("written: bench/baseline.json");
}
