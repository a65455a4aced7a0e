import assert from "node:assert/strict";
import { test } from "node:test";
import { type Block, blocksOf, broken, docstringsOf, promisedLines } from "./doc_blocks.ts";
import { faultsOf, runBlocks } from "./doc_runs.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";
import { filesUnder } from "./source_files.ts";

const PAGES = [...DOCUMENT_PAGES, "SPEC.md", "SECURITY.md"];
const SOURCES = [
  "mod.ts",
  ...["src", "conformance", "scripts", "examples", "bench"].flatMap((path) =>
    filesUnder(path, [".ts"])
  ),
];

const GROUPS: readonly (readonly [string, readonly Block[]])[] = [
  ["documents", PAGES.flatMap((page) => blocksOf(page, pageText(page)))],
  ["docstrings", SOURCES.flatMap((file) => blocksOf(file, docstringsOf(pageText(file))))],
];

for (const [where, all] of GROUPS) {
  const blocks = all.filter(({ language }) => language === "ts");

  test(`examples in ${where} run, and print what they say`, async (t) => {
    assert.ok(blocks.filter(({ text }) => promisedLines(text).length > 0).length > 10);
    const runs = await runBlocks("deno", blocks);
    for (const [index, block] of blocks.entries()) {
      await t.test(`${block.page}:${block.line}`, () => {
        assert.deepEqual(faultsOf([block], runs.slice(index, index + 1), broken), []);
      });
    }
  });

  test(`examples in ${where} are in the language that is run`, () => {
    const other = all.filter(({ language }) =>
      /^(?:typescript|tsx|jsx?|javascript)\b/.test(language)
    );
    assert.deepEqual(other, []);
  });
}

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
