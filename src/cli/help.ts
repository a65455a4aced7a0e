/**
 * The help texts, made of the same declarations that the parser uses.
 *
 * @module
 */
import type { OptionSpec } from "./args.ts";
import type { Command } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";

const COLUMNS = 80;

function optionHead({ name, short, value }: OptionSpec): string {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`;
  return short === undefined ? `    ${long}` : `-${short}, ${long}`;
}

/** Two columns, the second one wrapped. */
function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([head]) => head.length)) + 4;
  return rows.flatMap(([head, text]) => {
    const lines = wrap(text, COLUMNS - width);
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
export function generalHelp(commands: readonly Command[]): string {
  return [
    "stt: encrypted sessions between nodes that share a seed",
    "",
    "usage: stt COMMAND [OPTIONS]",
    "",
    ...table([
      ...commands.map(({ name, summary }) => [name, summary] as const),
      ["help [COMMAND]", "show this help, or that of a command"],
      ["version", "show the version"],
    ]),
    "",
    "Addresses: ws://host:port/path, wss://host:port/path, tcp://host:port,",
    "udp://host:port.",
    "A listener may take port 0 and says which port it got.",
    "",
    "The shared seed comes from --seed-file, else from the environment variable",
    "STT_SEED (hex or base64url of at least 32 bytes), else it is asked for on the",
    "terminal.",
    "",
    "Exit codes:",
    ...table(EXIT_CODES.map(([code, text]) => [String(code), text] as const)),
  ].join("\n");
}

/** `stt help COMMAND`. */
export function commandHelp(command: Command): string {
  return [
    `usage: stt ${command.usage}`,
    "",
    `${command.summary.charAt(0).toUpperCase()}${command.summary.slice(1)}.`,
    ...(command.details ?? []),
    "",
    ...table(command.options.map((spec) => [optionHead(spec), spec.help] as const)),
  ].join("\n");
}
