/** The completion script of zsh. @module */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { argumentsOf, commandWords, type Completion, quoted, valueOf } from "./table.ts";

/** For zsh 5: a file `_stt` in a folder of `fpath`, or sourced. */
export function zshScript(commands: readonly Command[]): string {
  const names = commandWords(commands)
    .map(([name, summary]) => `    ${quoted(`${name}:${described(summary)}`)}`).join("\n");
  return `#compdef stt
# Completion of stt for zsh: source <(stt completions zsh)
_stt_commands() {
  local -a commands
  commands=(
${names}
  )
  _describe command commands
}
_stt() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  _arguments -C '1: :_stt_commands' '*:: :->arguments'
  [[ $state == arguments ]] || return
  case $words[1] in
    help) _arguments '1: :_stt_commands' ;;
${commands.map(commandCase).join("\n")}
  esac
}
if [[ $funcstack[1] == _stt ]]; then _stt "$@"; else compdef _stt stt; fi
`;
}

function commandCase(command: Command): string {
  const lines = command.options.flatMap(optionLines);
  const rest = actionOf(argumentsOf(command));
  const argument = rest === undefined ? [] : [quoted(`*: :${rest}`)];
  return `    ${command.name}) _arguments -s -S \\
${[...lines, ...argument].map((line) => `      ${line}`).join(" \\\n")} ;;`;
}

function optionLines(spec: OptionSpec): string[] {
  const { name, short, value, multiple, help } = spec;
  const action = value === undefined
    ? ""
    : `:${described(value)}:${actionOf(valueOf(spec)) ?? " "}`;
  const star = multiple === true ? "*" : "";
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])].map((spelling) =>
    quoted(`${star}${spelling}[${described(help)}]${action}`)
  );
}

/** Brackets end a description, and colons the parts of a line. */
function described(text: string): string {
  return text.replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:");
}

function actionOf(completion: Completion): string | undefined {
  switch (completion.kind) {
    case "files":
      return "_files";
    case "folders":
      return "_files -/";
    case "words":
      return `(${completion.words.join(" ")})`;
    case "commands":
      return "_stt_commands";
    case "anything":
      return " ";
    case "nothing":
      return undefined;
  }
}
