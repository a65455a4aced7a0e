/**
 * What the npm package holds, and what its package.json promises.
 *
 * @module
 */

import { RUNTIME_PACKAGES } from "./supply_chain.ts";

/** What is read of the built package.json. */
export interface PackageJson {
  readonly name: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly [key: string]: unknown;
}

/** A package is far below; tests, vectors or packages within it would be above. */
const MAX_UNPACKED_BYTES = 2_500_000;
const ALLOWED =
  /^(?:README\.md|LICENSE|package\.json|mod\.(?:js|d\.ts)|src\/[\w/]+\.(?:js|d\.ts))$/;
const TESTING = /_test\.|_naive\./;
/** Keys that make npm run programs, install more, or take other files. */
const UNWANTED_KEYS: readonly string[] = [
  "scripts",
  "devDependencies",
  "peerDependencies",
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
  const wrong = UNWANTED_KEYS.filter((key) => packageJson[key] !== undefined)
    .map((key) => `package.json must not have ${key}`);
  const dependencies = packageJson.dependencies ?? {};
  if ([...RUNTIME_PACKAGES].sort().join() !== Object.keys(dependencies).sort().join()) {
    wrong.push(`package.json depends on ${Object.keys(dependencies).join(", ")}`);
  }
  for (const [name, version] of Object.entries(dependencies)) {
    if (!/^\d+\.\d+\.\d+$/.test(version)) wrong.push(`${name} is ${version}, no exact version`);
  }
  return wrong;
}

/** Everything that is wrong with a packed package. */
export function contentFaults(
  paths: readonly string[],
  unpackedBytes: number,
  packageJson: PackageJson,
): string[] {
  const wrong = [
    ...strangers(paths),
    ...missing(paths, packageJson),
    ...manifestFaults(packageJson),
  ];
  if (unpackedBytes > MAX_UNPACKED_BYTES) {
    wrong.push(`${unpackedBytes} bytes are more than ${MAX_UNPACKED_BYTES}`);
  }
  return wrong;
}
