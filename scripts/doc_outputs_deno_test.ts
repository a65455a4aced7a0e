import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, blocksOf, broken, docstringsOf, promisedLines } from "./doc_blocks.ts";
import { faultsOf, runBlocks } from "./doc_runs.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";
import { filesUnder } from "./source_files.ts";

function promising(blocks: readonly Block[]): Block[] {
  return blocks.filter(({ language, text }) => language === "ts" && promisedLines(text).length > 0);
}

test("what the documents say is printed is printed", async () => {
  const blocks = promising(DOCUMENT_PAGES.flatMap((page) => blocksOf(page, pageText(page))));
  assert.ok(blocks.length > 10, `${blocks.length} blocks`);
  assert.deepEqual(faultsOf(blocks, await runBlocks("deno", blocks), broken), []);
});

test("what docstrings say is printed is printed", async () => {
  const files = ["mod.ts", ...filesUnder("src", [".ts"])];
  const blocks = promising(files.flatMap((file) => blocksOf(file, docstringsOf(pageText(file)))));
  assert.ok(blocks.length > 10, `${blocks.length} blocks`);
  assert.deepEqual(faultsOf(blocks, await runBlocks("deno", blocks), broken), []);
});

test("a block that prints something else, or fails, is named", async () => {
  const blocks = blocksOf(
    "p.md",
    '```ts\nconsole.log(1 + 1); // 3\n```\n```ts\nthrow new Error("no");\n```\n',
  );
  const faults = faultsOf(blocks, await runBlocks("deno", blocks), broken);
  assert.equal(faults.length, 2);
  assert.equal(faults[0], 'p.md:2 says that "3" is printed, and prints ["2"]');
  assert.match(faults[1] ?? "", /^p\.md:5 failed: Error: no/);
});
