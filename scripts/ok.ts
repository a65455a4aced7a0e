/**
 * `deno task ok [step…]`: everything that a change must pass, each step with its time, stopping at the first that fails.
 * Step names on the command line run only those steps; `--all` goes on after a failure and says at the end what failed.
 *
 * @module
 */

import { exists, filesUnder, ROOT } from "./source_files.ts";

interface Step {
  readonly name: string;
  /** Arguments of Deno, one list for each command. */
  readonly commands: () => string[][];
  /** A file without which there is nothing to do. */
  readonly needs?: string;
}

interface Manifest {
  exports: Record<string, string>;
}

function exportedFiles(): string[] {
  const manifest = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as Manifest;
  return Object.values(manifest.exports).map((path) => path.replace(/^\.\//, "")).filter(exists);
}

/** Where blocks of code are, besides in tests. */
const DOCUMENTED = ["mod.ts", "src", "examples", "docs", "README.md", "SPEC.md", "SECURITY.md"];

const STEPS: readonly Step[] = [
  { name: "lockfile", commands: () => [["install", "--frozen"]] },
  { name: "fmt", commands: () => [["fmt", "--check"]] },
  { name: "lint", commands: () => [["lint"]] },
  { name: "layers", commands: () => [["run", "-A", "scripts/check_layers.ts"]] },
  {
    name: "check",
    commands: () => {
      const files = ["mod.ts", "src", "conformance", "scripts", "bench", "examples"]
        .flatMap((path) => filesUnder(path, [".ts"]))
        .filter((path) => !path.endsWith(".d.ts"));
      return [
        ["check", "--frozen", ...files],
        ["check", "--frozen", "--quiet", "--doc-only", ...DOCUMENTED],
      ];
    },
  },
  { name: "doc", commands: () => [["doc", "--lint", ...exportedFiles()]] },
  { name: "test", commands: () => [["run", "-A", "scripts/run_tests.ts"]] },
  {
    name: "conformance",
    needs: "conformance/main.ts",
    commands: () => [
      ["run", "-A", "conformance/main.ts"],
      ["test", "-A", "--no-check", "conformance/mutations_deno_test.ts", "--", "--all"],
    ],
  },
  {
    name: "vectors",
    needs: "scripts/check_vectors.ts",
    commands: () => [["run", "-A", "scripts/check_vectors.ts"]],
  },
  {
    name: "npm",
    commands: () => [["run", "-A", "scripts/build_npm.ts"]],
  },
  { name: "test:node", commands: () => [["run", "-A", "scripts/run_node_tests.ts"]] },
  { name: "docs:node", commands: () => [["run", "-A", "scripts/docs_node.ts"]] },
  { name: "docs:site", commands: () => [["run", "-A", "scripts/docs_site.ts"]] },
  { name: "npm package", commands: () => [["run", "-A", "scripts/check_npm.ts"]] },
  {
    name: "publish",
    commands: () => [["publish", "--dry-run", "--allow-dirty"]],
  },
];

const all = Deno.args.includes("--all");
const wanted = Deno.args.filter((arg) => arg !== "--all");
for (const name of wanted) {
  if (STEPS.some((step) => step.name === name)) continue;
  console.error(`no step ${name}; there are ${STEPS.map((step) => step.name).join(", ")}`);
  Deno.exit(2);
}

const times: string[] = [];
const begun = performance.now();

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

const failures: string[] = [];

/** Notes a failure; ends the program unless `--all` was given. */
function fail(line: string): void {
  failures.push(line);
  if (all) {
    console.error(line);
    return;
  }
  for (const time of times) console.log(time);
  console.error(line);
  Deno.exit(1);
}

for (const { name, commands, needs } of STEPS) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n== ${name}`);
  if (needs !== undefined && !exists(needs)) {
    fail(`not ok: step ${name} needs ${needs}`);
    continue;
  }
  const started = performance.now();
  let code = 0;
  for (const args of commands()) {
    ({ code } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: ROOT,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status);
    if (code !== 0) break;
  }
  if (code !== 0) {
    fail(`not ok: ${name} failed after ${seconds(started)}; alone: deno task ok "${name}"`);
    continue;
  }
  times.push(`ok  ${name.padEnd(12)} ${seconds(started).padStart(8)}`);
  console.log(times.at(-1));
}

console.log("");
for (const line of times) console.log(line);
if (failures.length > 0) {
  for (const line of failures) console.error(line);
  Deno.exit(1);
}
console.log(`all ok in ${seconds(begun)}`);
