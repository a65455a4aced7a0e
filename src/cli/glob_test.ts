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

/** By trying everything, from the words of the reference: `**/ ` is names, `; /**` at the end all that is within. */
function naive(pattern: string, text: string): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return text === "";
  if (pattern === "/**") return text.startsWith("/") && text.length > 1;
  if (pattern.startsWith("**/")) {
    const name = /^[^/]+\//.exec(text)?.[0];
    return naive(pattern.slice(3), text) ||
      name !== undefined && naive(pattern, text.slice(name.length));
  }
  if (pattern.startsWith("**")) {
    return naive(pattern.slice(2), text) || text !== "" && naive(pattern, text.slice(1));
  }
  const more = rest.join("");
  if (first === "*") {
    return naive(more, text) || /^[^/]/.test(text) && naive(pattern, text.slice(1));
  }
  const fits = first === "?" ? /^[^/]/.test(text) : first === text[0];
  return fits && naive(more, text.slice(1));
}

test("a pattern matches what a matcher that tries everything matches", () => {
  const letters = (parts: readonly string[], maxLength: number): fc.Arbitrary<string> =>
    fc.array(fc.constantFrom(...parts), { minLength: 1, maxLength }).map((all) => all.join(""));
  let matched = 0;
  fc.assert(
    fc.property(
      letters(["a", "b", "*", "?", "/", "**/", "/**", "**"], 8),
      letters(["a", "b", "/", "ab/"], 12),
      (pattern, text) => {
        // A pattern for names at any depth sees the last name alone; one for folders alone says less.
        if (pattern.endsWith("/") || pattern === "/") return;
        const whole = pattern.includes("/");
        const bare = pattern.replace(/^\//, "");
        const expected = naive(bare, whole ? text : text.slice(text.lastIndexOf("/") + 1));
        assert.equal(excluder([pattern])(text, false), expected, `${pattern} ${text}`);
        if (expected) matched++;
      },
    ),
    { numRuns: 5000 },
  );
  assert(matched > 200, `${matched} matched`);
});

test("no name makes a pattern take for ever", () => {
  const stars = excluder(["*a*a*a*a*a*a*a*a*b", "d/*-*-*-*-*-*-*-*.log", "*a*[a-b]*?*a*a*a*c"]);
  for (const name of ["a".repeat(250), `d/${"-".repeat(250)}`]) {
    assert.equal(stars(name, false), false);
  }
  const deep = "a/".repeat(1000);
  const folders = excluder([
    `${"**/a/".repeat(12)}b`,
    `${"**a".repeat(12)}b`,
    `${"**/".repeat(20)}b`,
  ]);
  assert.equal(folders(`${deep}c`, false), false);
  assert.equal(folders(`${deep}b`, false), true);
});

test("a pattern that means nothing is wrong use", () => {
  for (const pattern of ["", "/", "a[", "[z-a]"]) {
    assert.throws(() => excluder([pattern]), UsageError, pattern);
  }
});
