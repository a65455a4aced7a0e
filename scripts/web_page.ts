/**
 * `deno task web`: builds the page of `stt listen --web` into src/, for the package that is about to be published. A
 * checkout needs none, and git ignores it.
 *
 * @module
 */
import { buildPage } from "../src/cli/web/page.ts";
import { ROOT } from "./source_files.ts";

/** Where a package has the page, relative to its root. */
export const PAGE_FILES = "src/cli/web/page_files.js";

const DECLARATIONS = `/** Files of the page by name. */
declare const files: Readonly<Record<string, string>>;
export default files;
`;

/**
 * Builds the page of the sources in `root` into the tree in `out`.
 *
 * @param declarations Whether the module gets declarations beside it, as those of a package of npm have.
 */
export async function writePage(root: URL, out: URL, declarations: boolean): Promise<void> {
  const files = await buildPage(new URL("examples/browser/", root));
  const text = `export default ${JSON.stringify(files, null, 2)};\n`;
  await Deno.writeTextFile(new URL(PAGE_FILES, out), text);
  if (!declarations) return;
  await Deno.writeTextFile(new URL(PAGE_FILES.replace(/js$/, "d.ts"), out), DECLARATIONS);
}

if (import.meta.main) await writePage(ROOT, ROOT, false);
