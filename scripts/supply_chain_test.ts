import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "./source_files.ts";
import {
  closure,
  type InstalledPackage,
  listedPackages,
  type Lockfile,
  packageFaults,
  pinnedPeers,
  pinningFaults,
  RUNTIME_PACKAGES,
} from "./supply_chain.ts";

function text(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

const manifest = JSON.parse(text("deno.json")) as { imports: Record<string, string> };
const lock = JSON.parse(text("deno.lock")) as Lockfile;

interface PackageJson {
  readonly license?: string;
  readonly scripts?: Readonly<Record<string, string>>;
}

/** Of node_modules, where each locked package lies under its name and version. */
function installedPackages(): InstalledPackage[] {
  return Object.keys(lock.npm).map((key) => {
    const at = key.lastIndexOf("@");
    const [name, version] = [key.slice(0, at), key.slice(at + 1)];
    const folder = `node_modules/.deno/${key.replace("/", "+")}/node_modules/${name}`;
    const { license, scripts = {} } = JSON.parse(text(`${folder}/package.json`)) as PackageJson;
    const installScripts = ["preinstall", "install", "postinstall"].filter((name) =>
      scripts[name] !== undefined
    );
    return { name, version, licence: license, installScripts };
  });
}

const SHA512 = `sha512-${"A".repeat(86)}==`;

test("every dependency is pinned to exact bytes", () => {
  assert.deepEqual(pinningFaults(manifest.imports, lock), []);
  const loose: Lockfile = {
    version: "5",
    specifiers: { "npm:a@^1.0.0": "1.0.0" },
    npm: { "a@1.0.0": {}, "b@1.0.0": { integrity: SHA512 } },
  };
  assert.deepEqual(pinningFaults({ a: "npm:a@^1.0.0", c: "jsr:@x/c@1.0.0" }, loose).length, 4);
});

test("run-time packages need nothing but each other, and README lists them with their licences", () => {
  const packages = [...RUNTIME_PACKAGES, ...pinnedPeers(manifest.imports)];
  const runtime = closure(lock, packages);
  assert.deepEqual(runtime.map((key) => key.slice(0, key.lastIndexOf("@"))), packages.sort());
  const installed = installedPackages();
  const actual = installed.map(({ name, version, licence }) => `${name}@${version} ${licence}`);
  const section = text("README.md").split(/^## Licence$/m)[1] ?? "";
  assert.deepEqual(
    listedPackages(section),
    actual.filter((line) => runtime.includes(line.split(" ")[0] ?? "")).sort(),
  );
});

test("the licences of all packages are known and allowed, and none runs a program when installed", () => {
  const installed = installedPackages();
  assert(installed.length >= RUNTIME_PACKAGES.length);
  assert.deepEqual(packageFaults(installed, closure(lock, RUNTIME_PACKAGES)), []);
  const bad: InstalledPackage[] = [
    { name: "a", version: "1.0.0", licence: "GPL-3.0", installScripts: [] },
    { name: "b", version: "1.0.0", licence: undefined, installScripts: [] },
    { name: "c", version: "1.0.0", licence: "Apache-2.0", installScripts: ["postinstall"] },
    { name: "d", version: "1.0.0", licence: "Apache-2.0", installScripts: [] },
  ];
  assert.equal(packageFaults(bad, ["d@1.0.0"]).length, 4);
});

test("what a package needs is found through several steps, by name or by name and version", () => {
  const nested: Lockfile = {
    version: "5",
    specifiers: {},
    npm: {
      "ws@1.0.0": { dependencies: ["x", "y@2.0.0"] },
      "x@1.0.0": { dependencies: ["y@1.0.0"] },
      "y@1.0.0": {},
      "y@2.0.0": { dependencies: ["x"] },
      "tool@1.0.0": {},
    },
  };
  assert.deepEqual(closure(nested, ["ws"]), ["ws@1.0.0", "x@1.0.0", "y@1.0.0", "y@2.0.0"]);
  assert.throws(() => closure({ ...nested, npm: {} }, ["ws"]), /no package ws/);
});

test("continuous integration installs what is locked and nothing else", () => {
  const workflow = text(".github/workflows/ci.yml");
  const jobs = workflow.split(/^ {2}\w+:$/m).filter((job) => job.includes("runs-on"));
  assert(jobs.length >= 3);
  for (const job of jobs) assert.match(job, /- run: (deno ci|\.ci\/run)\n/);
  assert.doesNotMatch(workflow, /(deno|npm) (install|add|update)/);
  assert.match(text(".ci/run"), /^step "dependencies" deno ci /m);
  assert.match(
    text("scripts/ok.ts"),
    /name: "lockfile", commands: \(\) => \[\["install", "--frozen"\]\]/,
  );
  assert.match(text("scripts/run_tests.ts"), /"--frozen"/);
});

test("the tools that check the package are pinned to exact bytes too, and install without programs", () => {
  const { dependencies, optionalDependencies } = JSON.parse(
    text("scripts/package_check/package.json"),
  ) as { dependencies: Record<string, string>; optionalDependencies: Record<string, string> };
  const wanted = Object.entries({ ...dependencies, ...optionalDependencies });
  const { packages } = JSON.parse(text("scripts/package_check/package-lock.json")) as {
    packages: Record<string, { version?: string; integrity?: string }>;
  };
  for (const [name, version] of wanted) {
    assert.match(version, /^\d+\.\d+\.\d+$/);
    assert.equal(packages[`node_modules/${name}`]?.version, version, name);
  }
  for (const [path, { integrity }] of Object.entries(packages)) {
    if (path !== "") assert.match(integrity ?? "", /^sha512-[A-Za-z0-9+/]{86}==$/, path);
  }
  assert.match(text("scripts/package_check/tools.ts"), /"ci", "--ignore-scripts"/);
});
