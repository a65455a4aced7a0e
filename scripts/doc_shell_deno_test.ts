import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame, generateSeed, toHex } from "../mod.ts";
import { type Block, blocksOf, commandsOf, transcriptOf } from "./doc_blocks.ts";
import { DOCUMENT_PAGES, pageText } from "./doc_pages.ts";
import { runShell, shellFaults } from "./doc_shell.ts";
import { ROOT } from "./source_files.ts";

/** Commands that are not run here, and what runs them instead. */
const ELSEWHERE: readonly (readonly [RegExp, string])[] = [
  [
    /^npx -y deno@/,
    "fetches Deno from npm, which .ci/run.sh does; behind it stands a command that is run",
  ],
  [/^npm (?:install|init)\b/, "fetches packages, as scripts/check_npm.ts does"],
  [/^node |^npx stt /, "needs npm/: scripts/docs_node.ts"],
  [/^deno task (?:test|ok|npm|docs:\w+)\b/, "a part of `deno task ok`, which runs this test too"],
  [/^deno task bench\b/, "minutes; what it prints is in bench/RESULTS.md"],
  [
    /^sudo tcpdump|^stt (?:ping|decode) .*--keylog|^tshark/,
    "need root, or Wireshark: src/cli/capture/capture_test.ts, scripts/wireshark/wireshark_test.ts",
  ],
  [/^stt send disk\.img .*--retry/, "needs a line that breaks: src/cli/resume_process_test.ts"],
  [/passphrase/, "asks on a terminal: src/cli/sealing_process_test.ts"],
  [/ laptop$/, "needs a configuration: src/cli/config/"],
  [
    /^stt (?:chat|forward|bench|doctor) |--bench$/,
    "the process tests of src/cli have a network for them",
  ],
  [/^deno task netlab\b/, "needs root; scripts/netlab/ has its tests"],
  [
    /^deno task conformance\b/,
    "conformance/main_deno_test.ts, with adapters and files",
  ],
];

const { cases: [handshake] } = JSON.parse(pageText("vectors/stt1/handshake.json")) as {
  cases: [{ messages: { HELLO: { frame: string } } }];
};

/** What the commands expect to find. */
const FILES = {
  "report.pdf": new Uint8Array(100_000).fill(1),
  "captured.bin": encodeFrame({
    type: 2,
    flags: 0,
    sessionId: new Uint8Array(8),
    sequence: 0n,
    timestamp: 0n,
    streamId: 0,
    metadata: new Uint8Array(1),
    payload: new Uint8Array(20),
  }),
  "hello.hex": new TextEncoder().encode(handshake.messages.HELLO.frame),
  "folder/a.txt": new Uint8Array(10),
  "project/src/main.c": new Uint8Array(1000),
  "project/README": new Uint8Array(10),
  "plan.pdf": new Uint8Array(1000),
  "project/main.o": new Uint8Array(1000),
  "path/to/large.file": new Uint8Array(1_000_000),
};

/** What a page takes for granted, beside the files above. */
function givenTo(commands: readonly string[]): Record<string, Uint8Array> {
  const made = commands.join("\n");
  return {
    ...FILES,
    ...(/mkdir inbox/.test(made) ? {} : { "inbox/kept.txt": new Uint8Array(1) }),
    ...(/keygen --out network\.seed/.test(made)
      ? {}
      : { "network.seed": new TextEncoder().encode(toHex(generateSeed())) }),
  };
}

const skip = Deno.build.os === "windows" ? "the commands are those of a Unix shell" : false;

function isElsewhere(command: string): boolean {
  return ELSEWHERE.some(([pattern]) => pattern.test(command));
}

const pages = new Map<string, Block[]>();
for (const page of DOCUMENT_PAGES) {
  pages.set(page, blocksOf(page, pageText(page)).flatMap(transcriptOf));
}
const shellBlocks = [...pages.values()].flat().filter(({ language }) => language === "sh");

test("every task that a document names exists", () => {
  const { tasks } = JSON.parse(Deno.readTextFileSync(new URL("deno.json", ROOT))) as {
    tasks: Record<string, unknown>;
  };
  const named = shellBlocks.flatMap(({ page, text }) =>
    commandsOf(text).map((command) => [page, /\btask ([\w:-]+)/.exec(command)?.[1]] as const)
  );
  assert.deepEqual(named.filter(([, name]) => name !== undefined && !(name in tasks)), []);
});

for (const [page, blocks] of pages) {
  const shell = blocks.filter(({ language }) => language === "sh");
  const commands = shell.flatMap(({ text }) => commandsOf(text));
  if (commands.every(isElsewhere)) continue;
  test(`${page}: every command runs, and prints what the page shows`, { skip }, async () => {
    const runs = await runShell(blocks, (command) => !isElsewhere(command), givenTo(commands));
    assert.equal(runs.length, commands.filter((command) => !isElsewhere(command)).length);
    assert.deepEqual(shellFaults(blocks, runs), []);
  });
}

test("a command that fails, or prints something else, is named", { skip }, async () => {
  const blocks = blocksOf("p.md", "```sh\nfalse\necho a\n```\n\n```text\nb\n```\n");
  const runs = await runShell(blocks, () => true, {});
  assert.deepEqual(shellFaults(blocks, runs), [
    "p.md:2 false ended with 1: ",
    "p.md:2 echo a shows b\nand prints a",
  ]);
});
