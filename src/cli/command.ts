/**
 * What a command is.
 *
 * @module
 */
import type { Arguments, OptionSpec } from "./args.ts";
import type { CliIo } from "./io.ts";
import type { Report } from "./report.ts";

/** What a command works with. */
export interface CommandContext {
  readonly io: CliIo;
  readonly report: Report;
  /** Aborted by SIGINT and SIGTERM, with an `Interrupted` as its reason. */
  readonly signal: AbortSignal;
}

/** A command of the program. */
export interface Command {
  readonly name: string;
  /** Behind `stt `. */
  readonly usage: string;
  readonly summary: string;
  /** Lines of at most 80 columns. */
  readonly details?: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Whether standard output will carry the data of a file. */
  dataOnStdout?(args: Arguments): boolean;
  /** Returns the exit code; errors are reported by the caller. */
  run(args: Arguments, context: CommandContext): Promise<number>;
}
