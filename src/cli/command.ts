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
  /** Every command of the program, for those that speak of the others. */
  readonly commands: readonly Command[];
}

/** A line to try, in the help of a command and in its manual. */
export interface Example {
  /** Behind `stt `. */
  readonly line: string;
  /** What it does, in a few words. */
  readonly what: string;
}

/** What an argument without an option is, for completions. */
export type PositionalKind = "file" | "folder" | "address" | "command" | "none";

/** A command of the program. */
export interface Command {
  readonly name: string;
  /** Behind `stt `. */
  readonly usage: string;
  readonly summary: string;
  /** One paragraph, in lines as they fit the source. */
  readonly details?: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Of the help and the manual; every command should have one or two. */
  readonly examples?: readonly Example[];
  /** What its arguments are: the shell completes accordingly. Words are completed as they stand. */
  readonly positionals?: readonly (PositionalKind | readonly string[])[];
  /** It runs without the configuration file: it is about something else, or about that file itself. */
  readonly ignoresConfig?: boolean;
  /** Whether standard output will carry the data of a file. */
  dataOnStdout?(args: Arguments): boolean;
  /** Returns the exit code; errors are reported by the caller. */
  run(args: Arguments, context: CommandContext): Promise<number>;
}
