/**
 * `stt completions`.
 *
 * @module
 */
import type { Command } from "../command.ts";
import { bashScript } from "../completions/bash.ts";
import { fishScript } from "../completions/fish.ts";
import { zshScript } from "../completions/zsh.ts";
import { EXIT_OK, UsageError } from "../exit_codes.ts";
import { GENERAL_OPTIONS } from "../options.ts";
import { didYouMean } from "../suggest.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

export const completions: Command = {
  name: "completions",
  usage: "completions bash|zsh|fish",
  summary: "print a script that completes commands and options in a shell",
  details: [
    "The script is made of the options that this version has: print it anew after",
    "an update, or let the shell do so at its start, as the examples do.",
  ],
  positionals: [SHELLS],
  examples: [
    {
      line: "completions bash > ~/.local/share/bash-completion/completions/stt",
      what: "bash; or in ~/.bashrc: source <(stt completions bash)",
    },
    { line: "completions zsh > ~/.zfunc/_stt", what: "zsh; ~/.zfunc must be in fpath" },
    { line: "completions fish > ~/.config/fish/completions/stt.fish", what: "fish" },
  ],
  options: GENERAL_OPTIONS,
  ignoresConfig: true,
  run(args, { report, commands }) {
    const [shell, ...others] = args.positionals;
    const known = SHELLS.find((name) => name === shell);
    if (known === undefined || others.length > 0) {
      const meant = shell === undefined ? "" : didYouMean(shell, SHELLS);
      throw new UsageError(`completions takes one of ${SHELLS.join(", ")}${meant}`, "completions");
    }
    const script = { bash: bashScript, zsh: zshScript, fish: fishScript }[known](commands);
    report.result("completions", { shell: known, script }, script.trimEnd());
    return Promise.resolve(EXIT_OK);
  },
};
