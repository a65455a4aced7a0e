/**
 * What the package stands on at run time: which packages, of which versions, under which licences, and whether everything
 * that is installed is pinned.
 *
 * @module
 */

/** Packages that `mod.ts` and the command load at run time; they are installed with the package. */
export const RUNTIME_PACKAGES: readonly string[] = ["uqr", "ws"];

/** Packages that only some subpaths load; whoever uses such a subpath installs them. Counted once deno.json pins them. */
export const OPTIONAL_PEERS: readonly string[] = [
  "@noble/ciphers",
  "@noble/curves",
  "@noble/hashes",
  "@opentelemetry/api",
];

/** Licences that ask for nothing but their own text: of run-time packages; and of what is never installed with this one. */
const RUNTIME_LICENCES: readonly string[] = ["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause"];
const TOOL_LICENCES: readonly string[] = [...RUNTIME_LICENCES, "Apache-2.0"];

/** What is read of deno.lock, version 5. */
export interface Lockfile {
  readonly version: string;
  readonly specifiers: Readonly<Record<string, string>>;
  readonly npm: Readonly<
    Record<string, { readonly integrity?: string; readonly dependencies?: readonly string[] }>
  >;
}

/** A package as it is installed. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly licence: string | undefined;
  /** Of its package.json: programs that run while it is installed. */
  readonly installScripts: readonly string[];
}

function nameOf(key: string): string {
  return key.slice(0, key.lastIndexOf("@"));
}

/** The optional peers that deno.json pins. */
export function pinnedPeers(imports: Readonly<Record<string, string>>): string[] {
  return OPTIONAL_PEERS.filter((name) => imports[name] !== undefined);
}

/** `packages` and all that they need, as `name@version`, sorted. */
export function closure(lock: Lockfile, packages: readonly string[]): string[] {
  const keys = Object.keys(lock.npm);
  const found = new Set<string>();
  const visit = (name: string): void => {
    // A dependency of which there are several versions is locked as name@version.
    const key = keys.find((other) => other === name) ??
      keys.find((other) => nameOf(other) === name);
    if (key === undefined) throw new Error(`deno.lock has no package ${name}`);
    if (found.has(key)) return;
    found.add(key);
    for (const dependency of lock.npm[key]?.dependencies ?? []) visit(dependency);
  };
  for (const name of packages) visit(name);
  return [...found].sort();
}

/** What is not pinned to exact bytes. */
export function pinningFaults(imports: Readonly<Record<string, string>>, lock: Lockfile): string[] {
  const faults: string[] = [];
  for (const [name, specifier] of Object.entries(imports)) {
    if (!/^npm:(@[a-z-]+\/)?[a-z-]+@\d+\.\d+\.\d+$/.test(specifier)) {
      faults.push(`deno.json: ${name} is ${specifier}, no exact version of an npm package`);
    }
    if (lock.specifiers[specifier] === undefined) faults.push(`deno.lock has no ${specifier}`);
  }
  for (const [key, { integrity }] of Object.entries(lock.npm)) {
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) {
      faults.push(`deno.lock: ${key} has no SHA-512`);
    }
  }
  return faults;
}

/** What is wrong with the licences and install scripts of `installed`; `runtime` are keys of {@link closure}. */
export function packageFaults(
  installed: readonly InstalledPackage[],
  runtime: readonly string[],
): string[] {
  const faults: string[] = [];
  for (const { name, version, licence, installScripts } of installed) {
    const key = `${name}@${version}`;
    const isRuntime = runtime.includes(key);
    const allowed = isRuntime ? RUNTIME_LICENCES : TOOL_LICENCES;
    if (licence === undefined || !allowed.includes(licence)) {
      faults.push(`${key}: licence ${licence ?? "unknown"} is none of ${allowed.join(", ")}`);
    }
    if (installScripts.length > 0) faults.push(`${key} runs ${installScripts.join(", ")}`);
  }
  return faults;
}

/** The rows `| name | version | licence |` of the first table in `text` that lists packages. */
export function listedPackages(text: string): string[] {
  const rows = text.matchAll(/^\| `([^`]+)` +\| (\d+\.\d+\.\d+) +\| ([\w.-]+) +\|/gm);
  return [...rows].map(([, name, version, licence]) => `${name}@${version} ${licence}`).sort();
}
