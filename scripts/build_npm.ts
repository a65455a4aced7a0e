/**
 * `deno task npm [--repository URL]`: compiles mod.ts, src/ and conformance/ with their tests into npm/, a tree of ES
 * modules and declarations that Node 20 runs. npm/ mirrors the repository, so relative URLs to vectors/ hold in both.
 *
 * @module
 */

import { readArguments, textValue } from "./command_arguments.ts";
import { compile, compiledName } from "./npm_compile.ts";
import { type Manifest, packageJson, PROGRAM_EXPORT } from "./npm_manifest.ts";
import { filesUnder, ROOT } from "./source_files.ts";
import { writePage } from "./web_page.ts";

const USAGE = `usage: deno task npm [--repository URL]

  --repository URL   address of the repository's page, for package.json; publishing with provenance needs it
  --help             print this`;

/** How {@link buildPackage} builds. */
export interface BuildOptions {
  /** Folder of the sources, with a slash at the end; npm/ is made in it. */
  readonly root: URL;
  /** Only what is published, types unchecked: no tests, conformance suite or vectors. */
  readonly packageOnly: boolean;
  /** Address of the repository's page. */
  readonly repository?: string;
}

function isTest(path: string): boolean {
  return path.endsWith("_test.ts") || path.endsWith("_naive.ts");
}

function sourcePaths({ root, packageOnly }: BuildOptions): string[] {
  return ["mod.ts", "src", ...(packageOnly ? [] : ["conformance"])]
    .flatMap((path) => filesUnder(path, [".ts"], root))
    .filter((path) => packageOnly ? !isTest(path) : !path.endsWith("_deno_test.ts"));
}

/** npm's command shims run the file by its first line, which in the sources names Deno or nothing. */
function writeShebang(url: URL): void {
  const text = Deno.readTextFileSync(url).replace(/^#!.*\n/, "");
  Deno.writeTextFileSync(url, `#!/usr/bin/env node\n${text}`);
  if (Deno.build.os !== "windows") Deno.chmodSync(url, 0o755);
}

function copyTree(from: string, root: URL): void {
  for (const path of filesUnder(from, [""], root)) {
    if (path.endsWith(".ts")) continue;
    const target = new URL(`npm/${path}`, root);
    Deno.mkdirSync(new URL(".", target), { recursive: true });
    Deno.copyFileSync(new URL(path, root), target);
  }
}

/**
 * Builds the package. Returns how many modules it has.
 *
 * @throws {Error} with the compiler's words when the sources do not compile.
 */
export async function buildPackage(options: BuildOptions): Promise<number> {
  const { root, packageOnly, repository } = options;
  const out = new URL("npm/", root);
  const manifest = JSON.parse(Deno.readTextFileSync(new URL("deno.json", root))) as Manifest;
  const paths = sourcePaths(options);
  const wrong = compile({ root, out, paths, check: !packageOnly });
  if (wrong !== "") throw new Error(`the sources do not compile against Node's types\n${wrong}`);
  Deno.writeTextFileSync(
    new URL("package.json", out),
    JSON.stringify(packageJson(manifest, repository), null, 2) + "\n",
  );
  const bin = manifest.exports[PROGRAM_EXPORT];
  if (bin !== undefined) writeShebang(new URL(compiledName(bin), out));
  const data = packageOnly ? [] : ["vectors", "conformance"];
  for (const path of ["README.md", "LICENSE", ...data, "src"]) copyTree(path, root);
  await writePage(root, out, true);
  return paths.length;
}

async function main(): Promise<number> {
  let repository: string | undefined;
  try {
    const wanted = readArguments(Deno.args, {}, {
      "--repository": (name, value) => repository = textValue(name, value),
    });
    if (!wanted) {
      console.log(USAGE);
      return 0;
    }
  } catch (error) {
    console.error(`npm build: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return 2;
  }
  const started = performance.now();
  try {
    const modules = await buildPackage({
      root: ROOT,
      packageOnly: false,
      ...(repository === undefined ? {} : { repository }),
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    console.log(`npm build: ${modules} modules in ${seconds} s`);
    return 0;
  } catch (error) {
    console.error(`npm build: ${error instanceof Error ? error.message : error}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
