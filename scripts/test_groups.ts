/**
 * Groups of test files that run in one process, one after the other. Starting a runtime and loading the same modules
 * costs a test file of a pure layer more than its tests do; the reports name the file of each test all the same.
 *
 * @module
 */

import { writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

/** Files in a group at most, so that the groups are many enough to share the cores. */
const GROUP_FILES = 12;

/** Tests that start programs, or need what one runtime has. */
const OWN_PROCESS = /_(?:process|deno)_test\.[tj]s$/;

/** Tests about what a process holds as a whole: no other file may have been there before. */
const ALONE = /\/(?:globals|made_when_needed|canary|peer_attack)_test\.[tj]s$/;

/** Whether a path is that of a file with tests, and not of what tests share. */
export function isTestFile(path: string): boolean {
  return /_test\.[tj]s$/.test(path) && !/_for_test\.[tj]s$/.test(path);
}

/** Test files that run together, or a single one. */
export type TestGroup = readonly string[];

/** `src/a` of `src/a/b/c_test.ts`: files of one layer load the same modules. */
function layerOf(file: string): string {
  return file.split("/").slice(0, 2).join("/");
}

/** Files that take longest come first: at the end of a run one of them would keep a single core busy. */
function rank(file: string): number {
  if (file.startsWith("src/cli/") && OWN_PROCESS.test(file)) return 0;
  return OWN_PROCESS.test(file) || file.startsWith("conformance/") ? 1 : 2;
}

/**
 * Divides test files: those of one layer of `src/` stand together, at most {@link GROUP_FILES} of them; all others are
 * alone. Those that wait for programs come between the groups, which keep the cores busy meanwhile.
 */
export function groupTests(files: readonly string[]): TestGroup[] {
  const layers = new Map<string, string[]>();
  const alone: string[] = [];
  for (const file of [...files].sort()) {
    if (!file.startsWith("src/") || OWN_PROCESS.test(file) || ALONE.test(file)) alone.push(file);
    else layers.set(layerOf(file), [...layers.get(layerOf(file)) ?? [], file]);
  }
  const groups: TestGroup[] = [];
  for (const layer of layers.values()) {
    const count = Math.ceil(layer.length / GROUP_FILES);
    // Every count-th file: neighbours are often of one kind, and equally slow.
    for (let i = 0; i < count; i++) groups.push(layer.filter((_, at) => at % count === i));
  }
  // The largest first, for the same reason.
  groups.sort((a, b) => b.length - a.length);
  const singles: TestGroup[] = alone.sort((a, b) => rank(a) - rank(b)).map((file) => [file]);
  const order: TestGroup[] = [];
  for (let i = 0; i < Math.max(singles.length, groups.length); i++) {
    order.push(...singles.slice(i, i + 1), ...groups.slice(i, i + 1));
  }
  return order;
}

/**
 * Writes a module for each group into `folder`.
 *
 * @param root The folder that the paths of the files begin at, with a separator at the end.
 * @param ending `.ts` or `.mjs`.
 * @returns What the runner is given, in order.
 */
export async function writeGroups(
  groups: readonly TestGroup[],
  folder: string,
  root: string,
  ending: string,
): Promise<string[]> {
  const given: string[] = [];
  for (const [index, files] of groups.entries()) {
    const [first = ""] = files;
    if (files.length === 1) {
      given.push(first);
      continue;
    }
    const path = `${folder}/${layerOf(first).replace("/", "_")}_${index}_test${ending}`;
    const imports = files.map((file) =>
      `import ${JSON.stringify(pathToFileURL(root + file).href)};`
    );
    await writeFile(path, `${imports.join("\n")}\n`);
    given.push(path);
  }
  return given;
}
