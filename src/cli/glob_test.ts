import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "./exit_codes.ts";
import { excluder } from "./glob.ts";

const CASES:
  readonly (readonly [pattern: string, path: string, isFolder: boolean, out: boolean])[] = [
    ["*.log", "a.log", false, true],
    ["*.log", "deep/er/a.log", false, true],
    ["*.log", "a.log.txt", false, false],
    ["*.log", "log", false, false],
    ["node_modules", "a/node_modules", true, true],
    ["node_modules/", "a/node_modules", true, true],
    ["node_modules/", "node_modules", false, false],
    ["/build", "build", true, true],
    ["/build", "a/build", true, false],
    ["a/*.txt", "a/b.txt", false, true],
    ["a/*.txt", "a/c/b.txt", false, false],
    ["a/**/b", "a/b", false, true],
    ["a/**/b", "a/x/y/b", false, true],
    ["a/**", "a/x/y", false, true],
    ["a/**", "a", true, false],
    ["**/x", "x", false, true],
    ["**/x", "a/b/x", false, true],
    ["f?.c", "f1.c", false, true],
    ["f?.c", "f12.c", false, false],
    ["f[0-9]", "f7", false, true],
    ["f[!0-9]", "f7", false, false],
    ["f[!0-9]", "fa", false, true],
    ["f[a^]", "f^", false, true],
    ["f[\\d]", "f7", false, false],
    ["a.b", "aXb", false, false],
    ["(x|y)+$", "(x|y)+$", false, true],
    ["ü☃?", "ü☃😀", false, true],
    ["*", ".hidden", false, true],
  ];

test("patterns of --exclude", () => {
  for (const [pattern, path, isFolder, out] of CASES) {
    assert.equal(excluder([pattern])(path, isFolder), out, `${pattern} for ${path}`);
  }
  assert.equal(excluder([])("a", false), false);
  assert.equal(excluder(["b", "a"])("a", false), true);
});

test("a pattern that means nothing is wrong use", () => {
  for (const pattern of ["", "/", "a[", "[z-a]"]) {
    assert.throws(() => excluder([pattern]), UsageError, pattern);
  }
});
