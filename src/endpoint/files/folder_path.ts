/**
 * Which paths the entries of a received folder may have: names joined by `/`, each of which could be a file by itself.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { fileNameFault } from "./file_name.ts";
import { isPartName } from "./kept_parts.ts";

const PATH_MAX_BYTES = 2048;
const PATH_MAX_DEPTH = 64;

/** The rule that a path breaks, in words, or undefined. */
export function folderPathFault(path: string, windows: boolean): string | undefined {
  if (new TextEncoder().encode(path).length > PATH_MAX_BYTES) {
    return `it is longer than ${PATH_MAX_BYTES} bytes`;
  }
  const names = path.split("/");
  if (names.length > PATH_MAX_DEPTH) return `it is deeper than ${PATH_MAX_DEPTH} folders`;
  for (const name of names) {
    const fault = fileNameFault(name, windows);
    if (fault !== undefined) return names.length === 1 ? fault : `in one of its names, ${fault}`;
    if (isPartName(name)) return "it is one of parts of files";
  }
  return undefined;
}

/**
 * Checks a path relative to a folder, before anything of the system sees it. It cannot leave the folder: no name of it is
 * empty, `.` or `..`, none holds a separator of any system, a drive or a device.
 *
 * @throws {SttError} FILE_NAME, naming the rule.
 */
export function checkFolderPath(path: string, windows: boolean): void {
  const fault = folderPathFault(path, windows);
  if (fault === undefined) return;
  const shown = JSON.stringify(path.length > 128 ? `${path.slice(0, 128)}…` : path);
  throw new SttError("FILE_NAME", `cannot use path ${shown}: ${fault}`);
}

/** Paths that some file system takes for one and the same are equal in this form. */
export function foldedPath(path: string): string {
  return path.normalize("NFC").toLowerCase();
}
