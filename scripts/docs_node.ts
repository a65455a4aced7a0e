/**
 * `deno task docs:node`: every TypeScript block of README and docs/ on Node, from the package in npm/ (run `npm` before),
 * and the commands for those who installed it. STT_NODE names another Node than the one on the path.
 *
 * @module
 */

import { blocksOf, broken } from "./doc_blocks.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";
import { faultsOf, runBlocks } from "./doc_runs.ts";
import { runShell, shellFaults } from "./doc_shell.ts";
import { exists } from "./source_files.ts";
import { countedLine } from "./test_report.ts";

if (!exists("npm/package.json")) {
  console.error("npm/ is missing: run `deno task npm` first");
  Deno.exit(1);
}
const blocks = DOCUMENT_PAGES.flatMap((page) => blocksOf(page, pageText(page)))
  .filter(({ language }) => language === "ts");
const faults = faultsOf(blocks, await runBlocks("node", blocks), broken);

let commands = 0;
for (const page of DOCUMENT_PAGES) {
  const all = blocksOf(page, pageText(page));
  const runs = await runShell(
    all,
    (command) => /^(?:node|npx stt|mkdir) /.test(command),
    {},
    "installed",
  );
  commands += runs.length;
  faults.push(...shellFaults(all, runs));
}
for (const fault of faults) console.log(`failed ${fault}`);
console.log(countedLine(blocks.length + commands - faults.length, faults.length, 0));
Deno.exit(faults.length > 0 ? 1 : 0);
