/**
 * `deno task docs:node`: every TypeScript block of README and docs/ on Node, from the package in npm/ (run `npm` before),
 * the commands for those who installed it, and the examples. STT_NODE names another Node than the one on the path.
 *
 * @module
 */

import { play, SCENARIOS } from "../examples/scenarios_for_test.ts";
import { blocksOf, broken } from "./doc_blocks.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";
import { faultsOf, installPackage, javaScript, runBlocks } from "./doc_runs.ts";
import { runShell, shellFaults } from "./doc_shell.ts";
import { exists, filesUnder } from "./source_files.ts";
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

const folder = await Deno.makeTempDir({ prefix: "stt-examples-" });
try {
  await installPackage(folder);
  for (const path of filesUnder("examples", [".ts"])) {
    const name = path.replace("examples/", "").replace(".ts", ".mjs");
    if (name.endsWith("_test.mjs") || name.includes("/")) continue;
    const code = javaScript(pageText(path)).replaceAll(/"(\.\/\w+)\.ts"/g, '"$1.mjs"');
    await Deno.writeTextFile(`${folder}/${name}`, code);
  }
  const node = Deno.env.get("STT_NODE") ?? "node";
  for (const name of Object.keys(SCENARIOS)) {
    await play(name, (example) => [node, `${folder}/${example}.mjs`]).catch((error) => {
      faults.push(`examples: ${name}: ${(error as Error).message}`);
    });
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}

for (const fault of faults) console.log(`failed ${fault}`);
console.log(
  countedLine(
    blocks.length + commands + Object.keys(SCENARIOS).length - faults.length,
    faults.length,
    0,
  ),
);
Deno.exit(faults.length > 0 ? 1 : 0);
