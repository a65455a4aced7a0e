/**
 * The pages whose blocks are run.
 *
 * @module
 */

import { filesUnder, ROOT } from "./source_files.ts";

/** README, everything in docs/, and the page of the examples, as paths relative to the root. */
export const DOCUMENT_PAGES: readonly string[] = [
  "README.md",
  ...filesUnder("docs", [".md"]),
  "examples/README.md",
];

/** The text of a page. */
export function pageText(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}
