/**
 * `deno task layers`: imports of src/ point down only, the pure layers touch no clock, timer, randomness or runtime,
 * and the entry points can be loaded by plain URL. The rules are data: scripts/layer_rules.ts.
 *
 * @module
 */

import {
  BANNED_GLOBALS,
  BASE,
  BROWSER_ENTRIES,
  EARLY_COMPARISONS,
  EXCEPTIONS,
  MAY_IMPORT,
  PACKAGES,
  PUBLIC_COMPARISONS,
  PURE_FILES,
  PURE_FOLDERS,
} from "./layer_rules.ts";
import { scanModule } from "./module_scan.ts";
import type { ImportFound, ModuleScan } from "./module_scan.ts";
import { filesUnder, ROOT } from "./source_files.ts";

/** A broken rule. */
export interface Violation {
  file: string;
  line: number;
  text: string;
}

/** The tree to judge: path relative to the root, to source text. */
export type SourceTree = ReadonlyMap<string, string>;

/** What of deno.json the rules look at. */
export interface Manifest {
  exports: Readonly<Record<string, string>>;
  imports: Readonly<Record<string, string>>;
}

function folderOf(path: string): string {
  const parts = path.split("/");
  return parts.length > 2 ? parts[1] ?? BASE : BASE;
}

function isTest(path: string): boolean {
  return path.endsWith("_test.ts");
}

function isNaive(path: string): boolean {
  return path.endsWith("_naive.ts");
}

function isPure(path: string): boolean {
  return !isTest(path) && (PURE_FOLDERS.includes(folderOf(path)) || PURE_FILES.includes(path));
}

function allowed(path: string, what: string): boolean {
  return EXCEPTIONS.some(({ file, allow }) =>
    file === path &&
    allow.some((name) => name.endsWith("/") ? what.startsWith(name) : name === what)
  );
}

/** `./x.ts` as seen from `path`, as a path relative to the root. */
function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

function packageOf(specifier: string): string {
  const bare = specifier.replace(/^npm:\/?/, "");
  const parts = bare.split("/");
  const name = bare.startsWith("@") ? `${parts[0]}/${parts[1] ?? ""}` : parts[0] ?? "";
  return name.replace(/(.)@.*$/, "$1");
}

/** Rules for one import of a file of src/. */
function judgeImport(path: string, found: ImportFound, tree: SourceTree): string | undefined {
  const { specifier, kind } = found;
  if (specifier.startsWith(".")) {
    const target = resolve(path, specifier);
    if (!target.endsWith(".ts")) return `imports ${specifier}: relative imports name a .ts file`;
    if (!tree.has(target)) return `imports ${specifier}: there is no ${target}`;
    if (isTest(path)) return undefined;
    if (!target.startsWith("src/")) return `imports ${target}, which is outside of src/`;
    if (isTest(target)) return `imports the test ${target}`;
    if (isNaive(target) && !isNaive(path)) {
      return `imports ${target}: slow twins are for tests and benches`;
    }
    const from = folderOf(path);
    const to = folderOf(target);
    if (from === to) return undefined;
    const may = MAY_IMPORT[from];
    if (may === undefined) return `folder src/${from} has no rule in scripts/layer_rules.ts`;
    if (may.includes(to)) return undefined;
    return `${from} must not import ${to} (${kind} import of ${target})`;
  }
  if (isTest(path)) {
    return specifier.startsWith("jsr:") || specifier.startsWith("http")
      ? `imports ${specifier}: tests need no network`
      : undefined;
  }
  if (specifier.startsWith("node:")) {
    if (!isPure(path) || allowed(path, specifier)) return undefined;
    return `imports ${specifier}: pure layers import no node: module`;
  }
  if (specifier === "(computed)") {
    return isPure(path)
      ? "imports a computed name: pure layers load nothing at run time"
      : undefined;
  }
  const name = packageOf(specifier);
  const rule = PACKAGES.find((entry) =>
    entry.name.endsWith("/") ? name.startsWith(entry.name) : entry.name === name
  );
  if (rule === undefined) return `imports ${specifier}: not a package that src/ may use`;
  if (!path.startsWith(rule.where)) return `imports ${specifier}: only ${rule.where} may`;
  return undefined;
}

function judgeFile(
  path: string,
  scan: ModuleScan,
  tree: SourceTree,
  manifest: Manifest,
): Violation[] {
  const violations: Violation[] = [];
  const report = (line: number, text: string): void =>
    void violations.push({ file: path, line, text });
  for (const found of scan.imports) {
    const text = judgeImport(path, found, tree);
    if (text !== undefined) report(found.line, text);
  }
  for (const { name, line } of scan.syntax) {
    if (name === "using") report(line, "`using` does not run on Node 20: use try/finally");
    else if (name === "import.meta.main") report(line, "import.meta.main is unknown to Node 20");
    else if (name === "async") {
      if (isPure(path) && !allowed(path, name)) report(line, "async code in a pure layer");
    } else if (name === "Math.random") {
      if (!isTest(path)) report(line, "Math.random: randomness comes from the CryptoProvider");
    } else report(line, `${name} is banned`);
  }
  if (isPure(path)) {
    for (const { name, line } of scan.globals) {
      if (!BANNED_GLOBALS.includes(name) || allowed(path, name)) continue;
      report(line, `global ${name} in a pure layer`);
    }
  } else if (isTest(path) && !path.endsWith("_deno_test.ts")) {
    const deno = scan.globals.find(({ name }) => name === "Deno");
    if (deno !== undefined) {
      report(
        deno.line,
        "global Deno in a test that also runs on Node: name the file _deno_test.ts",
      );
    }
  }
  for (const { name, line } of scan.npmSpecifiers) {
    const pinned = manifest.imports[packageOf(name)];
    if (pinned !== name) {
      report(line, `${name} is not the version of deno.json, ${pinned ?? "none"}`);
    }
  }
  return violations;
}

/** Comparisons of bytes that take longer the more of them are right. Comments are passed over. */
function judgeComparisons(path: string, text: string): Violation[] {
  if (isTest(path) || isNaive(path)) return [];
  if (PUBLIC_COMPARISONS.some(({ file }) => file === path)) return [];
  const violations: Violation[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^\s*(\/\/|\/?\*)/.test(line)) continue;
    const found = EARLY_COMPARISONS.find(({ pattern }) => pattern.test(line));
    if (found === undefined) continue;
    const rule = "bytes that may be secret go through CryptoProvider.equal";
    violations.push({ file: path, line: index + 1, text: `${found.what}: ${rule}` });
  }
  return violations;
}

/** Static imports that an entry point pulls in must load without an import map. */
function judgeEntry(
  entry: string,
  path: string,
  scans: ReadonlyMap<string, ModuleScan>,
): Violation[] {
  const violations: Violation[] = [];
  const inBrowsers = BROWSER_ENTRIES.includes(entry);
  const seen = new Set<string>();
  const queue = [path];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    for (const { specifier, kind, line } of scans.get(next)?.imports ?? []) {
      if (inBrowsers && (specifier.startsWith("node:") || specifier === "(computed)")) {
        const text = `${kind} import of ${specifier} is reached from export "${entry}", ` +
          "which browsers load";
        violations.push({ file: next, line, text });
      }
      if (!inBrowsers && kind === "dynamic" || specifier.startsWith("node:")) continue;
      if (specifier.startsWith(".")) {
        queue.push(resolve(next, specifier));
        continue;
      }
      if (inBrowsers && specifier.startsWith("@noble/")) continue;
      const text =
        `${kind} import of ${specifier} is reached from export "${entry}": only relative ` +
        "and node: imports load by plain URL";
      violations.push({ file: next, line, text });
    }
  }
  return violations;
}

/** Rings of files that import each other's values: whichever loads first sees the others half made. */
function judgeCycles(scans: ReadonlyMap<string, ModuleScan>): Violation[] {
  const violations: Violation[] = [];
  const state = new Map<string, "open" | "done">();
  const trail: string[] = [];
  function visit(path: string): void {
    state.set(path, "open");
    trail.push(path);
    for (const { specifier, kind, line } of scans.get(path)?.imports ?? []) {
      if (kind !== "static" || !specifier.startsWith(".")) continue;
      const target = resolve(path, specifier);
      if (state.get(target) === "open") {
        const ring = [...trail.slice(trail.indexOf(target)), target].join(" > ");
        violations.push({ file: path, line, text: `import cycle: ${ring}` });
      } else if (!state.has(target)) visit(target);
    }
    trail.pop();
    state.set(path, "done");
  }
  for (const path of scans.keys()) if (!state.has(path)) visit(path);
  return violations;
}

/** Every broken rule of a tree of mod.ts and src/, in the order of files and lines. */
export function checkLayers(tree: SourceTree, manifest: Manifest): Violation[] {
  const scans = new Map<string, ModuleScan>();
  for (const [path, text] of tree) {
    if (path === "mod.ts" || path.startsWith("src/")) scans.set(path, scanModule(path, text));
  }
  const violations: Violation[] = [];
  for (const [path, scan] of scans) {
    if (!path.startsWith("src/")) continue;
    violations.push(...judgeFile(path, scan, tree, manifest));
    violations.push(...judgeComparisons(path, tree.get(path) ?? ""));
  }
  for (const [entry, target] of Object.entries(manifest.exports)) {
    violations.push(...judgeEntry(entry, target.replace(/^\.\//, ""), scans));
  }
  violations.push(...judgeCycles(scans));
  const unique = new Map(violations.map((v) => [`${v.file}:${v.line}:${v.text}`, v]));
  return [...unique.values()].sort((a, b) =>
    a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line
  );
}

/** Reads the checkout. Files outside of src/ are there so that imports of them resolve. */
function readTree(): SourceTree {
  const tree = new Map<string, string>();
  for (const top of ["mod.ts", "src", "conformance", "scripts", "bench"]) {
    for (const path of filesUnder(top, [".ts"])) {
      tree.set(
        path,
        top === "src" || top === "mod.ts" ? Deno.readTextFileSync(new URL(path, ROOT)) : "",
      );
    }
  }
  return tree;
}

if (import.meta.main) {
  const manifest = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as Manifest;
  const tree = readTree();
  const violations = checkLayers(tree, manifest);
  for (const { file, line, text } of violations) console.error(`${file}:${line}: ${text}`);
  if (violations.length > 0) {
    console.error(`${violations.length} broken layer rules`);
    Deno.exit(1);
  }
  console.log(
    `layers: ${
      [...tree.keys()].filter((path) => path.startsWith("src/")).length
    } files keep the rules`,
  );
}
