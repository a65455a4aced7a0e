// The scripts in real shells, where they are installed.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { withFolder } from "../../endpoint/files/folder_for_test.ts";
import { COMMANDS, runCommand } from "../io_for_test.ts";

function missing(shell: string): string | false {
  const { status } = spawnSync(shell, ["-c", "exit 0"], { stdio: "ignore" });
  return status === 0 ? false : `no ${shell} here`;
}

async function scriptOf(shell: string): Promise<string> {
  const { exit, stdout, stderr } = await runCommand(["completions", shell]);
  assert.equal(exit, 0, stderr);
  return stdout;
}

function run(program: string, args: readonly string[], cwd: string): string {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, "");
  return stdout;
}

/** What a shell offers behind each of these lines; `|` stands where the cursor is. */
const LINES: readonly (readonly [line: string, expected: readonly string[]])[] = [
  ["stt se", ["seal", "send"]],
  ["stt help dec", ["decode"]],
  ["stt send --exc", ["--exclude"]],
  ["stt send --no-r", ["--no-resume"]],
  ["stt ping --congestion n", ["newreno"]],
  ["stt decode --as re", ["records"]],
  ["stt completions f", ["fish"]],
  ["stt send not", ["notes.txt"]],
  ["stt listen tcp://127.0.0.1:0 --out inb", ["inbox"]],
  ["stt ping --seed-file not", ["notes.txt"]],
  ["stt ping --count ", []],
  ["stt send two", ["two words"]],
];

async function withFiles(act: (folder: string) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await mkdir(join(folder, "inbox"));
    await writeFile(join(folder, "notes.txt"), "");
    await writeFile(join(folder, "two words"), "");
    await act(folder);
  });
}

test("bash completes commands, options, values and files", { skip: missing("bash") }, async () => {
  const script = await scriptOf("bash");
  await withFiles(async (folder) => {
    await writeFile(join(folder, "script"), script);
    const calls = LINES.map(([line]) =>
      `COMP_WORDS=(${line}${line.endsWith(" ") ? " ''" : ""}); ` +
      "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _stt; " +
      'printf "%s\\t" "${COMPREPLY[@]}"; echo'
    );
    const output = run(
      "bash",
      ["--norc", "-c", `source ./script\n${calls.join("\n")}`],
      folder,
    );
    const found = output.split("\n").map((line) => line.split("\t").filter((word) => word !== ""));
    for (const [index, [line, expected]] of LINES.entries()) {
      assert.deepEqual([...found[index] ?? []].sort(), expected, line);
    }
  });
});

test("fish completes the same", { skip: missing("fish") }, async () => {
  const script = await scriptOf("fish");
  await withFiles(async (folder) => {
    await writeFile(join(folder, "script"), script);
    for (const [line, expected] of LINES) {
      const output = run(
        "fish",
        ["--no-config", "-c", `source ./script; complete -C ${JSON.stringify(line)}`],
        folder,
      );
      const words = output.split("\n").map((row) =>
        (row.split("\t")[0] ?? "").replace(/\/$/, "").replaceAll("\\", "")
      );
      assert.deepEqual(words.filter((word) => word !== "").sort(), expected, line);
    }
  });
});

test("zsh reads its script, and every command has its options in it", {
  skip: missing("zsh"),
}, async () => {
  const script = await scriptOf("zsh");
  await withFiles(async (folder) => {
    await writeFile(join(folder, "script"), script);
    run("zsh", ["-f", "-n", "./script"], folder);
    // The functions that a completion calls, in place of the line editor that would call it.
    const stubs = "compdef() {}; _describe() { print -l -- $commands }; " +
      '_arguments() { if [[ $1 == -C ]]; then state=arguments; else print -l -- "$@"; fi; };';
    for (const command of COMMANDS) {
      const output = run(
        "zsh",
        ["-f", "-c", `${stubs} source ./script; words=(${command}); _stt`],
        folder,
      );
      assert.match(output, /^--json\[one JSON object per line/m, command);
    }
    const names = run("zsh", ["-f", "-c", `${stubs} source ./script; _stt_commands`], folder);
    for (const command of [...COMMANDS, "help"]) {
      assert.match(names, new RegExp(`^${command}:`, "m"));
    }
  });
});

test("a shell that is not known is wrong use, with a suggestion", async () => {
  const { exit, stderr } = await runCommand(["completions", "fich"]);
  assert.equal(exit, 2);
  assert.match(stderr, /takes one of bash, zsh, fish: did you mean fish\?/);
  assert.equal((await runCommand(["completions"])).exit, 2);
});
