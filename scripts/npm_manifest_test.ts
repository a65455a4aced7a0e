import assert from "node:assert/strict";
import { test } from "node:test";
import { type Manifest, packageJson } from "./npm_manifest.ts";
import { ROOT } from "./source_files.ts";
import { OPTIONAL_PEERS, RUNTIME_PACKAGES } from "./supply_chain.ts";

const MANIFEST = JSON.parse(
  Deno.readTextFileSync(new URL("deno.json", ROOT)),
) as Manifest;

test("the package exports what deno.json exports, under the same names, and its command", () => {
  const built = packageJson(MANIFEST);
  const { "./package.json": itself, ...exported } = built["exports"] as Record<string, unknown>;
  assert.equal(itself, "./package.json");
  assert.deepEqual(Object.keys(exported), Object.keys(MANIFEST.exports));
  for (const [name, source] of Object.entries(MANIFEST.exports)) {
    assert.match(source, /^\.\/[\w/]+\.ts$/);
    const stem = source.slice(0, -".ts".length);
    assert.deepEqual(exported[name], { types: `${stem}.d.ts`, default: `${stem}.js` }, name);
  }
  assert.deepEqual(built["bin"], { stt: "./src/cli/bin.js" });
  assert.deepEqual(built["sideEffects"], ["./src/cli/bin.js"]);
});

test("the package has deno.json's name, version, licence and exact dependencies", () => {
  const built = packageJson(MANIFEST);
  for (const key of ["name", "version", "license"] as const) {
    assert.equal(built[key], MANIFEST[key]);
  }
  for (const [name, version] of Object.entries(built["dependencies"] as object)) {
    assert.equal(MANIFEST.imports[name], `npm:${name}@${version}`);
  }
  assert.deepEqual(Object.keys(built["dependencies"] as object), RUNTIME_PACKAGES);
  assert.equal(JSON.stringify(built["engines"]), '{"node":">=20.19"}');
});

test("optional peers are those that deno.json pins, and nothing of another version", () => {
  const imports = { ...MANIFEST.imports };
  for (const name of OPTIONAL_PEERS) delete imports[name];
  const built = packageJson({
    ...MANIFEST,
    imports: { ...imports, "@noble/hashes": "npm:@noble/hashes@7.6.5" },
  });
  assert.deepEqual(built["peerDependencies"], { "@noble/hashes": "^7.6.5" });
  assert.deepEqual(built["peerDependenciesMeta"], { "@noble/hashes": { optional: true } });
});

test("what deno.json does not pin cannot be a dependency", () => {
  assert.throws(() => packageJson({ ...MANIFEST, imports: {} }), /pins no version of uqr/);
});

test("the repository is named only when it is given", () => {
  const without = packageJson(MANIFEST);
  for (const key of ["repository", "homepage", "bugs"]) assert.equal(without[key], undefined);
  for (const address of ["https://example.org/a/b", "https://example.org/a/b.git"]) {
    const built = packageJson(MANIFEST, address);
    assert.deepEqual(built["repository"], { type: "git", url: "git+https://example.org/a/b.git" });
    assert.equal(built["homepage"], "https://example.org/a/b#readme");
    assert.deepEqual(built["bugs"], { url: "https://example.org/a/b/issues" });
  }
  for (const address of ["", "a/b", "http://example.org/a", "https://example.org/", "https://x"]) {
    assert.throws(() => packageJson(MANIFEST, address), /must be https/, address);
  }
});
