/**
 * Text that is appended to a file while sessions run, without making them wait for it.
 *
 * @module
 */
import { closeSync, fchmodSync, fstatSync, openSync, writeSync } from "node:fs";
import process from "node:process";
import { clearTimeout, setTimeout } from "node:timers";
import { SttError } from "../errors.ts";

const FLUSH_CHARS = 65_536;
const FLUSH_MS = 200;
/** Addresses, identities or keys are nobody else's business. */
const PRIVATE_MODE = 0o600;

/** How a file is opened, and what is kept back. */
export interface FileSinkOptions {
  /** Keeps what the file holds already. */
  readonly append: boolean;
  /** Text goes to the file at once, not in heaps. */
  readonly immediate: boolean;
  /** Hears of `failure` when it happens. */
  readonly onFailure?: ((error: SttError) => void) | undefined;
}

/** Appends text to a file that its owner alone may read. What could not be written is lost; `failure` says why. */
export class FileSink {
  /** What went wrong with the file, once something did. */
  failure: SttError | undefined;
  readonly #path: string;
  readonly #immediate: boolean;
  readonly #onFailure: ((error: SttError) => void) | undefined;
  #fd: number | undefined;
  #waiting = "";
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #onExit = (): void => this.flush();

  /** @throws {SttError} `FILE_IO` when the file cannot be opened. */
  constructor(path: string, options: FileSinkOptions) {
    this.#path = path;
    this.#immediate = options.immediate;
    this.#onFailure = options.onFailure;
    try {
      this.#fd = openSync(path, options.append ? "a" : "w", PRIVATE_MODE);
      // The mode of a file that was there already is its old one; terminals and pipes keep theirs.
      const own = process.platform !== "win32" && fstatSync(this.#fd).isFile();
      if (own) fchmodSync(this.#fd, PRIVATE_MODE);
    } catch (cause) {
      this.#close();
      throw this.#error(cause);
    }
    process.on("exit", this.#onExit);
  }

  /** Queues text. Never throws. */
  write(text: string): void {
    if (this.#fd === undefined) return;
    this.#waiting += text;
    if (this.#immediate || this.#waiting.length >= FLUSH_CHARS) return this.flush();
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => this.flush(), FLUSH_MS);
    this.#timer.unref();
  }

  /** Writes what waits. Never throws. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const bytes = new TextEncoder().encode(this.#waiting);
    this.#waiting = "";
    try {
      for (let offset = 0; this.#fd !== undefined && offset < bytes.length;) {
        offset += writeSync(this.#fd, bytes, offset);
      }
    } catch (cause) {
      this.failure = this.#error(cause);
      this.#close();
      this.#onFailure?.(this.failure);
    }
  }

  /** Writes what waits and closes the file. */
  close(): void {
    this.flush();
    this.#close();
    process.off("exit", this.#onExit);
  }

  #close(): void {
    const fd = this.#fd;
    this.#fd = undefined;
    if (fd !== undefined) closeSync(fd);
  }

  #error(cause: unknown): SttError {
    const why = cause instanceof Error ? cause.message : String(cause);
    return new SttError("FILE_IO", `cannot write ${JSON.stringify(this.#path)}: ${why}`, { cause });
  }
}
