/**
 * `deno task mutate`: changes every comparison, condition and constant of the core, one at a time, and says which
 * changes no test notices.
 *
 * @module
 */

import { acceptedSurvivors } from "./mutate/accepted.ts";
import { parseArguments, USAGE } from "./mutate/arguments.ts";
import { MOST_SURVIVORS, MUTATED } from "./mutate/plan.ts";
import { isSurvivor, Runner } from "./mutate/runner.ts";
import type { Verdict } from "./mutate/runner.ts";
import { makeWorkspace, mutatedFiles } from "./mutate/workspace.ts";

const options = parseArguments(Deno.args);
if (typeof options === "string") {
  console.error(`${options}\n${USAGE}`);
  Deno.exit(2);
}
const files = mutatedFiles(MUTATED)
  .filter((file) =>
    options.files.length === 0 || options.files.some((path) => file.startsWith(path))
  );
if (files.length === 0) {
  console.error(`no file of the core begins with ${options.files.join(" or ")}`);
  Deno.exit(2);
}

const begun = performance.now();
const workspace = makeWorkspace(files);
const chosen = workspace.mutants
  .filter(({ id }) => id % options.shards === options.shard - 1)
  .filter(({ line, file }) =>
    options.lines === undefined || options.lines.includes(`${file}:${line}`)
  );
if (chosen.length === 0) {
  workspace.remove();
  console.error(`no mutant is there for ${Deno.args.join(" ")}`);
  Deno.exit(2);
}
const runner = new Runner(workspace);
const verdicts: Verdict[] = [];
try {
  await runner.record();
  for (const mutant of chosen) {
    const verdict = await runner.run(mutant);
    verdicts.push(verdict);
    if (options.json) {
      const { file, line, kind, label } = mutant;
      console.log(
        JSON.stringify({ file, line, kind, label, outcome: verdict.outcome, by: verdict.by }),
      );
    } else if (isSurvivor(verdict)) {
      console.log(`${mutant.file}:${mutant.line}: ${mutant.label}: ${verdict.outcome}`);
    } else if (options.verbose) {
      console.log(
        `${mutant.file}:${mutant.line}: ${mutant.label}: ${verdict.outcome} by ${verdict.by}`,
      );
    }
  }
} finally {
  runner.end();
  workspace.remove();
}

const survivors = verdicts.filter(isSurvivor);
const accepted = acceptedSurvivors();
const unlisted = survivors.filter(({ mutant }) => !accepted.has(`${mutant.file} ${mutant.label}`));
const share = survivors.length / Math.max(1, verdicts.length);
const seconds = ((performance.now() - begun) / 1000).toFixed(0);
const counts = `${verdicts.length} mutants, ${verdicts.length - survivors.length} killed, ` +
  `${survivors.length} survived (${
    (100 * share).toFixed(1)
  } %), ${unlisted.length} of them not in docs/mutation.md`;
const line = `${counts}; ${runner.tests} tests, ${seconds} s`;
if (options.json) console.error(line);
else console.log(line);
Deno.exit(share > MOST_SURVIVORS || unlisted.length > 0 ? 1 : 0);
