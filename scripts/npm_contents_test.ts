import assert from "node:assert/strict";
import { test } from "node:test";
import {
  contentFaults,
  importFaults,
  MAX_SIZES,
  type PackageJson,
  type Sizes,
} from "./npm_contents.ts";
import { ROOT } from "./source_files.ts";
import { RUNTIME_PACKAGES } from "./supply_chain.ts";

const PACKAGE: PackageJson = {
  name: "x",
  version: "1.0.0",
  description: "x",
  keywords: [],
  license: "MIT",
  engines: {},
  sideEffects: false,
  types: "./mod.d.ts",
  exports: {
    ".": { types: "./mod.d.ts", default: "./mod.js" },
    "./package.json": "./package.json",
  },
  bin: { x: "./src/cli/bin.js" },
  dependencies: Object.fromEntries(RUNTIME_PACKAGES.map((name) => [name, "1.2.3"])),
  peerDependencies: { "@noble/hashes": "^1.2.3" },
  peerDependenciesMeta: { "@noble/hashes": { optional: true } },
};
const SIZES: Sizes = { bytes: 1000, unpackedBytes: 1000 };
const PATHS = [
  ...["README.md", "LICENSE", "package.json", "mod.js", "mod.d.ts"],
  ...["src/cli/bin.js", "src/cli/bin.d.ts"],
];

test("a package of modules, their types and its papers is right", () => {
  assert.deepEqual(contentFaults(PATHS, SIZES, PACKAGE), []);
});

test("whatever else lies in it is named", () => {
  const strangers = [
    "src/a_test.js",
    "src/child_for_test.js",
    "src/values_naive.d.ts",
    "src/a.ts",
    "src/a.js.map",
    "vectors/values.json",
    "conformance/main.js",
    "node_modules/ws/index.js",
    ".env",
    "seed",
    "scripts/ok.js",
    "src/../../x.js",
  ];
  for (const path of strangers) {
    const faults = contentFaults([...PATHS, path], SIZES, PACKAGE);
    assert(faults.includes(`${path} must not be published`), path);
  }
});

test("whatever is missing is named: papers, exports, programs, types", () => {
  for (const path of PATHS) {
    const faults = contentFaults(PATHS.filter((other) => other !== path), SIZES, PACKAGE);
    assert.deepEqual(faults, [`${path} is missing`]);
  }
});

test("package.json runs nothing, brings nothing else, and pins what it needs", () => {
  const wrong: [Partial<PackageJson>, RegExp][] = [
    [{ scripts: { postinstall: "x" } }, /must not have scripts/],
    [{ devDependencies: {} }, /must not have devDependencies/],
    [{ keywords: undefined }, /has no keywords/],
    [{ sideEffects: undefined }, /has no sideEffects/],
    [{ peerDependencies: { "@noble/hashes": "*" } }, /hashes is \*, not \^/],
    [{ peerDependenciesMeta: {} }, /hashes is no optional peer/],
    [
      {
        peerDependencies: { ws: "^1.2.3" },
        peerDependenciesMeta: { ws: { optional: true } },
      },
      /ws must not be a peer/,
    ],
    [{ dependencies: { ...PACKAGE.dependencies, other: "1.0.0" } }, /depends on .*other/],
    [{ dependencies: {} }, /depends on/],
    [{ dependencies: { ...PACKAGE.dependencies, ws: "^1.0.0" } }, /ws is \^1\.0\.0, no exact/],
  ];
  for (const [change, fault] of wrong) {
    const faults = contentFaults(PATHS, SIZES, { ...PACKAGE, ...change });
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.match(faults[0] ?? "", fault);
  }
});

test("a package that grew is refused", () => {
  for (const name of ["bytes", "unpackedBytes"] as const) {
    const faults = contentFaults(PATHS, { ...SIZES, [name]: 1e8 }, PACKAGE);
    assert.match(faults.join(), new RegExp(`^${name} of the package are 100000000, more than`));
  }
  const promised = `less than ${MAX_SIZES.bytes / 1e6} MB as a tarball and ${
    MAX_SIZES.unpackedBytes / 1e6
  } MB unpacked`;
  const readme = Deno.readTextFileSync(new URL("README.md", ROOT)).replace(/\s+/g, " ");
  assert(readme.includes(promised), promised);
});

test("every import of the package leads somewhere once it is installed", () => {
  const right = new Map([
    ["mod.js", 'export * from "./src/a.js"; import "node:fs"; import("ws"); import "./src/a.js";'],
    ["src/a.js", 'import { sha256 } from "@noble/hashes/sha2.js"; import "../mod.js";'],
    ["README.md", 'import "nothing";'],
    ["mod.d.ts", 'export * from "./src/a.js"; export type T = import("./src/a.js").A;'],
  ]);
  assert.deepEqual(importFaults(right, PACKAGE), []);
  const wrong: [string, RegExp][] = [
    ['import "fast-check";', /^src\/a\.js imports fast-check, which package\.json/],
    ['import "@noble/curves/x.js";', /imports @noble\/curves\/x\.js, which package\.json/],
    ['const x = import("ajv");', /imports ajv/],
    ['import "fs";', /imports fs, which package\.json/],
    ['import "node:nothing";', /imports node:nothing/],
    ['import "./b.js";', /imports \.\/b\.js, which is not in the package/],
    ['import type { A } from "./a.ts";', /imports \.\/a\.ts, which is not in the package/],
    ['import "../mod";', /imports \.\.\/mod, which is not/],
  ];
  for (const [text, fault] of wrong) {
    const faults = importFaults(new Map([...right, ["src/a.js", text]]), PACKAGE);
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.match(faults[0] ?? "", fault);
  }
});
