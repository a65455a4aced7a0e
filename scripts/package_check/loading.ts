/**
 * Whether every subpath loads on a Node, by `import` and by `require`.
 *
 * @module
 */

import { join } from "node:path";
import { ExitError, run } from "./run.ts";

/** How a subpath is loaded. */
export type How = "import" | "require";

/** A Node to try the package on. */
export interface Node {
  readonly program: string;
  /** `Node 20.19.0`. */
  readonly name: string;
}

/** Asks a Node which it is. */
export async function nodeOf(program: string, cwd: string): Promise<Node> {
  const version = await run(program, ["--version"], { cwd });
  return { program, name: `Node ${version.trim().replace(/^v/, "")}` };
}

/** One process for each, so that none finds a module that another has loaded. */
const PROGRAMS: Readonly<Record<How, [file: string, text: string]>> = {
  import: [
    "by_import.mjs",
    `const names = Object.keys(await import(process.env.SPECIFIER));
     if (names.length === 0 && process.env.RUNS !== "yes") throw new Error("no exports");`,
  ],
  require: [
    "by_require.cjs",
    `const names = Object.keys(require(process.env.SPECIFIER));
     if (names.length === 0) throw new Error("no exports");`,
  ],
};

/** Writes the programs that {@link load} runs. */
export async function writeLoaders(app: string): Promise<void> {
  for (const [file, text] of Object.values(PROGRAMS)) {
    await Deno.writeTextFile(join(app, file), text);
  }
}

/**
 * Loads one subpath.
 *
 * @param runs Whether it is the command, which exports nothing and runs: it is asked for its version.
 * @returns Undefined when it loads, else the name of the package that it needs and does not find.
 * @throws {Error} when it does not load for another reason.
 */
export async function load(
  node: Node,
  how: How,
  specifier: string,
  runs: boolean,
  app: string,
): Promise<string | undefined> {
  try {
    await run(node.program, [PROGRAMS[how][0], "version"], {
      cwd: app,
      env: { SPECIFIER: specifier, RUNS: runs ? "yes" : "no" },
    });
    return undefined;
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    const missing = /Cannot find (?:package|module) '((?:@[^/']+\/)?[^/']+)/.exec(error.output);
    if (missing?.[1] !== undefined) return missing[1];
    throw new Error(`${specifier} does not load by ${how} on ${node.name}: ${error.message}`);
  }
}
