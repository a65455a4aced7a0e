/**
 * The survivors that docs/mutation.md lists, each with its reason.
 *
 * @module
 */

import { ROOT } from "../source_files.ts";

/** A heading names the file; its list has the change as code, a colon, and the reason. */
const HEADING = /^## `(src\/[^`]+)`/;
const ENTRY = /^- (`+) ?(.+?) ?\1: (.+)$/;

/** `file label` to the reason, for every survivor in `markdown`. */
export function parseAccepted(markdown: string): Map<string, string> {
  const found = new Map<string, string>();
  let file = "";
  for (const line of markdown.replace(/\n {2}(?=\S)/g, " ").split("\n")) {
    file = HEADING.exec(line)?.[1] ?? file;
    const entry = ENTRY.exec(line);
    if (entry !== null) found.set(`${file} ${entry[2]}`, entry[3] ?? "");
  }
  return found;
}

/** As {@link parseAccepted}, of the document itself. */
export function acceptedSurvivors(): Map<string, string> {
  return parseAccepted(Deno.readTextFileSync(new URL("docs/mutation.md", ROOT)));
}
