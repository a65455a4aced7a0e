import assert from "node:assert/strict";
import { test } from "node:test";
import {
  blocksOf,
  broken,
  commandsOf,
  docstringsOf,
  isShown,
  promisedLines,
  shape,
  transcriptOf,
} from "./doc_blocks.ts";

const PAGE = [
  "# Title",
  "```sh",
  "a",
  "```",
  "",
  "```text",
  "out",
  "```",
  "Save it as `x.ts` or as `x.mjs`:",
  "```ts",
  "x;",
]
  .concat(["```"]).join("\n");

test("blocks know their language, their line, and whether they follow another one", () => {
  assert.deepEqual(
    blocksOf("p.md", PAGE).map(({ line, language, text, follows, files }) => [
      ...[line, language, text, follows],
      files.join(),
    ]),
    [
      [3, "sh", "a", false, ""],
      [7, "text", "out", true, ""],
      [11, "ts", "x;", false, "x.ts,x.mjs"],
    ],
  );
});

test("what a comment behind console.log promises has to be printed", () => {
  const code = "console.log(a); // 3: the number\nconsole.log(b(c)); // done\nf(); // not this";
  assert.deepEqual(promisedLines(code), ["3: the number", "done"]);
  assert.deepEqual(broken(code, ["done", "3"]), []);
  assert.deepEqual(broken(code, ["done", "30"]), ["3: the number"]);
  assert.deepEqual(broken(code, [""]), ["3: the number", "done"]);
});

test("docstrings are pages too, and strings have the quotes of whoever writes them", () => {
  const source =
    '/**\n * Words.\n * ```ts\n * console.log(a); // "x" 1\n * ```\n */\nconst a = `x`;';
  const [block] = blocksOf("a.ts", docstringsOf(source));
  assert.deepEqual([block?.line, block?.text], [4, 'console.log(a); // "x" 1']);
  assert.deepEqual(broken(block?.text ?? "", ["x 1"]), []);
  assert.deepEqual(broken('console.log(b); // [ "x" ]', ["[ 'x' ]"]), []);
});

test("commands are without remarks, and lines that go on are one", () => {
  assert.deepEqual(commandsOf("a b   # why\n\n# only words\nc \\\n  d#e"), ["a b", "c d#e"]);
});

test("a transcript is commands, each with what is shown below it, in parts", () => {
  const [block] = blocksOf("p.md", "```text\n$ a\none 1 ms\n[##--] 50%\n$ b\n```\n");
  const parts = transcriptOf(block!);
  assert.deepEqual(parts.map(({ language, text }) => [language, text]), [
    ["sh", "a"],
    ["text", "one 1 ms\n[##--] 50%"],
    ["sh", "b"],
  ]);
  assert.equal(isShown("zero\none 27 ms\n", parts[1]!.text, true), true);
  assert.equal(isShown("zero\ntwo 27 ms\n", parts[1]!.text, true), false);
  assert.equal(isShown("zero\none 27 ms\n", parts[1]!.text, false), false);
});

test("outputs of two runs have one shape, other outputs another", () => {
  const first = "sent a: 30.0 MB in 548 ms\nid 173ca25ef1d9376c33c2\nfile /tmp/stt-x-1a/b\n";
  const second = "\x1b[1mTask stt deno run x\nsent a: 812 B in 1.5 s\nid 5cea420a169be50cd615\n" +
    "file /home/a/stt-y2/b\n";
  assert.equal(shape(first), shape(second));
  assert.notEqual(shape(first), shape(first.replace("sent", "received")));
});
