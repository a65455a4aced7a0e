import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { assertSilent, canary } from "../endpoint/canary_for_test.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { withChildren } from "./child_for_test.ts";

const SEED = canary("shared-seed");
const NODE = canary("node-seed");
const OTHER = canary("another-seed");
const CONTENT = canary("content-of-a-file", 5000);
const ALL = [SEED, NODE, OTHER, CONTENT];

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("nothing that stt prints shows seeds or what is in files, whatever goes wrong", async () => {
  await withFolder(async (folder) => {
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    const [file, seeds, nodes, broken] = ["file.bin", "seed", "node", "broken"].map((name) =>
      join(folder, name)
    ) as [string, string, string, string];
    await writeFile(file, CONTENT.bytes);
    const secret = { mode: 0o600 };
    await writeFile(seeds, hex(SEED.bytes), secret);
    await writeFile(nodes, hex(NODE.bytes), secret);
    // A seed with a slip of the pen, and one that is too short.
    await writeFile(broken, `${hex(OTHER.bytes).slice(0, -1)}!`, secret);
    await withChildren(async (start) => {
      const listen = ["listen", "tcp://127.0.0.1:0", "--out", inbox, "--seed-file", seeds];
      const listener = start([...listen, "--node-seed-file", nodes, "--json"]);
      const { address } = await listener.event("listening");
      const to = String(address);
      const env = { seed: hex(SEED.bytes) };
      const runs: [name: string, args: string[], options: { seed?: string }][] = [
        ["a file that arrives", ["send", file, to], env],
        ["the same again, as JSON", ["send", file, to, "--json"], env],
        ["another seed", ["send", file, to, "--timeout", "1"], { seed: hex(OTHER.bytes) }],
        ["a ping with another seed", ["ping", to, "--timeout", "1"], { seed: hex(OTHER.bytes) }],
        ["a seed that is no seed", ["send", file, to], { seed: `${env.seed}!` }],
        ["a short seed", ["send", file, to], { seed: env.seed.slice(0, 40) }],
        ["a broken seed file", ["ping", to, "--seed-file", broken], {}],
        ["a seed on the command line", ["ping", to, `--seed=${env.seed}`], {}],
        ["a seed behind its option", ["ping", to, "--seed", env.seed], {}],
        ["a seed in place of a file", ["ping", to, "--seed-file", env.seed], {}],
        ["another node than expected", ["ping", to, "--expect", "00".repeat(32)], env],
        ["nobody there", ["ping", "tcp://127.0.0.1:1"], env],
        ["a file that is not there", ["send", join(folder, "none"), to], env],
      ];
      for (const [name, args, options] of runs) {
        const child = start(args, options);
        const code = await child.exit();
        assert.equal(code === 0, name === "a file that arrives", name);
        assert.ok(child.stdout.length + child.stderr.length > 0 || code === 0, `${name}: silent`);
        assertSilent(child.stdout, ALL, `${name}: stdout`);
        assertSilent(child.stderr, ALL, `${name}: stderr`);
      }
      assertSilent(listener.stdout + listener.stderr, ALL, "the listener");
    });
  });
});
