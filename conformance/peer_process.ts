/** A program under test as a child process: JSON lines on its standard input and output. @module */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import {
  type Answer,
  type Implementation,
  ImplementationFault,
  isObject,
  type Request,
} from "./protocol.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** Starts in a row that answered nothing: the command itself does not work. */
const HOPELESS_STARTS = 3;
const STDERR_KEPT = 400;

interface Waiting {
  readonly id: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

export interface PeerProcessOptions {
  readonly timeoutMs?: number;
}

/**
 * Starts `command` by the shell when it is first needed, and anew after a crash or a time-out. One request is under way
 * at a time, so that a crash belongs to one case.
 */
export class PeerProcess implements Implementation {
  readonly name: string;
  readonly #timeoutMs: number;
  #child: ChildProcessWithoutNullStreams | undefined;
  #waiting: Waiting | undefined;
  #nextId = 1;
  #buffered = "";
  #stderr = "";
  #fruitless = 0;
  /** Times the program was started. */
  starts = 0;

  constructor(command: string, options: PeerProcessOptions = {}) {
    this.name = command;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  call(request: Request): Promise<Answer> {
    if (this.#fruitless >= HOPELESS_STARTS) {
      return Promise.reject(new ImplementationFault(`does not start${this.#lastWords()}`));
    }
    const child = this.#child ?? this.#start();
    const id = this.#nextId++;
    const answer = new Promise<Answer>((resolve, reject) => {
      this.#waiting = { id, resolve, reject };
    });
    const timer = setTimeout(() => {
      this.#fail(`no answer within ${this.#timeoutMs} ms`);
    }, this.#timeoutMs);
    // A broken pipe shows as an exit of the program.
    child.stdin.write(`${oneLine({ id, ...request })}\n`, () => {});
    return answer.finally(() => clearTimeout(timer));
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    child.stdin.end();
    const timer = setTimeout(() => kill(child), 2000);
    await ended;
    clearTimeout(timer);
  }

  #start(): ChildProcessWithoutNullStreams {
    // A group of its own: the shell's children end with it.
    const child = spawn(this.name, { shell: true, detached: process.platform !== "win32" });
    this.starts++;
    this.#fruitless++;
    this.#buffered = "";
    this.#stderr = "";
    child.stdout.setEncoding("utf8");
    child.stderr.setEncoding("utf8");
    child.stdin.on("error", () => {
      // The exit that caused it is reported by "close".
    });
    child.stdout.on("data", (text: string) => this.#read(child, text));
    child.stderr.on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    child.on("error", (error) => this.#child === child && this.#fail(error.message));
    child.on("close", (code, signal) => {
      if (this.#child === child) {
        this.#fail(`crashed (${signal ?? `exit ${code}`})${this.#lastWords()}`);
      }
    });
    this.#child = child;
    return child;
  }

  #lastWords(): string {
    const text = this.#stderr.trim().split("\n").slice(-3).join(" | ");
    return text === "" ? "" : `: ${text}`;
  }

  #read(child: ChildProcessWithoutNullStreams, text: string): void {
    if (this.#child !== child) return;
    const lines = (this.#buffered + text).split("\n");
    this.#buffered = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") this.#line(line);
  }

  #line(line: string): void {
    const waiting = this.#waiting;
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      return this.#fail(`wrote a line that is no JSON: ${line.slice(0, 80)}`);
    }
    if (!isObject(answer) || waiting === undefined || answer.id !== waiting.id) {
      return this.#fail(`answered something that was not asked: ${line.slice(0, 80)}`);
    }
    const isAnswer = isObject(answer.ok) || typeof answer.error === "string" ||
      answer.unsupported === true;
    if (!isAnswer) {
      return this.#fail(`answered neither ok, error nor unsupported: ${line.slice(0, 80)}`);
    }
    this.#fruitless = 0;
    this.#waiting = undefined;
    waiting.resolve(answer as unknown as Answer);
  }

  #fail(what: string): void {
    const waiting = this.#waiting;
    const child = this.#child;
    this.#waiting = undefined;
    this.#child = undefined;
    if (child !== undefined) kill(child);
    waiting?.reject(new ImplementationFault(what));
  }
}

function kill(child: ChildProcessWithoutNullStreams): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === "win32") child.kill("SIGKILL");
    else process.kill(-child.pid, "SIGKILL");
  } catch {
    // It ended by itself in the meantime.
    child.kill("SIGKILL");
  }
}

/** JSON in one line, also for programs that end lines where Unicode does. */
function oneLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\u0085\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
