/**
 * Runs the commands of `sh` blocks, in a folder that looks like a clone, as the reader would. The address of another
 * machine stands for this one, and listeners run beside the commands that follow them.
 *
 * @module
 */

import { dirname } from "node:path";
import { type Block, commandsOf, isShown, shape } from "./doc_blocks.ts";
import { installPackage } from "./doc_runs.ts";
import { ROOT_PATH } from "./source_files.ts";

/** What a clone has; everything else that commands make is the folder's own. */
const CLONED = [
  ...["deno.json", "deno.lock", "mod.ts", "src", "scripts", "vectors", "conformance", "examples"],
  ...["LICENSE", "README.md", "node_modules"],
];
const PATIENCE_MS = 60_000;
const LISTENS = /\blistening on \S+|^listening/m;

/** Where commands run: in a clone, or in a folder of somebody who installed the package of `deno task npm`. */
export type Place = "clone" | "installed";

async function furnish(folder: string, place: Place): Promise<void> {
  if (place === "clone") {
    await Deno.mkdir(`${folder}/.bin`);
    const program =
      `#!/bin/sh\nexec "${Deno.execPath()}" run -A "${ROOT_PATH}src/cli/bin.ts" "$@"\n`;
    await Deno.writeTextFile(`${folder}/.bin/stt`, program, { mode: 0o755 });
    for (const name of CLONED) await Deno.symlink(ROOT_PATH + name, `${folder}/${name}`);
    return;
  }
  await installPackage(folder);
}

/** What a command did. */
export interface ShellRun {
  readonly block: Block;
  readonly command: string;
  /** undefined for a listener, which runs on. */
  readonly code: number | undefined;
  /** Both streams. */
  readonly output: string;
}

interface Listener {
  readonly local: string;
  readonly child: Deno.ChildProcess;
  /** What it has said until now. */
  readonly said: () => string;
}

/** Reads both streams of a child. */
function outputOf(child: Deno.ChildProcess): { said: () => string; ended: Promise<unknown> } {
  let text = "";
  const take = async (stream: ReadableStream<Uint8Array>): Promise<void> => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  const ended = Promise.all([take(child.stdout), take(child.stderr), child.status]);
  return { said: () => text, ended };
}

function start(command: string, folder: string): Deno.ChildProcess {
  return new Deno.Command("bash", {
    // `exec` makes the process of a single command the one that is ended later.
    args: ["-c", /[|&;<>]/.test(command) ? command : `exec ${command}`],
    cwd: folder,
    env: {
      NO_COLOR: "1",
      PATH: `${folder}/.bin:${Deno.env.get("PATH")}`,
      // What a page installs goes with the folder, and is not there when the page is run again.
      DENO_INSTALL_ROOT: `${folder}/.deno`,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function within<T>(promise: Promise<T>, what: string, said: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: nothing for ${PATIENCE_MS} ms\n${said()}`)),
      PATIENCE_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function untilItListens(child: Deno.ChildProcess, said: () => string): Promise<void> {
  let over = false;
  void child.status.then(() => over = true);
  while (!LISTENS.test(said())) {
    if (over) throw new Error(`the listener ended: ${said()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function addressOf(command: string): string | undefined {
  return /\b127\.0\.0\.1:\d+/.exec(command)?.[0];
}

/** Ends the listeners of an address, or all of them. */
async function endListeners(listeners: readonly Listener[], address?: string): Promise<void> {
  for (const { local, child } of listeners) {
    if (address !== undefined && addressOf(local) !== address) continue;
    try {
      child.kill("SIGINT");
    } catch { /* it has ended */ }
    await child.status;
  }
}

function freePort(): number {
  using socket = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return socket.addr.port;
}

/**
 * Runs the commands of a page's blocks in order.
 *
 * @param wanted Whether to run a command; others are left out.
 * @throws Error for a command that does not end, or a listener that does not listen.
 */
export async function runShell(
  blocks: readonly Block[],
  wanted: (command: string) => boolean,
  files: Readonly<Record<string, Uint8Array>>,
  place: Place = "clone",
): Promise<ShellRun[]> {
  const folder = await Deno.makeTempDir({ prefix: "stt-docs-" });
  // Each port of the page is one of this machine, the same for all of its commands.
  const ports = new Map<string, number>();
  const portFor = (shown: string): number => {
    const port = ports.get(shown) ?? freePort();
    ports.set(shown, port);
    return port;
  };
  const listeners: Listener[] = [];
  const runs: ShellRun[] = [];
  try {
    await furnish(folder, place);
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.mkdir(dirname(`${folder}/${name}`), { recursive: true });
      await Deno.writeFile(`${folder}/${name}`, bytes);
    }
    for (const block of blocks) {
      for (const name of block.files) await Deno.writeTextFile(`${folder}/${name}`, block.text);
      if (block.language !== "sh") continue;
      for (const command of commandsOf(block.text).filter(wanted)) {
        // npx would stand between this process and the listener that it has to end.
        const local = command.replace(/^npx stt /, "node_modules/.bin/stt ").replaceAll(
          /\b(?:0\.0\.0\.0|127\.0\.0\.1|192\.0\.2\.\d+):(9\d{3})\b/g,
          (_, port) => `127.0.0.1:${portFor(port)}`,
        );
        if (/\blisten\b/.test(command)) await endListeners(listeners, addressOf(local));
        const child = start(local, folder);
        const { said, ended } = outputOf(child);
        if (/\blisten\b/.test(command)) {
          listeners.push({ local, child, said });
          await within(untilItListens(child, said), command, said);
          runs.push({ block, command, code: undefined, output: said() });
        } else {
          try {
            await within(ended, command, said);
          } catch (error) {
            child.kill("SIGKILL");
            throw error;
          }
          runs.push({ block, command, code: (await child.status).code, output: said() });
        }
      }
    }
    return runs;
  } finally {
    await endListeners(listeners);
    await Deno.remove(folder, { recursive: true });
  }
}

/** The output that a page shows under a block, if it shows one. */
function shownUnder(block: Block, blocks: readonly Block[]): string | undefined {
  const next = blocks[blocks.indexOf(block) + 1];
  return next?.language === "text" && next.follows ? next.text : undefined;
}

/** What is wrong with the runs of a page, in words: commands that failed, outputs that are not the ones shown. */
export function shellFaults(blocks: readonly Block[], runs: readonly ShellRun[]): string[] {
  return runs.flatMap(({ block, command, code, output }, index) => {
    const where = `${block.page}:${block.line} ${command}`;
    if (code !== undefined && code !== 0) return [`${where} ended with ${code}: ${output}`];
    const last = runs[index + 1]?.block !== block;
    const shown = last && code !== undefined ? shownUnder(block, blocks) : undefined;
    if (shown === undefined || isShown(output, shown, block.loose === true)) return [];
    return [`${where} shows ${shape(shown)}\nand prints ${shape(output)}`];
  });
}
