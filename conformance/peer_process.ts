/** A program under test as a child process: JSON lines on its standard input and output. @module */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import {
  type Answer,
  type Implementation,
  ImplementationFault,
  isObject,
  type JsonObject,
  type Request,
} from "./protocol.ts";

const DEFAULT_TIMEOUT_MS = 30_000;
/** Starts in a row that answered nothing: the command itself does not work. */
const HOPELESS_STARTS = 3;
const STDERR_KEPT = 400;
/** Far above the longest answer that an operation has. */
const MAX_LINE_CHARS = 16_777_216;

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
  /** The beginning of a line, in pieces: joined at its end, not at each of them. */
  #line: string[] = [];
  #lineChars = 0;
  /** What the program did while nothing was asked; the next case tells of it. */
  #unasked: string | undefined;
  #stderr = "";
  #fruitless = 0;
  /** Times the program was started. */
  starts = 0;
  // In a group of its own it does not hear of a Ctrl-C that ends this process.
  readonly #onExit = (): void => {
    if (this.#child !== undefined) kill(this.#child);
  };

  constructor(command: string, options: PeerProcessOptions = {}) {
    this.name = command;
    this.#timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    process.on("exit", this.#onExit);
  }

  call(request: Request): Promise<Answer> {
    if (this.#fruitless >= HOPELESS_STARTS) {
      return Promise.reject(new ImplementationFault(`does not start${this.#lastWords()}`));
    }
    if (this.#unasked !== undefined) {
      const fault = new ImplementationFault(this.#unasked);
      this.#unasked = undefined;
      return Promise.reject(fault);
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
    process.off("exit", this.#onExit);
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
    this.#line = [];
    this.#lineChars = 0;
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
    const [first = "", ...rest] = text.split("\n");
    let part = first;
    for (const next of rest) {
      const line = [...this.#line, part].join("");
      this.#line = [];
      this.#lineChars = 0;
      if (line.trim() !== "") this.#take(line);
      // After a fault nothing more is heard of it.
      if (this.#child !== child) return;
      part = next;
    }
    this.#line.push(part);
    this.#lineChars += part.length;
    if (this.#lineChars > MAX_LINE_CHARS) {
      this.#fail(`wrote ${MAX_LINE_CHARS} characters without an end of line`);
    }
  }

  #take(line: string): void {
    let answer: unknown;
    try {
      answer = JSON.parse(line);
    } catch {
      return this.#fail(`wrote a line that is no JSON: ${line.slice(0, 80)}`);
    }
    const waiting = this.#waiting;
    if (!isObject(answer) || waiting === undefined || answer.id !== waiting.id) {
      return this.#fail(`answered something that was not asked: ${line.slice(0, 80)}`);
    }
    const one = answerOf(answer);
    if (one === undefined) {
      return this.#fail(`answered not one of ok, error and unsupported: ${line.slice(0, 80)}`);
    }
    this.#fruitless = 0;
    this.#waiting = undefined;
    waiting.resolve(one);
  }

  #fail(what: string): void {
    const waiting = this.#waiting;
    const child = this.#child;
    this.#waiting = undefined;
    this.#child = undefined;
    if (child !== undefined) kill(child);
    if (waiting === undefined) this.#unasked = `${what} (after the answer before)`;
    else waiting.reject(new ImplementationFault(what));
  }
}

/** What of the three it is, without whatever a program writes beside: `"error":null`, `"unsupported":false`. */
function answerOf({ ok, error, message, unsupported }: JsonObject): Answer | undefined {
  const answers: Answer[] = [];
  if (isObject(ok)) answers.push({ ok });
  if (typeof error === "string") {
    answers.push(typeof message === "string" ? { error, message } : { error });
  }
  if (unsupported === true) answers.push({ unsupported: true });
  return answers.length === 1 ? answers[0] : undefined;
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
