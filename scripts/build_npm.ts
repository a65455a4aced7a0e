/**
 * `deno task npm`: compiles mod.ts, src/ and conformance/ with their tests into npm/, a tree of ES modules and
 * declarations that Node 20 runs. npm/ mirrors the repository, so relative URLs to vectors/ hold in both.
 *
 * @module
 */

import ts from "typescript";
import { exists, filesUnder, ROOT, ROOT_PATH } from "./source_files.ts";
import { RUNTIME_PACKAGES } from "./supply_chain.ts";

interface Manifest {
  name: string;
  version: string;
  license: string;
  exports: Record<string, string>;
  imports: Record<string, string>;
}

/** What of npm/ goes into the published package. */
const PUBLISHED = [
  "mod.js",
  "mod.d.ts",
  "src",
  "!**/*_test.*",
  "!**/*_naive.*",
];

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  // Node 20 has no more than ES2023 of the library; the DOM part gives Web Streams, WebSocket and URL their types.
  lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.esnext.disposable.d.ts"],
  types: ["node"],
  rewriteRelativeImportExtensions: true,
  declaration: true,
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  isolatedDeclarations: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  skipLibCheck: true,
  resolveJsonModule: true,
  rootDir: ROOT_PATH,
  outDir: `${ROOT_PATH}npm`,
  newLine: ts.NewLineKind.LineFeed,
};

function sourcePaths(): string[] {
  return ["mod.ts", "src", "conformance"]
    .flatMap((path) => filesUnder(path, [".ts"]))
    .filter((path) => !path.endsWith("_deno_test.ts"));
}

/** Compiles, or prints the diagnostics and returns false. */
function compile(paths: string[]): boolean {
  const program = ts.createProgram(paths.map((path) => ROOT_PATH + path), OPTIONS);
  // Emitting a program with errors can crash the compiler, so what is wrong is said first.
  let diagnostics = ts.getPreEmitDiagnostics(program);
  if (diagnostics.length === 0) {
    if (exists("npm")) Deno.removeSync(new URL("npm", ROOT), { recursive: true });
    diagnostics = program.emit().diagnostics;
  }
  if (diagnostics.length === 0) return true;
  console.error(ts.formatDiagnostics(ts.sortAndDeduplicateDiagnostics(diagnostics), {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT_PATH,
    getNewLine: () => "\n",
  }));
  return false;
}

function compiledName(path: string): string {
  return path.replace(/\.ts$/, ".js");
}

/** The version that deno.json pins, out of `npm:name@version`. */
function pinnedVersion(manifest: Manifest, name: string): string {
  const version = manifest.imports[name]?.split("@").at(-1);
  if (version === undefined) throw new Error(`deno.json pins no version of ${name}`);
  return version;
}

function packageJson(manifest: Manifest): Record<string, unknown> {
  const exported: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(manifest.exports)) {
    if (name === "./cli") continue;
    exported[name] = { types: path.replace(/\.ts$/, ".d.ts"), default: compiledName(path) };
  }
  exported["./package.json"] = "./package.json";
  const bin = manifest.exports["./cli"];
  return {
    name: manifest.name,
    version: manifest.version,
    description: "Encrypted, multiplexed sessions between two nodes that share a seed",
    license: manifest.license,
    type: "module",
    engines: { node: ">=20.19" },
    sideEffects: false,
    exports: exported,
    types: "./mod.d.ts",
    ...(bin !== undefined && exists(bin) ? { bin: { stt: compiledName(bin) } } : {}),
    files: PUBLISHED,
    dependencies: Object.fromEntries(
      RUNTIME_PACKAGES.map((name) => [name, pinnedVersion(manifest, name)]),
    ),
  };
}

/** npm's command shims run the file by its first line, which in the sources names Deno or nothing. */
function writeShebang(path: string): void {
  const url = new URL(`npm/${compiledName(path)}`, ROOT);
  const text = Deno.readTextFileSync(url).replace(/^#!.*\n/, "");
  Deno.writeTextFileSync(url, `#!/usr/bin/env node\n${text}`);
  if (Deno.build.os !== "windows") Deno.chmodSync(url, 0o755);
}

function copyTree(from: string): void {
  for (const path of filesUnder(from, [""])) {
    if (path.endsWith(".ts")) continue;
    const target = new URL(`npm/${path}`, ROOT);
    Deno.mkdirSync(new URL(".", target), { recursive: true });
    Deno.copyFileSync(new URL(path, ROOT), target);
  }
}

const started = Date.now();
const manifest = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as Manifest;
const paths = sourcePaths();
if (!compile(paths)) {
  console.error("npm build: the sources do not compile against Node's types");
  Deno.exit(1);
}
Deno.writeTextFileSync(
  new URL("npm/package.json", ROOT),
  JSON.stringify(packageJson(manifest), null, 2) + "\n",
);
const bin = manifest.exports["./cli"]?.replace(/^\.\//, "");
if (bin !== undefined && exists(bin)) writeShebang(bin);
for (const path of ["vectors", "conformance", "README.md", "LICENSE"]) copyTree(path);
const seconds = ((Date.now() - started) / 1000).toFixed(1);
console.log(`npm build: ${paths.length} modules in ${seconds} s`);
