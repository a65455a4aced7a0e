import assert from "node:assert/strict";
import { test } from "node:test";
import { COMMANDS, runCommand } from "../src/cli/io_for_test.ts";
import { blocksOf, commandsOf } from "./doc_blocks.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";

/** The uses of `stt` that a page shows, in `sh` blocks and behind the prompts of `text` blocks. */
function usesOf(page: string): string[] {
  return blocksOf(page, pageText(page)).flatMap(({ language, text }) => {
    const lines = language === "sh"
      ? commandsOf(text)
      : commandsOf([...text.matchAll(/^\$ (.*(?:\\\n.*)*)$/gm)].map(([, line]) => line).join("\n"));
    return lines.flatMap((line) => line.split(/ \| | && /))
      .map((line) => /(?:^|task |npx )stt (.*)$/.exec(line)?.[1])
      .filter((use) => use !== undefined);
  });
}

test("every use of stt in the documents is one that its help knows", async () => {
  const help = new Map<string, string>();
  for (const name of COMMANDS) help.set(name, (await runCommand(["help", name])).stdout);
  const uses = DOCUMENT_PAGES.flatMap((page) => usesOf(page).map((use) => [page, use] as const));
  assert.ok(uses.length > 20, `${uses.length} uses`);
  const wrong = uses.filter(([, use]) => {
    const [name = "", ...rest] = use.split(" ");
    if (name === "help" || name === "version") return false;
    const options = rest.filter((word) => word.startsWith("--")).map((word) => word.split("=")[0]);
    return !help.has(name) ||
      options.some((option) => !new RegExp(`${option}\\b`).test(help.get(name) ?? ""));
  });
  assert.deepEqual(wrong, []);
});
