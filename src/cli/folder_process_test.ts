import assert from "node:assert/strict";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { generateSeed } from "../endpoint/seeds.ts";
import { type Child, type ChildOptions, eventually, withChildren } from "./child_for_test.ts";
import { Line } from "./line_for_test.ts";

interface Scene {
  readonly source: string;
  readonly inbox: string;
  readonly seed: string;
  start(args: readonly string[], options?: ChildOptions): Child;
}

async function withScene(
  files: Readonly<Record<string, string | Uint8Array>>,
  act: (scene: Scene) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    const source = join(folder, "project");
    const inbox = join(folder, "inbox");
    await mkdir(inbox);
    await mkdir(join(source, "hollow"), { recursive: true });
    for (const [path, content] of Object.entries(files)) {
      await mkdir(dirname(join(source, path)), { recursive: true });
      await writeFile(join(source, path), content);
    }
    const seed = toHex(generateSeed());
    await withChildren(async (start) => {
      await act({
        source,
        inbox,
        seed,
        start: (args, options) => start(args, { seed, ...options }),
      });
    });
  });
}

async function listening(scene: Scene, ...args: string[]): Promise<{ at: string; child: Child }> {
  const all = ["listen", "tcp://127.0.0.1:0", "--out", scene.inbox, "--json", ...args];
  const child = scene.start(all);
  return { child, at: String((await child.event("listening"))["address"]) };
}

const FILES = {
  "readme.md": "hello",
  "src/main.c": "int main;",
  "src/main.o": "object",
  "node_modules/x/y.js": "x",
};

test("a folder crosses between two processes, without links and what is excluded", async () => {
  await withScene(FILES, async (scene) => {
    const { source, inbox, start } = scene;
    const links = process.platform === "win32" ? 0 : 1;
    if (links === 1) await symlink("/etc/hostname", join(source, "link"));
    const { at, child } = await listening(scene, "--once");
    const exclude = ["--exclude", "*.o", "--exclude", "node_modules/"];
    const sender = start(["send", source, at, ...exclude, "--json"]);
    const sent = await sender.event("sent");
    assert.deepEqual(
      [sent["name"], sent["mode"], sent["entries"], sent["failed"], sent["skipped"], sent["bytes"]],
      ["project", "folder", 3, 0, links, 14],
    );
    assert.equal(await sender.exit(), 0);
    assert.equal(await child.exit(), 0);
    assert.equal((await child.event("receiving"))["entries"], 3);
    assert.equal((await child.event("received"))["path"], join(inbox, "project"));
    assert.deepEqual((await readdir(join(inbox, "project"))).sort(), [
      "hollow",
      "readme.md",
      "src",
    ]);
    assert.equal(await readFile(join(inbox, "project", "src", "main.c"), "utf8"), "int main;");
    assert.deepEqual(await readdir(join(inbox, "project", "src")), ["main.c"]);
  });
});

test("a folder that is offered, for people", async () => {
  await withScene(FILES, async (scene) => {
    const { source, inbox, start } = scene;
    const offer = ["listen", "ws://127.0.0.1:0", "--offer", source, "--exclude", "x", "--once"];
    const listener = start([...offer, "--json"]);
    const at = String((await listener.event("listening"))["address"]);
    const receiver = start(["receive", at, "--out", inbox]);
    assert.equal(await receiver.exit(), 0);
    assert.match(receiver.stderr, /^receiving folder project, 5 entries, 20 B$/m);
    assert.match(receiver.stderr, /^received folder project: 5 entries, 20 B in .*B\/s$/m);
    assert.equal(await listener.exit(), 0);
    assert.equal(await readFile(join(inbox, "project", "readme.md"), "utf8"), "hello");
  });
});

test("a receiver that is killed goes on with the folder where it stopped", async () => {
  const large = new Uint8Array(9_000_000).map((_, index) => (index * 7 + (index >> 10)) & 0xff);
  await withScene({ "a.txt": "small", "large.bin": large }, async (scene) => {
    const { source, inbox, start } = scene;
    const first = await listening(scene);
    await Line.within(first.at, async (line) => {
      const sender = start(["send", source, line.address, "--json"]);
      await eventually(async () => {
        const name = (await readdir(inbox)).find((found) => found.endsWith(".part"));
        if (name === undefined) return undefined;
        const inner = await readdir(join(inbox, name));
        const part = inner.find((file) => file.startsWith(".large"));
        const came = part === undefined ? 0 : (await stat(join(inbox, name, part))).size;
        return inner.includes("a.txt") && came > 1_000_000 || undefined;
      }, "beginning of the folder");
      first.child.kill("SIGKILL");
      assert.equal(await sender.exit(), 3);
    });
    const second = await listening(scene, "--once");
    const again = start(["send", source, second.at, "--json"]);
    const sent = await again.event("sent");
    assert(Number(sent["resumed"]) > 1_000_005, `${sent["resumed"]} bytes did not come again`);
    assert.equal(await again.exit(), 0);
    assert.equal(await second.child.exit(), 0);
    assert.deepEqual(await readdir(inbox), ["project"]);
    assert.deepEqual((await readdir(join(inbox, "project"))).sort(), [
      "a.txt",
      "hollow",
      "large.bin",
    ]);
    assert.deepEqual(new Uint8Array(await readFile(join(inbox, "project", "large.bin"))), large);
  });
});

test("a folder that is there is refused, and filled with --overwrite", async () => {
  await withScene({ "a.txt": "new", "b.txt": "same" }, async (scene) => {
    const { source, inbox, start } = scene;
    await mkdir(join(inbox, "project"));
    await writeFile(join(inbox, "project", "a.txt"), "older");
    await writeFile(join(inbox, "project", "b.txt"), "same");
    const strict = await listening(scene);
    const refused = start(["send", source, strict.at]);
    assert.equal(await refused.exit(), 5);
    assert.match(refused.stderr, /the receiver has a file of this name/);
    const filled = await listening(scene, "--overwrite");
    const sender = start(["send", source, filled.at, "--json"]);
    assert.equal((await sender.event("sent"))["resumed"], 4);
    assert.equal(await sender.exit(), 0);
    const anew = start(["send", source, filled.at, "--json", "--no-resume"]);
    assert.equal((await anew.event("sent"))["resumed"], 0);
    assert.equal(await anew.exit(), 0);
    assert.equal(await readFile(join(inbox, "project", "a.txt"), "utf8"), "new");
  });
});

test("--to-stdout carries the file, and events go to standard error", async () => {
  await withScene({ "a.txt": "piped" }, async ({ source, start }) => {
    const listener = start(["listen", "tcp://127.0.0.1:0", "--to-stdout", "--once", "--json"]);
    const at = await eventually(
      () => Promise.resolve(/"address":"([^"]+)"/.exec(listener.stderr)?.[1]),
      "address",
    );
    const folder = start(["send", source, at]);
    assert.equal(await folder.exit(), 4);
    assert.match(folder.stderr, /the receiver takes no/);
    const sender = start(["send", join(source, "a.txt"), at]);
    // The first session did something already.
    await sender.exit();
    await listener.exit();
    const other = start(["listen", "tcp://127.0.0.1:0", "--out", "-", "--once", "--json"]);
    const there = await eventually(
      () => Promise.resolve(/"address":"([^"]+)"/.exec(other.stderr)?.[1]),
      "address",
    );
    const piped = start(["send", "-", there, "--name", "x"], { stdin: true });
    piped.process.stdin?.end("through a pipe");
    assert.equal(await piped.exit(), 0);
    assert.equal(await other.exit(), 0);
    assert.equal(other.stdout, "through a pipe");
    assert.match(other.stderr, /"event":"received","name":"x"/);
  });
});

test("a disk that is full ends the folder, and what came of it is gone", {
  skip: process.platform === "win32" ? "it has no ulimit" : false,
}, async () => {
  const files = { "a.txt": "small", "big.bin": new Uint8Array(3_000_000), "z.txt": "last" };
  await withScene(files, async (scene) => {
    const { source, inbox, start } = scene;
    const shell = 'trap "" XFSZ; ulimit -f 1000; exec "$@"';
    const listen = ["listen", "tcp://127.0.0.1:0", "--out", inbox, "--once", "--json"];
    const listener = start(listen, { shell });
    const at = String((await listener.event("listening"))["address"]);
    const sender = start(["send", source, at]);
    assert.equal(await sender.exit(), 5);
    assert.match(sender.stderr, /cannot send folder "project": the receiver has no space left/);
    assert.equal((await listener.event("not-received"))["code"], "FILE_IO");
    assert.equal(await listener.exit(), 5);
    assert.deepEqual(await readdir(inbox), []);
  });
});
