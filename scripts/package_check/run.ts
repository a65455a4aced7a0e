/**
 * Runs programs to their end.
 *
 * @module
 */

const WINDOWS = Deno.build.os === "windows";

/** How to run one. */
export interface RunOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A program that ended with an exit code other than 0. */
export class ExitError extends Error {
  override readonly name = "ExitError";
  /** What it wrote to standard output and standard error. */
  readonly output: string;

  constructor(command: string, code: number, output: string) {
    super(`${command} ended with ${code}\n${output}`);
    this.output = output;
  }
}

/**
 * Runs a program and returns what it printed.
 *
 * @throws {ExitError} when it fails.
 */
export async function run(
  program: string,
  args: readonly string[],
  { cwd, env }: RunOptions,
): Promise<string> {
  // npm and npx are scripts on Windows, which only its command interpreter starts.
  const script = WINDOWS && (program === "npm" || program === "npx");
  const command = new Deno.Command(script ? "cmd" : program, {
    args: script ? ["/c", program, ...args] : [...args],
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
  });
  const { success, code, stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  const printed = decoder.decode(stdout);
  if (success) return printed;
  throw new ExitError([program, ...args].join(" "), code, printed + decoder.decode(stderr));
}
