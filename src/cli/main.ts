/**
 * The command `stt`.
 *
 * @module
 */
import { VERSION } from "../constants.ts";
import { SttError } from "../errors.ts";
import { type Arguments, parseArguments } from "./args.ts";
import type { Command } from "./command.ts";
import { bench } from "./commands/bench.ts";
import { chat } from "./commands/chat.ts";
import { completions } from "./commands/completions.ts";
import { configCommand } from "./commands/config.ts";
import { decode } from "./commands/decode.ts";
import { doctor } from "./commands/doctor.ts";
import { forward } from "./commands/forward.ts";
import { keygen } from "./commands/keygen.ts";
import { listenCommand } from "./commands/listen.ts";
import { openCommand } from "./commands/open.ts";
import { ping } from "./commands/ping.ts";
import { receive } from "./commands/receive.ts";
import { seal } from "./commands/seal.ts";
import { send } from "./commands/send.ts";
import { configured } from "./config/apply.ts";
import { top } from "./commands/top.ts";
import {
  EXIT_OK,
  EXIT_SIGINT,
  exitCodeOf,
  Interrupted,
  isDenied,
  UsageError,
} from "./exit_codes.ts";
import { commandHelp, generalHelp, helpColumns } from "./help.ts";
import { hintOf } from "./hints.ts";
import type { CliIo } from "./io.ts";
import { Report } from "./report.ts";
import { didYouMean } from "./suggest.ts";
import { PACKAGE_VERSION, VERSION_TEXT } from "./version.ts";

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  keygen,
  listenCommand,
  send,
  receive,
  chat,
  forward,
  ping,
  top,
  bench,
  doctor,
  seal,
  openCommand,
  decode,
  configCommand,
  completions,
];

/** What is no command of its own, and has the general help. */
const GENERAL: readonly string[] = ["help", "version"];

/** A signal leaves so long for closing in order. */
const SIGNAL_GRACE_MS = 1500;

/**
 * Runs the command.
 *
 * @param argv Arguments behind the program's name.
 * @returns the exit code; `stt help` has the table.
 */
export async function main(argv: readonly string[], io: CliIo): Promise<number> {
  const [name, ...rest] = argv;
  const command = COMMANDS.find((entry) => entry.name === name);
  // Until the options are parsed, the form of an error has to be guessed.
  let report = new Report(io, { json: rest.includes("--json"), quiet: false });
  try {
    if (command !== undefined) {
      const given = parseArguments(command.name, command.options, rest);
      if (given.flag("help")) return say(io, commandHelp(command, helpColumns(io)));
      const args = await configured(command, given, COMMANDS, io);
      report = new Report(io, {
        json: args.flag("json"),
        quiet: args.flag("quiet"),
        dataOnStdout: command.dataOnStdout?.(args) ?? false,
      });
      return await withSignals(command, args, io, report);
    }
    return general(name, rest, io, report);
  } catch (error) {
    return fail(error, report, command?.name);
  }
}

function say(io: CliIo, text: string): number {
  io.stdout.text(`${text}\n`);
  return EXIT_OK;
}

function general(
  name: string | undefined,
  rest: readonly string[],
  io: CliIo,
  report: Report,
): number {
  switch (name) {
    case "help":
    case "--help":
    case "-h": {
      const topic = rest.find((argument) => !argument.startsWith("-"));
      const wanted = COMMANDS.find((entry) => entry.name === topic);
      if (wanted !== undefined) return say(io, commandHelp(wanted, helpColumns(io)));
      if (topic === undefined || GENERAL.includes(topic)) {
        return say(io, generalHelp(COMMANDS, helpColumns(io)));
      }
      throw unknownCommand(topic);
    }
    case "version":
    case "--version":
      report.result("version", { version: PACKAGE_VERSION, protocol: VERSION }, VERSION_TEXT);
      return EXIT_OK;
    case undefined:
      throw new UsageError("no command");
    default:
      throw unknownCommand(name);
  }
}

function unknownCommand(name: string): UsageError {
  const names = [...COMMANDS.map((command) => command.name), ...GENERAL];
  const meant = didYouMean(name, names, "stt ");
  return new UsageError(`unknown command ${JSON.stringify(name.slice(0, 64))}${meant}`);
}

async function withSignals(
  command: Command,
  args: Arguments,
  io: CliIo,
  report: Report,
): Promise<number> {
  const interrupt = new AbortController();
  let grace: ReturnType<typeof setTimeout> | undefined;
  const stopListening = io.onSignal((signal) => {
    const reason = new Interrupted(signal);
    // Who asks twice does not want to wait.
    if (interrupt.signal.aborted) return io.exit(reason.exitCode);
    grace = setTimeout(() => io.exit(reason.exitCode), SIGNAL_GRACE_MS);
    interrupt.abort(reason);
  });
  try {
    return await command.run(args, {
      io,
      report,
      signal: interrupt.signal,
      commands: COMMANDS,
    });
  } catch (error) {
    // Whatever a command ran into while it was being stopped, it was stopped.
    throw interrupt.signal.aborted ? interrupt.signal.reason : error;
  } finally {
    clearTimeout(grace);
    stopListening();
  }
}

/** @param command The command that failed, whose help is the nearest. */
function fail(error: unknown, report: Report, command?: string): number {
  const exit = exitCodeOf(error);
  if (error instanceof Interrupted) {
    if (exit === EXIT_SIGINT) report.dropLine();
    report.failure("INTERRUPTED", error.message, exit);
  } else if (error instanceof UsageError) {
    const help = ["stt help", error.hint ?? command].filter(Boolean).join(" ");
    report.failure("USAGE", error.message, exit, `try: ${help}`);
  } else if (error instanceof SttError) {
    report.failure(error.code, error.message, exit, hintOf(error));
  } else if (isDenied(error)) {
    report.failure("UNSUPPORTED", `the runtime does not allow it: ${error.message}`, exit);
  } else {
    const text = error instanceof Error ? error.stack ?? error.message : String(error);
    report.failure("INTERNAL", `internal error: ${text}`, exit);
  }
  return exit;
}
