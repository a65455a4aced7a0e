/**
 * The manual page: every command with its options and examples, from the declarations of the parser.
 *
 * @module
 */
import type { OptionSpec } from "./args.ts";
import type { Command } from "./command.ts";
import { EXIT_CODES } from "./exit_codes.ts";
import { optionHead, sentence } from "./help.ts";

/** What the environment means to the program. */
const ENVIRONMENT: readonly (readonly [string, string])[] = [
  ["STT_SEED", "the shared seed, where no `--seed-file` is given"],
  [
    "STT_KEYLOGFILE",
    "DANGER: the keys of sessions are appended to this file, where no `--keylog` is given",
  ],
  ["STT_CONFIG", "the configuration file; empty for none"],
  [
    "XDG_CONFIG_HOME, HOME",
    "where it is looked for: `$XDG_CONFIG_HOME/stt/config.json`, else `~/.config/stt/config.json`",
  ],
  ["APPDATA", "the same on Windows: `%APPDATA%\\stt\\config.json`"],
  ["NO_COLOR", "no colours, where a command has some"],
];

/** Markdown as the formatter of this project leaves it. */
export function manual(commands: readonly Command[]): string {
  return `${
    [
      "# stt(1)",
      "",
      "Encrypted sessions between nodes that share a seed: files, folders, pipes and more. This page is",
      "made from the program's own tables (`deno task gen-manual`); [cli.md](cli.md) tells how to use it.",
      "",
      "```text",
      "stt COMMAND [OPTIONS]",
      "```",
      "",
      ...table(
        ["command", "does"],
        commands.map(({ name, summary }) => [
          `[\`${name}\`](#${name})`,
          escaped(summary),
        ]),
      ),
      "",
      ...commands.flatMap(section),
      "## Environment",
      "",
      ...table(
        ["variable", "meaning"],
        ENVIRONMENT.map(([name, text]) => [
          name.split(", ").map((one) => `\`${one}\``).join(", "),
          escaped(text),
        ]),
      ),
      "",
      "## Exit codes",
      "",
      ...table(
        ["code", "meaning"],
        EXIT_CODES.map(([code, text]) => [String(code), escaped(text)]),
      ),
    ].join("\n")
  }\n`;
}

function section(command: Command): string[] {
  const { name, usage, summary, details = [], options, examples = [] } = command;
  return [
    `## ${name}`,
    "",
    "```text",
    `stt ${usage}`,
    "```",
    "",
    ...paragraph([sentence(summary), ...details].join(" ")),
    "",
    ...table(["option", "meaning"], options.map((spec) => [optionCell(spec), escaped(spec.help)])),
    "",
    ...(examples.length === 0 ? [] : [
      "```text",
      ...examples.flatMap(({ line, what }) => [`# ${what}`, `stt ${line}`]),
      "```",
      "",
    ]),
  ];
}

function optionCell(spec: OptionSpec): string {
  return `\`${optionHead(spec).trim().replaceAll("|", "\\|")}\``;
}

/** Outside of code, these mean something in Markdown. */
function escaped(text: string): string {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? part : part.replace(/[*|<>_]/g, "\\$&")
  ).join("`");
}

/** Lines of at most 100 columns. */
function paragraph(text: string): string[] {
  const lines = [""];
  // The formatter keeps code in one line.
  for (const word of escaped(text).match(/(?:`[^`]*`|[^ `])+/g) ?? []) {
    const line = lines.at(-1) as string;
    if (line === "") lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= 100) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((cell, column) =>
    Math.max(cell.length, ...rows.map((row) => (row[column] ?? "").length))
  );
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)];
}
