/**
 * One worker as a child process: requests, replies, and its end when it takes too long.
 *
 * @module
 */

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Reply, Request } from "./protocol.ts";
import type { Workspace } from "./workspace.ts";

/** Most memory of a worker's heap, in MiB. */
const HEAP_MIB = 1024;

interface Progress {
  /** As in /proc: T is suspended, R runs or would. */
  readonly state: string;
  /** Processor time so far, in milliseconds. */
  readonly ms: number;
}

/** How far a process came; undefined where there is no /proc. */
function progressOf(pid: number | undefined): Progress | undefined {
  try {
    const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/^.*\) /, "").split(" ");
    // utime and stime, in ticks of 10 ms, are the 14th and 15th field; two were cut off.
    return { state: fields[0] ?? "", ms: 10 * (Number(fields[11]) + Number(fields[12])) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A worker that has the tests loaded, or is about to. */
export class WorkerProcess {
  readonly #child: ChildProcess;
  #waiting: ((reply: Reply) => void) | undefined;
  #ended = false;
  #errors = "";

  constructor(workspace: Workspace) {
    const args = [
      "run",
      "-A",
      "--no-check",
      "--quiet",
      `--v8-flags=--max-old-space-size=${HEAP_MIB}`,
      workspace.worker,
    ];
    this.#child = spawn(Deno.execPath(), args, {
      cwd: fileURLToPath(workspace.folder),
      stdio: ["pipe", "pipe", "pipe"],
    });
    process.on("exit", this.#kill);
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error("the worker has no pipes");
    createInterface({ input: stdout }).on("line", (line) => {
      // A test may print; replies are objects.
      if (line.startsWith("{")) this.#reply(JSON.parse(line) as Reply);
    });
    stderr.on("data", (chunk: Uint8Array) => {
      this.#errors = (this.#errors + new TextDecoder().decode(chunk)).slice(-400);
    });
    this.#child.on("close", () => {
      this.#ended = true;
      process.off("exit", this.#kill);
      this.#reply({ broken: `the worker ended: ${this.#errors.trim()}` });
    });
  }

  /**
   * Undefined when no reply came in `ms`: the worker is ended then. Time in which the worker hardly ran, on a busy
   * machine or suspended, does not count.
   */
  async ask(request: Request, ms: number): Promise<Reply | undefined> {
    if (this.#ended) return { broken: "the worker has ended" };
    const reply = new Promise<Reply>((resolve) => this.#waiting = resolve);
    this.#child.stdin?.write(`${JSON.stringify(request)}\n`);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((resolve) => {
      const watch = (before: Progress | undefined): void => {
        timer = setTimeout(() => {
          const now = progressOf(this.#child.pid);
          const held = before !== undefined && now !== undefined && /[RT]/.test(now.state) &&
            now.ms - before.ms < ms / 4;
          if (held) watch(now);
          else resolve(undefined);
        }, ms);
      };
      watch(progressOf(this.#child.pid));
    });
    const first = await Promise.race([reply, late]);
    clearTimeout(timer);
    if (first === undefined) this.end();
    return first;
  }

  /** Ends the process, whatever it does. */
  end(): void {
    this.#waiting = undefined;
    this.#ended = true;
    this.#kill();
  }

  readonly #kill = (): void => {
    this.#child.kill("SIGKILL");
  };

  #reply(reply: Reply): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(reply);
  }
}
