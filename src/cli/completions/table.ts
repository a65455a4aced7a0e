/**
 * What a shell can complete, taken from the declarations that the parser and the help use.
 *
 * @module
 */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";

/** What stands behind an option, or in place of an argument. */
export type Completion =
  | { readonly kind: "files" | "folders" | "anything" | "nothing" | "commands" }
  | { readonly kind: "words"; readonly words: readonly string[] };

/** Words that are no commands in the table, and are completed all the same. */
export const GENERAL_WORDS: readonly (readonly [string, string])[] = [
  ["help", "show the help, or that of a command"],
  ["version", "show the version"],
];

/** What the value of an option may be; "nothing" for flags. */
export function valueOf({ value, choices }: OptionSpec): Completion {
  if (value === undefined) return { kind: "nothing" };
  if (choices !== undefined) return { kind: "words", words: choices };
  if (/FILE|CAPTURE/.test(value)) return { kind: "files" };
  return { kind: /DIR/.test(value) ? "folders" : "anything" };
}

/** What the arguments of a command may be, in one: shells complete files for all of them or for none. */
export function argumentsOf({ positionals = [] }: Command): Completion {
  const words = positionals.filter((kind) => typeof kind !== "string").flat();
  if (words.length > 0) return { kind: "words", words };
  if (positionals.includes("command")) return { kind: "commands" };
  if (positionals.includes("file")) return { kind: "files" };
  if (positionals.includes("folder")) return { kind: "folders" };
  return { kind: positionals.includes("address") ? "anything" : "nothing" };
}

/** The names and summaries of all commands. */
export function commandWords(commands: readonly Command[]): readonly (readonly [string, string])[] {
  return [
    ...commands.map(({ name, summary }) => [name, summary] as const),
    ...GENERAL_WORDS,
  ];
}

/** Text in single quotes, as zsh and fish read it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
