/**
 * The command `stt` in a process of its own, followed by its events.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import process from "node:process";

/** Longest time for any of it; only reached when something is wrong. */
const PATIENCE_MS = 60_000;

/** A line of `--json`. */
export type Facts = Readonly<Record<string, unknown>>;

/** How to start the command: a program and the arguments before the command's own. */
export interface Start {
  /** For messages: `Deno`, `Node 20`. */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  readonly cwd: string;
}

/** A running command. */
export class Program {
  readonly #child: ChildProcess;
  readonly #what: string;
  readonly #events: Facts[] = [];
  #errors = "";
  #code: number | undefined;
  #wake: () => void = () => undefined;

  constructor({ name, command, cwd }: Start, args: readonly string[], seed: string) {
    this.#what = `stt ${args[0]} on ${name}`;
    const [program, ...before] = command;
    const script = process.platform === "win32" && program === "npx";
    const argv = script
      ? ["cmd", "/c", program, ...before, ...args]
      : [program, ...before, ...args];
    this.#child = spawn(argv[0]!, [...argv.slice(1), "--json"], {
      cwd,
      env: { ...process.env, NO_COLOR: "1", STT_SEED: seed },
      stdio: ["ignore", "pipe", "pipe"],
    });
    createInterface({ input: this.#child.stdout! }).on("line", (line) => {
      this.#events.push(JSON.parse(line) as Facts);
      this.#wake();
    });
    this.#child.stderr!.setEncoding("utf8").on("data", (text: string) => this.#errors += text);
    this.#child.on("close", (code) => {
      this.#code = code ?? 1;
      this.#wake();
    });
  }

  async #until<T>(look: () => T | undefined, what: string): Promise<T> {
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, PATIENCE_MS);
    let over = false;
    late.promise.then(() => {
      over = true;
      this.#wake();
    });
    try {
      for (;;) {
        const found = look();
        if (found !== undefined) return found;
        if (over || this.#code !== undefined) {
          const events = this.#events.map((event) => JSON.stringify(event)).join("\n");
          const why = over ? "waited too long" : `ended with ${this.#code}`;
          throw new Error(`${this.#what}: ${why} before ${what}\n${events}\n${this.#errors}`);
        }
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** The first event of this name. */
  event(name: string): Promise<Facts> {
    return this.#until(() => this.#events.find(({ event }) => event === name), `event ${name}`);
  }

  /** Waits for its end, which must be in order. */
  async end(): Promise<void> {
    const code = await this.#until(() => this.#code, "its end");
    if (code !== 0) throw new Error(`${this.#what} ended with ${code}\n${this.#errors}`);
  }

  kill(): void {
    if (this.#code === undefined) this.#child.kill("SIGKILL");
  }
}
