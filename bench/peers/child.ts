/**
 * A side as the bench sees it: a process that takes commands.
 *
 * @module
 */
import { TextLineStream } from "./lines.ts";
import type { Answer, Command } from "./commands.ts";

/** A side that runs; the commands and answers of `bench:peers` unless others are named. */
export class Child<Asked = Command, Told extends { readonly error?: string } = Answer> {
  readonly #process: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: ReadableStreamDefaultReader<string>;
  #reading: Promise<Told> | undefined;

  constructor(program: string, args: readonly string[]) {
    this.#process = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#process.stdin.getWriter();
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  /** The system's number of the process. */
  get pid(): number {
    return this.#process.pid;
  }

  /** The next answer. Throws Error when there is none in time, or when it is an error. */
  async answer(timeoutMs: number): Promise<Told> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer in ${timeoutMs / 1000} s`)), timeoutMs);
    });
    try {
      const answer = await Promise.race([this.#read(), late]);
      if (answer.error !== undefined) throw new Error(answer.error);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }

  /** The next line of JSON. A read that nobody waited for to the end belongs to the next caller. */
  #read(): Promise<Told> {
    this.#reading ??= this.#readLine().finally(() => this.#reading = undefined);
    return this.#reading;
  }

  async #readLine(): Promise<Told> {
    for (;;) {
      const { value, done } = await this.#lines.read();
      if (done) throw new Error("the process has ended");
      // Libraries print things of their own.
      if (value.startsWith("{")) return JSON.parse(value) as Told;
    }
  }

  /** Gives a command and waits for its answer. */
  async run(command: Asked, timeoutMs: number): Promise<Told> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(command) + "\n"));
    return await this.answer(timeoutMs);
  }

  /** Ends the process: by the end of its input, or by force when it does not go. */
  async stop(): Promise<void> {
    const kill = setTimeout(() => this.#process.kill("SIGKILL"), 3000);
    try {
      await this.#input.close().catch(() => undefined);
      await this.#lines.cancel();
      await this.#process.status;
    } finally {
      clearTimeout(kill);
    }
  }
}
