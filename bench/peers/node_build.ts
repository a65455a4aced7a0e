/**
 * Translates the sources and the benches to JavaScript for Node, file by file and without checking types, into
 * bench/peers/.node: the same code that `deno task npm` makes, in a moment.
 *
 * @module
 */
import ts from "typescript";
import { filesUnder, ROOT } from "../../scripts/source_files.ts";

/** The folder that mirrors the repository. */
export const NODE_BUILD: URL = new URL(".node/", import.meta.url);

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  rewriteRelativeImportExtensions: true,
  verbatimModuleSyntax: true,
};

function modified(file: URL): number {
  try {
    return Deno.statSync(file).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return 0;
    throw error;
  }
}

/** Translates what has changed. */
export function buildForNode(): void {
  const files = ["mod.ts", "src", "bench/peers", "bench/scale"].flatMap((path) =>
    filesUnder(path, [".ts"])
  )
    .filter((path) => !path.endsWith("_test.ts") && !path.startsWith("bench/peers/.node/"));
  for (const path of files) {
    const source = new URL(path, ROOT);
    const target = new URL(path.replace(/\.ts$/, ".js"), NODE_BUILD);
    if (modified(target) >= modified(source)) continue;
    const { outputText } = ts.transpileModule(Deno.readTextFileSync(source), {
      compilerOptions: OPTIONS,
      fileName: path,
    });
    Deno.mkdirSync(new URL(".", target), { recursive: true });
    // Another bench of this tree may be reading the old file.
    const fresh = new URL(`${target.href}.${Deno.pid}`);
    Deno.writeTextFileSync(fresh, outputText);
    Deno.renameSync(fresh, target);
  }
}
