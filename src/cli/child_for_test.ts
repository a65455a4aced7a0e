/**
 * The command `stt` in a process of its own, on the runtime that runs the test.
 *
 * @module
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

const DEADLINE_MS = 60_000;
const ON_DENO = import.meta.url.endsWith(".ts");
const BIN = fileURLToPath(new URL(ON_DENO ? "bin.ts" : "bin.js", import.meta.url));

/** A line of `--json`. */
export type JsonEvent = Readonly<Record<string, unknown>>;

/** How to start a child. */
export interface ChildOptions {
  /** Shared seed as text, in STT_SEED. */
  readonly seed?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A shell command line that runs `"$@"`, for limits (`ulimit -f 1; exec "$@"`). */
  readonly shell?: string;
  /** Flags of Deno in place of all permissions. */
  readonly permissions?: readonly string[];
  /** Leaves standard output to the test, which must read it to its end. */
  readonly rawStdout?: boolean;
  /** Leaves standard input open to be written. */
  readonly stdin?: boolean;
}

/** Program and arguments of the command on this runtime. */
export function commandLine(
  args: readonly string[],
  permissions: readonly string[] = ["-A"],
): [program: string, args: string[]] {
  const runtime = ON_DENO
    // Deno starts a Deno without any flag of permissions with all of them.
    ? ["run", "--deny-ffi", ...permissions, "--no-prompt", "--frozen", "--quiet", BIN]
    : [BIN];
  return [process.execPath, [...runtime, ...args]];
}

/** A child process whose output can be waited for. Every wait has a deadline that names what was awaited. */
export class Child {
  readonly process: ChildProcess;
  /** What it wrote so far. */
  stdout = "";
  stderr = "";
  readonly #waits: Set<() => void> = new Set();
  #exit: { readonly code: number | null; readonly signal: string | null } | undefined;
  #closed = false;

  constructor(args: readonly string[], options: ChildOptions = {}) {
    const [program, rest] = commandLine(args, options.permissions);
    const { shell, seed } = options;
    const [file, argv] = shell === undefined
      ? [program, rest]
      : ["bash", ["-c", shell, "stt", program, ...rest]];
    this.process = spawn(file, argv, {
      cwd: options.cwd,
      env: {
        ...process.env,
        NO_COLOR: "1",
        // Not the configuration of whoever runs the tests.
        STT_CONFIG: "",
        ...(seed === undefined ? {} : { STT_SEED: seed }),
        ...options.env,
      },
      stdio: [options.stdin === true ? "pipe" : "ignore", "pipe", "pipe"],
    });
    if (options.rawStdout !== true) {
      this.process.stdout?.setEncoding("utf8").on("data", (text: string) => {
        this.stdout += text;
        this.#wake();
      });
    }
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#wake();
    });
    this.process.on("exit", (code, signal) => {
      this.#exit = { code, signal };
      this.#wake();
    });
    this.process.on("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The events of `--json` so far. */
  get events(): readonly JsonEvent[] {
    const whole = this.stdout.slice(0, this.stdout.lastIndexOf("\n") + 1);
    return whole.split("\n").filter((line) => line !== "").map((line) =>
      JSON.parse(line) as JsonEvent
    );
  }

  /** The first event of this name, or the `count`th. */
  async event(name: string, count = 1): Promise<JsonEvent> {
    const find = (): JsonEvent | undefined =>
      this.events.filter(({ event }) => event === name)[count - 1];
    await this.until(() => find() !== undefined, `event ${name} (${count})`);
    return find() as JsonEvent;
  }

  /** Waits until a line of standard error matches. */
  async errorLine(pattern: RegExp): Promise<void> {
    await this.until(() => pattern.test(this.stderr), `a line like ${pattern}`);
  }

  /** Waits for a condition on this child; it is looked at whenever the child says or does something. */
  until(condition: () => boolean, what: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        this.#waits.delete(look);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (condition()) finish();
        else if (this.#closed) finish(this.#failure(`the process ended before ${what}`));
      };
      const timer = setTimeout(
        () => finish(this.#failure(`no ${what} within ${DEADLINE_MS / 1000} s`)),
        DEADLINE_MS,
      );
      this.#waits.add(look);
      look();
    });
  }

  /** The exit code, once all output is there; a signal's name if one ended the process. */
  async exit(): Promise<number | string> {
    await this.until(() => this.#closed, "the end of the process");
    return this.#exit?.code ?? this.#exit?.signal ?? -1;
  }

  /** Not by the process object: on Deno that reports the signal as the cause of every later end. */
  kill(signal: NodeJS.Signals): void {
    if (this.#exit !== undefined) return;
    try {
      process.kill(this.pid, signal);
    } catch (error) {
      // It has ended, and this process is yet to hear of it.
      if ((error as { code?: string }).code !== "ESRCH") throw error;
    }
  }

  /** Bytes of memory at most so far, as the kernel counted them; undefined where it does not say. */
  peakMemory(): number | undefined {
    try {
      const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
      const match = /VmHWM:\s+(\d+) kB/.exec(status);
      return match === null ? undefined : Number(match[1]) * 1024;
    } catch (error) {
      if (error instanceof Error) return undefined;
      throw error;
    }
  }

  #wake(): void {
    for (const look of [...this.#waits]) look();
  }

  #failure(text: string): Error {
    return new Error(`${text}\nstdout: ${this.stdout}\nstderr: ${this.stderr}`);
  }
}

/** Waits for something that no child tells of. */
export async function eventually<T>(
  look: () => Promise<T | undefined>,
  what: string,
): Promise<T> {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`no ${what} within ${DEADLINE_MS / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Runs `act` and kills whatever children it leaves behind. */
export async function withChildren<T>(
  act: (start: (args: readonly string[], options?: ChildOptions) => Child) => Promise<T>,
): Promise<T> {
  const children: Child[] = [];
  try {
    return await act((args, options) => {
      const child = new Child(args, options);
      children.push(child);
      return child;
    });
  } finally {
    for (const child of children) {
      // A stopped process does not hear SIGKILL's gentler kin.
      child.kill("SIGKILL");
      child.process.stdout?.resume();
      await child.exit();
    }
  }
}
