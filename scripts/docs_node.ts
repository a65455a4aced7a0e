/**
 * `deno task docs:node`: every TypeScript block of README and docs/ on Node, from the package in npm/ (run `npm` before).
 * STT_NODE names another Node than the one on the path.
 *
 * @module
 */

import { blocksOf, broken } from "./doc_blocks.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";
import { faultsOf, runBlocks } from "./doc_runs.ts";
import { exists } from "./source_files.ts";
import { countedLine } from "./test_report.ts";

if (!exists("npm/package.json")) {
  console.error("npm/ is missing: run `deno task npm` first");
  Deno.exit(1);
}
const blocks = DOCUMENT_PAGES.flatMap((page) => blocksOf(page, pageText(page)))
  .filter(({ language }) => language === "ts");
const faults = faultsOf(blocks, await runBlocks("node", blocks), broken);
for (const fault of faults) console.log(`failed ${fault}`);
console.log(countedLine(blocks.length - faults.length, faults.length, 0));
Deno.exit(faults.length > 0 ? 1 : 0);
