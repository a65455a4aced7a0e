/**
 * What the npm package holds, and what its package.json promises.
 *
 * @module
 */

import { builtinModules } from "node:module";
import ts from "typescript";
import { OPTIONAL_PEERS, RUNTIME_PACKAGES } from "./supply_chain.ts";

/** What is read of the built package.json. */
export interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly [key: string]: unknown;
}

/** Sizes of a package, in bytes. */
export interface Sizes {
  /** Of the tarball. */
  readonly bytes: number;
  readonly unpackedBytes: number;
}

/** What README promises. Tests, vectors or packages within the package would be above. */
export const MAX_SIZES: Sizes = { bytes: 1_000_000, unpackedBytes: 3_500_000 };
const ALLOWED =
  /^(?:README\.md|LICENSE|package\.json|mod\.(?:js|d\.ts)|src\/[\w/]+\.(?:js|d\.ts))$/;
const TESTING = /_test\.|_naive\./;
/** Keys without which registries show, or tools assume, the wrong thing. */
const WANTED_KEYS: readonly string[] = [
  "version",
  "description",
  "keywords",
  "license",
  "engines",
  "sideEffects",
  "types",
];
/** Keys that make npm run programs, install more, or take other files. */
const UNWANTED_KEYS: readonly string[] = [
  "scripts",
  "devDependencies",
  "optionalDependencies",
  "bundleDependencies",
  "bundledDependencies",
  "overrides",
];

function plain(path: unknown): string {
  return String(path).replace(/^\.\//, "");
}

/** What must not be in the package. */
function strangers(paths: readonly string[]): string[] {
  return paths.filter((path) => !ALLOWED.test(path) || TESTING.test(path))
    .map((path) => `${path} must not be published`);
}

/** What must be in the package: its papers, what it exports, and the types of every module. */
function missing(paths: readonly string[], packageJson: PackageJson): string[] {
  const wanted = ["README.md", "LICENSE", "package.json", "mod.js", "mod.d.ts"];
  for (const entry of Object.values(packageJson.exports)) {
    const targets = typeof entry === "string" ? [entry] : Object.values(entry as object);
    wanted.push(...targets.map(plain));
  }
  wanted.push(...Object.values(packageJson.bin ?? {}).map(plain));
  for (const path of paths) {
    if (path.endsWith(".js")) wanted.push(path.replace(/\.js$/, ".d.ts"));
  }
  return [...new Set(wanted)].filter((path) => !paths.includes(path))
    .map((path) => `${path} is missing`);
}

function manifestFaults(packageJson: PackageJson): string[] {
  const wrong = [
    ...UNWANTED_KEYS.filter((key) => packageJson[key] !== undefined)
      .map((key) => `package.json must not have ${key}`),
    ...WANTED_KEYS.filter((key) => packageJson[key] === undefined)
      .map((key) => `package.json has no ${key}`),
  ];
  const { dependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = packageJson;
  if ([...RUNTIME_PACKAGES].sort().join() !== Object.keys(dependencies).sort().join()) {
    wrong.push(`package.json depends on ${Object.keys(dependencies).join(", ")}`);
  }
  for (const [name, version] of Object.entries(dependencies)) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) wrong.push(`${name} is ${version}, no exact version`);
  }
  for (const [name, range] of Object.entries(peerDependencies)) {
    if (!OPTIONAL_PEERS.includes(name)) wrong.push(`${name} must not be a peer`);
    if (peerDependenciesMeta[name]?.optional !== true) wrong.push(`${name} is no optional peer`);
    if (!/^\^\d+\.\d+\.\d+$/.test(range)) wrong.push(`${name} is ${range}, not ^ and a version`);
  }
  return wrong;
}

/** Everything that is wrong with the files and the package.json of a packed package. */
export function contentFaults(
  paths: readonly string[],
  sizes: Sizes,
  packageJson: PackageJson,
): string[] {
  const wrong = [
    ...strangers(paths),
    ...missing(paths, packageJson),
    ...manifestFaults(packageJson),
  ];
  for (const name of ["bytes", "unpackedBytes"] as const) {
    if (sizes[name] <= MAX_SIZES[name]) continue;
    wrong.push(`${name} of the package are ${sizes[name]}, more than ${MAX_SIZES[name]}`);
  }
  return wrong;
}

/** The package that a bare specifier is of. */
function packageOf(specifier: string): string {
  return specifier.split("/").slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

/**
 * Imports of the package's modules and declarations that lead nowhere once it is installed: packages that it does not
 * name, files that it does not hold.
 *
 * @param texts Its files.
 */
export function importFaults(
  texts: ReadonlyMap<string, string>,
  packageJson: PackageJson,
): string[] {
  const named = [packageJson.dependencies, packageJson.peerDependencies]
    .flatMap((packages) => Object.keys(packages ?? {}));
  const wrong: string[] = [];
  for (const [path, text] of texts) {
    if (!path.endsWith(".js") && !path.endsWith(".d.ts")) continue;
    for (const { fileName } of ts.preProcessFile(text, true, true).importedFiles) {
      if (fileName.startsWith("node:") && builtinModules.includes(fileName.slice(5))) continue;
      if (!fileName.startsWith(".")) {
        if (!named.includes(packageOf(fileName))) {
          wrong.push(`${path} imports ${fileName}, which package.json does not name`);
        }
        continue;
      }
      const target = new URL(fileName, `file:///${path}`).pathname.slice(1);
      if (!fileName.endsWith(".js") || !texts.has(target)) {
        wrong.push(`${path} imports ${fileName}, which is not in the package`);
      }
    }
  }
  return wrong;
}
