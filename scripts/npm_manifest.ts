/**
 * The package.json of the npm package, made from deno.json.
 *
 * @module
 */

import { compiledName } from "./npm_compile.ts";
import { pinnedPeers, RUNTIME_PACKAGES } from "./supply_chain.ts";

/** What is read of deno.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

/** The export that is the command `stt`. */
export const PROGRAM_EXPORT = "./cli";

/** What of npm/ goes into the published package. */
const PUBLISHED: readonly string[] = [
  "mod.js",
  "mod.d.ts",
  "src",
  "!**/*_test.*",
  "!**/*_naive.*",
];

const KEYWORDS: readonly string[] = [
  "encryption",
  "end-to-end",
  "file-transfer",
  "multiplexing",
  "noise-protocol",
  "peer-to-peer",
  "protocol",
  "psk",
  "streams",
  "tcp",
  "transport",
  "udp",
  "websocket",
];

/** The version that deno.json pins, out of `npm:name@version`. */
function pinnedVersion({ imports }: Manifest, name: string): string {
  const version = imports[name]?.split("@").at(-1);
  if (version === undefined) throw new Error(`deno.json pins no version of ${name}`);
  return version;
}

function declarationName(path: string): string {
  return path.replace(/\.ts$/, ".d.ts");
}

/** What publishing with provenance compares with where it runs. */
function repositoryField(repository: string): Record<string, unknown> {
  if (!/^https:\/\/[^\s/]+\/\S*[^\s/]$/.test(repository)) {
    throw new Error(`the repository's address must be https://HOST/PATH, not ${repository}`);
  }
  const page = repository.replace(/\.git$/, "");
  return {
    homepage: `${page}#readme`,
    bugs: { url: `${page}/issues` },
    repository: { type: "git", url: `git+${page}.git` },
  };
}

/**
 * package.json. Dependencies are exactly those of deno.json. What only some subpaths import is an optional peer: whoever
 * uses such a subpath installs it, and a range lets two users of the same package share one copy.
 *
 * @param repository Address of the repository's page, where it is known: it is nowhere in the sources.
 * @throws {Error} when that is no https address, or deno.json does not pin a dependency.
 */
export function packageJson(manifest: Manifest, repository?: string): Record<string, unknown> {
  const exported: Record<string, unknown> = {};
  for (const [name, path] of Object.entries(manifest.exports)) {
    exported[name] = { types: declarationName(path), default: compiledName(path) };
  }
  exported["./package.json"] = "./package.json";
  const bin = manifest.exports[PROGRAM_EXPORT];
  const peers = pinnedPeers(manifest.imports);
  return {
    name: manifest.name,
    version: manifest.version,
    description:
      "Encrypted, authenticated, multiplexed sessions between two nodes that share a seed, over WebSocket, TCP and UDP",
    keywords: KEYWORDS,
    license: manifest.license,
    ...(repository === undefined ? {} : repositoryField(repository)),
    type: "module",
    engines: { node: ">=20.19" },
    // Importing a module does nothing, but for the command, which runs.
    sideEffects: bin === undefined ? false : [compiledName(bin)],
    exports: exported,
    types: "./mod.d.ts",
    ...(bin === undefined ? {} : { bin: { stt: compiledName(bin) } }),
    files: PUBLISHED,
    dependencies: Object.fromEntries(
      RUNTIME_PACKAGES.map((name) => [name, pinnedVersion(manifest, name)]),
    ),
    peerDependencies: Object.fromEntries(
      peers.map((name) => [name, `^${pinnedVersion(manifest, name)}`]),
    ),
    peerDependenciesMeta: Object.fromEntries(peers.map((name) => [name, { optional: true }])),
  };
}
