/**
 * Runs TypeScript blocks of the documents in one process of Deno or Node, one after the other, as programs of somebody
 * who has the package.
 *
 * @module
 */

import ts from "typescript";
import type { Block } from "./doc_blocks.ts";
import { ROOT, ROOT_PATH } from "./source_files.ts";

/** What came of a block. */
export interface BlockRun {
  /** Lines on standard output, in order. */
  readonly printed: readonly string[];
  /** What the block threw. */
  readonly error?: string;
}

/** Puts the package that `deno task npm` built into a folder, with its program, as npm would. */
export async function installPackage(folder: string): Promise<void> {
  const modules = `${folder}/node_modules`;
  await Deno.mkdir(`${modules}/@seigr`, { recursive: true });
  await Deno.mkdir(`${modules}/.bin`);
  await Deno.symlink(`${ROOT_PATH}npm`, `${modules}/@seigr/stt`);
  // What examples import besides: peers that a reader would install.
  await Deno.symlink(`${ROOT_PATH}node_modules/@opentelemetry`, `${modules}/@opentelemetry`);
  await Deno.symlink(`${ROOT_PATH}npm/src/cli/bin.js`, `${modules}/.bin/stt`);
  await Deno.writeTextFile(`${folder}/package.json`, '{ "name": "app", "private": true }\n');
}

/** Collects what blocks print, in both runtimes; the last line is the report. */
const RUNNER = `import { format } from "node:util";
const runs = [];
const log = console.log;
for (const url of URLS) {
  const printed = [];
  console.log = (...args) => printed.push(...format(...args).split("\\n"));
  try {
    await import(url);
    runs.push({ printed });
  } catch (error) {
    runs.push({ printed, error: error instanceof Error ? error.stack : String(error) });
  }
}
console.log = log;
console.log(JSON.stringify(runs));
process.exit(0);
`;

/** The code without its types. */
export function javaScript(text: string): string {
  const { outputText } = ts.transpileModule(text, {
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
    },
  });
  return outputText;
}

/** The checkout's modules in place of the package's names. */
function fromCheckout(text: string): string {
  const manifest = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    exports: Record<string, string>;
  };
  return text.replaceAll(/"@seigr\/stt(\/\w+)?"/g, (whole, path = "") => {
    const target = manifest.exports[`.${path}`];
    return target === undefined ? whole : JSON.stringify(new URL(target, ROOT).href);
  });
}

/**
 * Runs blocks. Node takes them from the package that `deno task npm` built, by its name.
 *
 * @throws Error when the process itself fails.
 */
export async function runBlocks(
  runtime: "deno" | "node",
  blocks: readonly Block[],
): Promise<BlockRun[]> {
  const folder = await Deno.makeTempDir({ prefix: "stt-docs-" });
  try {
    const urls = blocks.map((_, index) => `./block_${index}.mjs`);
    for (const [index, block] of blocks.entries()) {
      const code = javaScript(block.text);
      await Deno.writeTextFile(
        `${folder}/block_${index}.mjs`,
        runtime === "deno" ? fromCheckout(code) : code,
      );
    }
    await Deno.writeTextFile(
      `${folder}/run.mjs`,
      `import process from "node:process";\nconst URLS = ${JSON.stringify(urls)};\n${RUNNER}`,
    );
    if (runtime === "node") await installPackage(folder);
    const [program, args] = runtime === "deno"
      ? [Deno.execPath(), ["run", "-A", "--no-check", "--config", `${ROOT_PATH}deno.json`]]
      : [Deno.env.get("STT_NODE") ?? "node", []];
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args: [...args, `${folder}/run.mjs`],
      // Blocks name files of the repository.
      cwd: ROOT_PATH,
      stdin: "null",
    }).output();
    const decoder = new TextDecoder();
    const report = decoder.decode(stdout).trim().split("\n").at(-1) ?? "";
    if (!success || report === "") throw new Error(`${program} failed: ${decoder.decode(stderr)}`);
    return JSON.parse(report) as BlockRun[];
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is wrong with the runs of blocks, in words. */
export function faultsOf(
  blocks: readonly Block[],
  runs: readonly BlockRun[],
  broken: (code: string, printed: readonly string[]) => string[],
): string[] {
  return blocks.flatMap(({ page, line, text }, index) => {
    const run = runs[index];
    if (run === undefined) return [`${page}:${line} did not run`];
    if (run.error !== undefined) return [`${page}:${line} failed: ${run.error}`];
    return broken(text, run.printed).map((promise) =>
      `${page}:${line} says that "${promise}" is printed, and prints ${JSON.stringify(run.printed)}`
    );
  });
}
