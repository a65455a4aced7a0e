import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

test("stars find what stands between them wherever it is", () => {
  /** By trying everything. */
  const matches = (pattern: string, text: string): boolean => {
    const [first, ...rest] = pattern;
    if (first === undefined) return text === "";
    const more = rest.join("");
    if (first === "*") {
      return matches(more, text) || text !== "" && matches(pattern, text.slice(1));
    }
    return text !== "" && (first === "?" || first === text[0]) && matches(more, text.slice(1));
  };
  const letters = (characters: string, maxLength: number): fc.Arbitrary<string> =>
    fc.string({ unit: fc.constantFrom(...characters), minLength: 1, maxLength });
  fc.assert(
    fc.property(letters("ab*?", 8), letters("ab", 12), (pattern, text) => {
      if (pattern.includes("**")) return;
      assert.equal(excluder([pattern])(text, false), matches(pattern, text), `${pattern} ${text}`);
      assert.equal(excluder([`c/${pattern}`])(`c/${text}`, false), matches(pattern, text));
    }),
    { numRuns: 2000 },
  );
});

test("no name makes a pattern take for ever", () => {
  const exclude = excluder(["*a*a*a*a*a*a*a*a*b", "d/*-*-*-*-*-*-*-*.log", "*a*[a-b]*?*a*a*a*c"]);
  for (const name of ["a".repeat(250), `d/${"-".repeat(250)}`]) {
    assert.equal(exclude(name, false), false);
  }
});

test("a pattern that means nothing is wrong use", () => {
  for (const pattern of ["", "/", "a[", "[z-a]"]) {
    assert.throws(() => excluder([pattern]), UsageError, pattern);
  }
});
