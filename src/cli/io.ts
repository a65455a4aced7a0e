/**
 * The process as the command sees it: streams, terminal, environment, signals. Tests put their own in place.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import process from "node:process";
import type { Readable, Writable } from "node:stream";
import { type ErrorCode, SttError } from "../errors.ts";

/** A stream of the process that text and bytes go to. */
export interface CliOutput {
  readonly isTty: boolean;
  /** Columns of the terminal. */
  readonly columns: number;
  /** Nobody reads it any more, as behind `| head`. */
  readonly gone?: boolean;
  /** Rows of the terminal, where it says. */
  readonly rows?: number;
  /** Calls back when the terminal has got another size; returns a function that ends it. */
  onResize?(listener: () => void): () => void;
  /** Queues text; output that nobody reads any more is forgotten. */
  text(text: string): void;
  /** Resolves when the system has taken the bytes. @throws {SttError} FILE_IO when nobody reads. */
  bytes(chunk: Uint8Array): Promise<void>;
}

/** Standard input. */
export interface CliInput {
  readonly isTty: boolean;
  bytes(): AsyncIterable<Uint8Array>;
  /** One line typed without echo; null when it was given up (Ctrl-C, Ctrl-D). */
  hiddenLine(): Promise<string | null>;
  /** Terminal: every key as it is pressed, without echo, Ctrl-C included; returns a function that ends it. */
  keys(onKeys: (text: string) => void): () => void;
  /** Lets the process end although input may still come. */
  release(): void;
}

/** Everything outside of the program. */
export interface CliIo {
  readonly stdout: CliOutput;
  readonly stderr: CliOutput;
  readonly stdin: CliInput;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** NO_COLOR is set, to anything (https://no-color.org). */
  readonly noColor?: boolean;
  /** Monotonic milliseconds. */
  now(): number;
  /** Calls back for SIGINT and SIGTERM; returns a function that ends it. */
  onSignal(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

class ProcessOutput implements CliOutput {
  readonly #stream: NodeJS.WriteStream & { readonly fd: number };
  #data: Writable | undefined;
  #error: Error | undefined;

  constructor(stream: NodeJS.WriteStream & { readonly fd: number }) {
    this.#stream = stream;
    // A closed pipe (`| head`) must not end the process in the middle of its tidying up.
    stream.on("error", (error) => {
      this.#error ??= error;
    });
  }

  get isTty(): boolean {
    return this.#stream.isTTY === true;
  }

  get columns(): number {
    const columns = this.#stream.columns;
    return columns > 0 ? columns : 80;
  }

  get rows(): number {
    const rows = this.#stream.rows;
    return rows > 0 ? rows : Infinity;
  }

  get gone(): boolean {
    return this.#error !== undefined;
  }

  onResize(listener: () => void): () => void {
    this.#stream.on("resize", listener);
    return () => this.#stream.off("resize", listener);
  }

  text(text: string): void {
    if (this.#error === undefined) this.#stream.write(text);
  }

  bytes(chunk: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#error !== undefined) return reject(outputError(this.#error));
      this.#data ??= this.#dataStream();
      // A copy: the caller's buffer is its own again before the system has written.
      this.#data.write(chunk.slice(), (error) => {
        if (error) reject(outputError(error));
        else resolve();
      });
    });
  }

  /**
   * The session must go on while nobody reads the output, so writing to a pipe must not block: on Deno the stream of
   * the process does, a socket on the same descriptor does not. On Node they are the same.
   */
  #dataStream(): Writable {
    const own: Writable = this.#stream;
    const { fd } = this.#stream;
    const facts = fstatSync(fd);
    if (own instanceof Socket || !(facts.isFIFO() || facts.isSocket())) return own;
    const socket = new Socket({ fd, readable: false, writable: true });
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    return socket.unref();
  }
}

function outputError(cause: Error): SttError {
  return streamError("FILE_IO", "cannot write to standard output", cause);
}

function streamError(code: ErrorCode, attempt: string, cause: Error): SttError {
  return new SttError(code, `${attempt}: ${cause.message}`, { cause });
}

/** On Deno nothing ends a read of a pipe that the process's own stream waits for, and it keeps the process alive. */
function inputStream(): Readable {
  const own: Readable = process.stdin;
  const fd = 0;
  const facts = fstatSync(fd);
  if (own instanceof Socket || !(facts.isFIFO() || facts.isSocket())) return own;
  return new Socket({ fd, readable: true, writable: false });
}

class ProcessInput implements CliInput {
  #source: Readable | undefined;

  get isTty(): boolean {
    return process.stdin.isTTY === true;
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    try {
      this.#source ??= inputStream();
      for await (const chunk of this.#source) {
        yield typeof chunk === "string" ? new TextEncoder().encode(chunk) : chunk as Uint8Array;
      }
    } catch (cause) {
      throw streamError(
        "FILE_IO",
        "cannot read standard input",
        cause instanceof Error ? cause : new Error(String(cause)),
      );
    }
  }

  hiddenLine(): Promise<string | null> {
    const { stdin } = process;
    stdin.setRawMode(true);
    stdin.setEncoding("utf8");
    return new Promise((resolve) => {
      let line = "";
      const finish = (result: string | null): void => {
        stdin.off("data", onData);
        stdin.setRawMode(false);
        stdin.pause();
        resolve(result);
      };
      const onData = (text: string): void => {
        for (const key of text) {
          if (key === "\r" || key === "\n") return finish(line);
          if (key === "\x03" || key === "\x04") return finish(null);
          if (key === "\x7f" || key === "\b") line = [...line].slice(0, -1).join("");
          else if (key === "\x15") line = "";
          else line += key;
        }
      };
      stdin.on("data", onData);
      stdin.resume();
    });
  }

  keys(onKeys: (text: string) => void): () => void {
    const { stdin } = process;
    stdin.setRawMode(true);
    stdin.setEncoding("utf8");
    stdin.on("data", onKeys);
    stdin.resume();
    return () => {
      stdin.off("data", onKeys);
      stdin.setRawMode(false);
      stdin.pause();
    };
  }

  release(): void {
    (this.#source ?? process.stdin).destroy();
  }
}

/** The real process. */
export function processIo(): CliIo {
  return {
    stdout: new ProcessOutput(process.stdout),
    stderr: new ProcessOutput(process.stderr),
    stdin: new ProcessInput(),
    env: process.env,
    get noColor() {
      // Deno answers without a permission; reading the variable takes one.
      const deno =
        (globalThis as unknown as { readonly Deno?: { readonly noColor: boolean } }).Deno;
      return deno === undefined ? (process.env["NO_COLOR"] ?? "") !== "" : deno.noColor;
    },
    now: () => performance.now(),
    onSignal(listener): () => void {
      const signals = ["SIGINT", "SIGTERM"] as const;
      const handlers = signals.map((signal) => ({ signal, handler: () => listener(signal) }));
      for (const { signal, handler } of handlers) process.on(signal, handler);
      return () => {
        for (const { signal, handler } of handlers) process.off(signal, handler);
      };
    },
    exit: (code) => process.exit(code),
  };
}
