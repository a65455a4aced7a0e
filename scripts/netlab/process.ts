/**
 * A process whose JSON lines can be waited for.
 *
 * @module
 */

/** A line of standard output. */
export type Facts = Readonly<Record<string, unknown>>;

const DEADLINE_MS = 60_000;

/** How to start a process. */
export interface ProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Leaves standard input open until {@link LineProcess.endInput}. */
  readonly stdin?: boolean;
}

/** A process did not do in time what was awaited. */
export class TimeIsUp extends Error {}

/** Runs a program that writes JSON lines. What it writes on standard error is kept for the message of a failure. */
export class LineProcess {
  readonly pid: number;
  /** What it said so far. */
  readonly lines: Facts[] = [];
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #ended: Promise<number>;
  #errorText = "";
  #over = false;
  #waits: (() => void)[] = [];

  constructor(command: readonly string[], options: ProcessOptions = {}) {
    const [program = "", ...args] = command;
    this.#name = command.slice(0, 3).join(" ");
    this.#child = new Deno.Command(program, {
      args,
      env: { NO_COLOR: "1", ...options.env },
      stdin: options.stdin === true ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    this.#ended = this.#follow();
  }

  async #follow(): Promise<number> {
    const [, , status] = await Promise.all([
      this.#eachPiece(this.#child.stdout, this.#lineSplitter()),
      this.#eachPiece(this.#child.stderr, (text) => this.#errorText += text),
      this.#child.status,
    ]);
    this.#over = true;
    this.#wake();
    return status.code;
  }

  async #eachPiece(
    stream: ReadableStream<Uint8Array>,
    take: (text: string) => void,
  ): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) take(decoder.decode(bytes, { stream: true }));
  }

  #lineSplitter(): (text: string) => void {
    let rest = "";
    return (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("{")) this.lines.push(JSON.parse(line) as Facts);
      }
      this.#wake();
    };
  }

  #wake(): void {
    const waits = this.#waits;
    this.#waits = [];
    for (const wait of waits) wait();
  }

  /** The first line that `wanted` takes, waiting for it for at most `deadlineMs`. */
  async line(
    wanted: (facts: Facts) => boolean,
    what: string,
    deadlineMs: number = DEADLINE_MS,
  ): Promise<
    Facts
  > {
    const until = performance.now() + deadlineMs;
    for (;;) {
      const found = this.lines.find(wanted);
      if (found !== undefined) return found;
      const left = until - performance.now();
      if (this.#over) throw new Error(this.#failure(`ended before ${what}`));
      if (left <= 0) throw new TimeIsUp(this.#failure(`no ${what} within ${deadlineMs / 1000} s`));
      await this.#change(left);
    }
  }

  /** The first `--json` event of `stt` with this name. */
  event(name: string, deadlineMs: number = DEADLINE_MS): Promise<Facts> {
    return this.line(({ event }) => event === name, `event ${name}`, deadlineMs);
  }

  /** The exit code, once the process has ended and all it wrote is here. */
  async exit(deadlineMs: number = DEADLINE_MS): Promise<number> {
    const until = performance.now() + deadlineMs;
    while (!this.#over) {
      const left = until - performance.now();
      if (left <= 0) throw new TimeIsUp(this.#failure(`no end within ${deadlineMs / 1000} s`));
      await this.#change(left);
    }
    return await this.#ended;
  }

  /** Writes to standard input. */
  async write(text: string): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    writer.releaseLock();
  }

  /** Ends standard input. */
  async endInput(): Promise<void> {
    await this.#child.stdin.close();
  }

  /** Sends a signal, if the process still runs. */
  signal(signal: Deno.Signal): void {
    if (!this.#over) {
      try {
        this.#child.kill(signal);
      } catch (error) {
        // It ended just now.
        if (!(error instanceof TypeError)) throw error;
      }
    }
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#waits.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #failure(text: string): string {
    const said = this.lines.slice(-5).map((line) => JSON.stringify(line)).join("\n");
    return `${this.#name}: ${text}\n${said}\n${this.#errorText}`;
  }
}
