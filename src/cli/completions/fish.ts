/** The completion script of fish. @module */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { argumentsOf, commandWords, type Completion, quoted, valueOf } from "./table.ts";

/** For fish 3. */
export function fishScript(commands: readonly Command[]): string {
  const names = commandWords(commands).map(([name]) => name).join(" ");
  const first = commandWords(commands).map(([name, summary]) =>
    `complete -c stt -n __fish_use_subcommand -f -a ${name} -d ${quoted(summary)}`
  );
  return `# Completion of stt for fish: stt completions fish | source
complete -c stt -f
${first.join("\n")}
complete -c stt -n '__fish_seen_subcommand_from help' -f -a '${names}'
${commands.flatMap((command) => commandLines(command, names)).join("\n")}
`;
}

function commandLines(command: Command, names: string): string[] {
  const seen = `complete -c stt -n '__fish_seen_subcommand_from ${command.name}'`;
  const rest = argumentsOf(command);
  const argument = rest.kind === "files" || rest.kind === "folders"
    ? [`${seen} -F`]
    : rest.kind === "words" || rest.kind === "commands"
    ? [`${seen} -f -a ${wordsOf(rest, names)}`]
    : [];
  return [...argument, ...command.options.map((spec) => `${seen} ${optionPart(spec, names)}`)];
}

function optionPart(spec: OptionSpec, names: string): string {
  const short = spec.short === undefined ? "" : `-s ${spec.short} `;
  const value = valueOf(spec);
  const argument = value.kind === "nothing"
    ? ""
    : value.kind === "files" || value.kind === "folders"
    ? "-r -F "
    : value.kind === "anything"
    ? "-x "
    : `-x -a ${wordsOf(value, names)} `;
  return `${short}-l ${spec.name} ${argument}-d ${quoted(spec.help)}`;
}

function wordsOf(completion: Completion, names: string): string {
  return quoted(completion.kind === "words" ? completion.words.join(" ") : names);
}
