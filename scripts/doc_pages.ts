/**
 * The pages whose blocks are run.
 *
 * @module
 */

import { filesUnder, ROOT } from "./source_files.ts";

/** README and everything in docs/, as paths relative to the root. */
export const DOCUMENT_PAGES: readonly string[] = ["README.md", ...filesUnder("docs", [".md"])];

/** The text of a page. */
export function pageText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
