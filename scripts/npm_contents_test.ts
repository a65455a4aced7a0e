import assert from "node:assert/strict";
import { test } from "node:test";
import { contentFaults, type PackageJson } from "./npm_contents.ts";
import { RUNTIME_PACKAGES } from "./supply_chain.ts";

const PACKAGE: PackageJson = {
  name: "x",
  exports: {
    ".": { types: "./mod.d.ts", default: "./mod.js" },
    "./package.json": "./package.json",
  },
  bin: { x: "./src/cli/bin.js" },
  dependencies: Object.fromEntries(RUNTIME_PACKAGES.map((name) => [name, "1.2.3"])),
};
const PATHS = [
  ...["README.md", "LICENSE", "package.json", "mod.js", "mod.d.ts"],
  ...["src/cli/bin.js", "src/cli/bin.d.ts"],
];

test("a package of modules, their types and its papers is right", () => {
  assert.deepEqual(contentFaults(PATHS, 1000, PACKAGE), []);
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
    const faults = contentFaults([...PATHS, path], 1000, PACKAGE);
    assert(faults.includes(`${path} must not be published`), path);
  }
});

test("whatever is missing is named: papers, exports, programs, types", () => {
  for (const path of PATHS) {
    const faults = contentFaults(PATHS.filter((other) => other !== path), 1000, PACKAGE);
    assert.deepEqual(faults, [`${path} is missing`]);
  }
});

test("package.json runs nothing, brings nothing else, and pins what it needs", () => {
  const wrong: [Partial<PackageJson>, RegExp][] = [
    [{ scripts: { postinstall: "x" } }, /must not have scripts/],
    [{ devDependencies: {} }, /must not have devDependencies/],
    [{ dependencies: { ...PACKAGE.dependencies, other: "1.0.0" } }, /depends on .*other/],
    [{ dependencies: {} }, /depends on/],
    [{ dependencies: { ...PACKAGE.dependencies, ws: "^1.0.0" } }, /ws is \^1\.0\.0, no exact/],
  ];
  for (const [change, fault] of wrong) {
    const faults = contentFaults(PATHS, 1000, { ...PACKAGE, ...change });
    assert.equal(faults.length, 1, faults.join("\n"));
    assert.match(faults[0] ?? "", fault);
  }
  assert.match(contentFaults(PATHS, 1e8, PACKAGE).join(), /100000000 bytes are more/);
});
