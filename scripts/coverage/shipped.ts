/**
 * The files that coverage is measured of, and what counts in one that no test loads.
 *
 * @module
 */

import ts from "typescript";
import { filesUnder, ROOT } from "../source_files.ts";
import type { FileCoverage } from "./lcov.ts";

/** Everything in src/ that is published: all but tests, their helpers and the slow twins that they compare with. */
export function shippedFiles(root: URL = ROOT): string[] {
  return filesUnder("src", [".ts"], root).filter((path) => !NOT_SHIPPED.test(path));
}

/** Files of src/ that only tests load. */
export const NOT_SHIPPED: RegExp = /_(test|naive)\.ts$/;

/** Lines of code that are left of `source` when types are erased. */
export function codeLines(source: string): number {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: {
      target: ts.ScriptTarget.ESNext,
      module: ts.ModuleKind.ESNext,
      removeComments: true,
      verbatimModuleSyntax: true,
    },
  });
  return outputText.split("\n")
    .filter((line) => line.trim() !== "" && !/^(export \{.*\}|export \* from|import )/.test(line))
    .length;
}

/** `measured` with the shipped files that no test loaded: nothing of them ran. */
export function withUnloaded(
  measured: readonly FileCoverage[],
  files: readonly string[],
  read: (file: string) => string,
): FileCoverage[] {
  const known = new Map(measured.map((one) => [one.file, one]));
  return files.map((file) => {
    const one = known.get(file);
    if (one !== undefined) return one;
    const lines = { hit: 0, found: codeLines(read(file)) };
    return { file, lines, branches: { hit: 0, found: 0 }, missed: [] };
  });
}
