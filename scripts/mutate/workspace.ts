/**
 * A copy of the sources in which the mutated files hold all their mutants and the tests report to the worker.
 *
 * @module
 */

import { fileURLToPath, pathToFileURL } from "node:url";
import { filesUnder, ROOT } from "../source_files.ts";
import { instrument } from "./instrument.ts";
import { findMutants, numericConstants } from "./mutants.ts";
import type { Mutant } from "./mutants.ts";
import { SHARED_CONSTANTS, TESTS } from "./plan.ts";

/** A mutant, the file that it is in, and its number in the copy. */
export interface NumberedMutant extends Mutant {
  readonly id: number;
  readonly file: string;
}

/** Where everything is. */
export interface Workspace {
  readonly folder: URL;
  readonly worker: string;
  /** Paths of the test files, as the worker imports them. */
  readonly tests: readonly string[];
  readonly mutants: readonly NumberedMutant[];
  remove(): void;
}

/** Files of the core under `paths`: no tests, and nothing that only tests use. */
export function mutatedFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => filesUnder(path, [".ts"]))
    .filter((path) => !/_(for_test|test|naive)\.ts$/.test(path));
}

/** All mutants of `files`, numbered in the order of the files and of their text. */
export function allMutants(files: readonly string[]): NumberedMutant[] {
  const shared = numericConstants(read(SHARED_CONSTANTS));
  let id = 0;
  return files.flatMap((file) =>
    findMutants(file, read(file), shared).map((mutant) => ({ ...mutant, file, id: id++ }))
  );
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, ROOT));
}

/** Makes the copy in `cov/`, below the repository's root, so that packages resolve as they do outside of it. */
export function makeWorkspace(
  files: readonly string[],
  tests: readonly string[] = TESTS,
): Workspace {
  const mutants = allMutants(files);
  Deno.mkdirSync(new URL("cov", ROOT), { recursive: true });
  const made = Deno.makeTempDirSync({
    dir: fileURLToPath(new URL("cov", ROOT)),
    prefix: "mutate-",
  });
  const folder = pathToFileURL(`${made}/`);
  function write(path: string, text: string): void {
    const target = new URL(path, folder);
    Deno.mkdirSync(new URL(".", target), { recursive: true });
    Deno.writeTextFileSync(target, text);
  }
  for (const path of filesUnder("src", [".ts"])) {
    let text = read(path);
    const own = mutants.filter((mutant) => mutant.file === path);
    if (own.length > 0) text = instrument(text, own, own[0]?.id ?? 0);
    else if (path.endsWith("_test.ts")) {
      const up = "../".repeat(path.split("/").length - 1);
      text = text.replaceAll(`from "node:test"`, `from "${up}scripts/mutate/collected_tests.ts"`);
    }
    write(path, text);
  }
  for (const path of filesUnder("scripts/mutate", [".ts"])) write(path, read(path));
  Deno.symlinkSync(new URL("vectors", ROOT), new URL("vectors", folder));
  return {
    folder,
    worker: new URL("scripts/mutate/worker.ts", folder).href,
    tests: tests.flatMap((path) => filesUnder(path, ["_test.ts"]))
      .filter((path) => !path.endsWith("_for_test.ts") && !path.endsWith("_deno_test.ts"))
      .map((path) => new URL(path, folder).href),
    mutants,
    remove: () => Deno.removeSync(folder, { recursive: true }),
  };
}
