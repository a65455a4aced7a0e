/**
 * The help texts, made of the same declarations that the parser uses.
 *
 * @module
 */
import type { OptionSpec } from "./args.ts";
import type { Command } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import type { CliIo } from "./io.ts";

const COLUMNS = 80;
/** Longer lines are hard to read. */
const MAX_COLUMNS = 110;
const MIN_COLUMNS = 40;

/** The columns that help is laid out for: those of the terminal, within limits. */
export function helpColumns(io: CliIo): number {
  if (!io.stdout.isTty) return COLUMNS;
  return Math.max(MIN_COLUMNS, Math.min(MAX_COLUMNS, io.stdout.columns));
}

/** `-q, --quiet`, `    --out DIR`. */
export function optionHead({ name, short, value }: OptionSpec): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}

/** Two columns, the second one wrapped. */
function table(rows: readonly (readonly [string, string])[], columns: number): string[] {
  const longest = Math.max(...rows.map(([head]) => head.length)) + 4;
  // Beside a long first column nothing would be left: then the second one stands below it.
  if (longest > columns / 2) {
    return rows.flatMap(([head, text]) => [
      `  ${head}`,
      ...wrap(text, columns - 8).map((line) => `        ${line}`),
    ]);
  }
  const width = longest;
  return rows.flatMap(([head, text]) => {
    const lines = wrap(text, columns - width);
    return lines.map((line, index) =>
      index === 0 ? `  ${head.padEnd(width - 2)}${line}` : `${" ".repeat(width)}${line}`
    );
  });
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    if (line !== "" && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

/** `stt help`. */
export function generalHelp(commands: readonly Command[], columns: number = COLUMNS): string {
  return [
    "stt: encrypted sessions between nodes that share a seed",
    "",
    "usage: stt COMMAND [OPTIONS]",
    "",
    ...table([
      ...commands.map(({ name, summary }) => [name, summary] as const),
      ["help [COMMAND]", "show this help, or that of a command"],
      ["version", "show the version"],
    ], columns),
    "",
    ...wrap(
      "Addresses: ws://host:port/path, wss://host:port/path, tcp://host:port, udp://host:port, or " +
        "the name of a peer in the configuration (stt help config). A listener may take port 0 and " +
        "says which port it got.",
      columns,
    ),
    "",
    ...wrap(
      "The shared seed comes from --seed-file, else from the environment variable STT_SEED (hex or " +
        "base64url of at least 32 bytes), else from the configuration, else it is asked for on the " +
        "terminal.",
      columns,
    ),
    "",
    "Exit codes:",
    ...table(EXIT_CODES.map(([code, text]) => [String(code), text] as const), columns),
  ].join("\n");
}

/** `stt help COMMAND`. */
export function commandHelp(command: Command, columns: number = COLUMNS): string {
  const examples = command.examples ?? [];
  return [
    `usage: stt ${command.usage}`,
    "",
    ...wrap(sentence(command.summary), columns),
    ...(command.details === undefined ? [] : wrap(command.details.join(" "), columns)),
    "",
    ...table(command.options.map((spec) => [optionHead(spec), spec.help] as const), columns),
    ...(examples.length === 0 ? [] : ["", "Examples:"]),
    // Lines to copy stay whole, however long.
    ...examples.flatMap(({ line, what }) => [
      `  stt ${line}`,
      ...wrap(what, columns - 6).map((text) => `      ${text}`),
    ]),
  ].join("\n");
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
