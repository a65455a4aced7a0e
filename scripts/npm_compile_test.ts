import assert from "node:assert/strict";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { compile } from "./npm_compile.ts";
import { filesUnder } from "./source_files.ts";

const SOURCES: Readonly<Record<string, string>> = {
  "a.ts": `/** Kept. */
import type { B } from "./deep/b.ts";
import { c } from "./deep/b.ts";
import "node:fs";
export * from "./deep/b.ts";
export type { B as Again } from "./deep/b.ts";
/** Says ".ts" and "./x.ts". */
export function f(text: "./x.ts"): import("./deep/b.ts").Box<import("./deep/b.ts").B> {
  return { value: { text, c } };
}
export type Loaded = typeof import("./deep/b.ts");
export const g = (b: B): B => b;
`,
  "deep/b.ts": `import type { Again } from "../a.ts";
export interface B { readonly text: string; readonly c: number }
export interface Box<T> { readonly value: T }
export const c = 1;
export class Closed implements AsyncDisposable {
  [Symbol.asyncDispose](): Promise<void> { return Promise.resolve(); }
}
export const again = (b: Again): Again => b;
`,
};

/** Compiles them over an older build; the files by name, and what the compiler said under "". */
async function compiled(): Promise<ReadonlyMap<string, string>> {
  const folder = await Deno.makeTempDir({ prefix: "stt-compile-" });
  try {
    const root = pathToFileURL(`${folder}/`);
    const out = new URL("npm/", root);
    await Deno.mkdir(new URL("deep/", root));
    await Deno.mkdir(out);
    await Deno.writeTextFile(new URL("old.js", out), "left behind");
    for (const [path, text] of Object.entries(SOURCES)) {
      await Deno.writeTextFile(new URL(path, root), text);
    }
    const said = compile({ root, out, paths: Object.keys(SOURCES), check: false });
    const files = filesUnder(".", [""], out);
    const texts = files.map((path) => [path, Deno.readTextFileSync(new URL(path, out))] as const);
    return new Map([["", said], ...texts]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

// The compiler takes most of a second, so it runs once for all tests.
const files = await compiled();

function read(path: string): string {
  const text = files.get(path);
  assert(text !== undefined, `no ${path}`);
  return text;
}

test("modules and declarations name each other by the files that there are", () => {
  assert.equal(read(""), "");
  assert.match(read("a.js"), /import \{ c \} from "\.\/deep\/b\.js";/);
  const types = read("a.d.ts");
  const named = [...types.matchAll(/(?:from |import\()"([^"]+)"/g)].map(([, name]) => name);
  assert(named.length >= 5, types);
  for (const name of named) assert.equal(name, "./deep/b.js");
  assert.match(types, /Box<import\("\.\/deep\/b\.js"\)\.B>/);
  assert.match(read("deep/b.d.ts"), /from "\.\.\/a\.js"/);
});

test("what is no specifier of a file keeps its text, and comments stay", () => {
  assert.match(read("a.d.ts"), /f\(text: "\.\/x\.ts"\)/);
  assert.match(read("a.d.ts"), /\/\*\* Says "\.ts" and "\.\/x\.ts"\. \*\//);
  assert.match(read("a.js"), /import "node:fs"/);
});

test("declarations bring the part of the library that they need, and only they", () => {
  const reference = '/// <reference lib="esnext.disposable" />\n';
  assert(read("deep/b.d.ts").startsWith(reference));
  assert(!read("deep/b.js").includes(reference));
  assert(!read("a.d.ts").includes(reference));
});

test("what an older build left behind is gone", () => {
  const names = ["", "a.d.ts", "a.js", "deep/b.d.ts", "deep/b.js"];
  assert.deepEqual([...files.keys()].sort(), names);
});
