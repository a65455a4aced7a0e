/** The completion script of bash. @module */
import type { OptionSpec } from "../args.ts";
import type { Command } from "../command.ts";
import { argumentsOf, commandWords, type Completion, valueOf } from "./table.ts";

/** For bash 3.2 and later, with or without the package bash-completion. */
export function bashScript(commands: readonly Command[]): string {
  const names = commandWords(commands).map(([name]) => name).join(" ");
  return `# Completion of stt for bash: source <(stt completions bash)
_stt() {
  local cur prev command= i values= IFS=$IFS
  COMPREPLY=()
  # Addresses hold colons, at which bash splits words: only the part behind the last one is completed.
  cur=\${COMP_WORDS[COMP_CWORD]}
  prev=\${COMP_WORDS[COMP_CWORD-1]}
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
      -*) ;;
      *) command=\${COMP_WORDS[i]}; break ;;
    esac
  done
  if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=\${COMP_WORDS[COMP_CWORD-2]}; fi
  case $command in
    "") COMPREPLY=($(compgen -W "${names} --help --version" -- "$cur")); return ;;
    help) COMPREPLY=($(compgen -W "${names}" -- "$cur")); return ;;
${commands.map((command) => commandCase(command, names)).join("\n")}
    *) return ;;
  esac
  case $values in
    files) IFS=$'\\n'; COMPREPLY=($(compgen -f -- "$cur")); compopt -o filenames 2>/dev/null ;;
    folders) IFS=$'\\n'; COMPREPLY=($(compgen -d -- "$cur")); compopt -o filenames 2>/dev/null ;;
    anything) ;;
    *) COMPREPLY=($(compgen -W "$values" -- "$cur")) ;;
  esac
}
complete -F _stt stt
`;
}

function commandCase(command: Command, names: string): string {
  const { name, options } = command;
  const all = options.flatMap(spellings).join(" ");
  const branches = options.filter(({ value }) => value !== undefined).map((spec) =>
    `        ${spellings(spec).join("|")}) values=${wordsOf(valueOf(spec), names)} ;;`
  );
  return `    ${name})
      if [[ $cur == -* ]]; then COMPREPLY=($(compgen -W "${all}" -- "$cur")); return; fi
      case $prev in
${[...branches, `        *) values=${wordsOf(argumentsOf(command), names)} ;;`].join("\n")}
      esac ;;`;
}

function spellings({ name, short }: OptionSpec): string[] {
  return short === undefined ? [`--${name}`] : [`--${name}`, `-${short}`];
}

function wordsOf(completion: Completion, names: string): string {
  if (completion.kind === "words") return `"${completion.words.join(" ")}"`;
  if (completion.kind === "commands") return `"${names}"`;
  return completion.kind === "nothing" ? "anything" : completion.kind;
}
