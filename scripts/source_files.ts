/**
 * The files of this repository that scripts work on, as paths relative to its root with forward slashes.
 *
 * @module
 */

import { fileURLToPath } from "node:url";

/** The root of the repository, with a slash at the end. */
export const ROOT: URL = new URL("../", import.meta.url);

/** The root as a path, with a separator at the end. */
export const ROOT_PATH: string = fileURLToPath(ROOT);

const SKIPPED_FOLDERS: readonly string[] = ["node_modules", "npm", "cov", ".git"];

/** Whether a path relative to the root exists. */
export function exists(path: string): boolean {
  try {
    Deno.statSync(new URL(path, ROOT));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The files under `path` (or `path` itself when it is a file) whose names end in one of `endings`, sorted. */
export function filesUnder(path: string, endings: readonly string[], root: URL = ROOT): string[] {
  const found: string[] = [];
  function walk(relative: string): void {
    for (const entry of Deno.readDirSync(new URL(relative + "/", root))) {
      const child = relative === "." ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory && !SKIPPED_FOLDERS.includes(entry.name)) walk(child);
      else if (entry.isFile && endings.some((ending) => child.endsWith(ending))) found.push(child);
    }
  }
  let info: Deno.FileInfo;
  try {
    info = Deno.statSync(new URL(path, root));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  if (info.isFile) return endings.some((ending) => path.endsWith(ending)) ? [path] : [];
  walk(path.replace(/\/$/, ""));
  return found.sort();
}
