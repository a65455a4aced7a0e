import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { withFolder } from "../endpoint/files/folder_for_test.ts";
import { openStream } from "../storage/seal_stream.ts";
import { Prng } from "../testing/prng.ts";
import { runCommand } from "./io_for_test.ts";

const SEED = "5".repeat(64);
const WORLD = { env: { STT_SEED: SEED } };
const CONTENT = new Prng(1).bytes(300_000);

test("a sealed file opens again, and only with its seed", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "plan.pdf");
    await writeFile(path, CONTENT);
    const sealed = await runCommand(["seal", path], WORLD);
    assert.deepEqual([sealed.exit, sealed.stdout], [0, ""]);
    assert.match(sealed.stderr, /^sealed .*plan\.pdf: 300 kB in /);
    if (process.platform !== "win32") {
      assert.equal((await stat(`${path}.stts`)).mode & 0o777, 0o600);
    }
    const exists = await runCommand(["open", `${path}.stts`], WORLD);
    assert.equal(exists.exit, 5);
    assert.match(exists.stderr, /a file or folder of this name exists/);
    await writeFile(path, "something else");
    assert.equal((await runCommand(["open", `${path}.stts`, "--overwrite"], WORLD)).exit, 0);
    assert.deepEqual(new Uint8Array(await readFile(path)), CONTENT);
    const other = await runCommand(["open", `${path}.stts`, "--out", join(folder, "x")], {
      env: { STT_SEED: "6".repeat(64) },
    });
    assert.equal(other.exit, 5);
    assert.match(other.stderr, /^stt: cannot open sealed stream: another secret/);
    assert.deepEqual(readdirSync(folder).sort(), ["plan.pdf", "plan.pdf.stts"]);
  });
});

test("sealed bytes go to a terminal only when they are sent there by name", async () => {
  const world = { ...WORLD, typed: "", stdin: CONTENT, columns: 200 };
  const refused = await runCommand(["seal", "-"], world);
  assert.deepEqual([refused.exit, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /give --out FILE/);
  const named = await runCommand(["seal", "-", "--out", "-"], world);
  assert.equal(named.exit, 0);
  assert.match(named.stdout, /^STT-SEAL/);
  assert.match(named.stderr, /sealed standard input: 300 kB in /);
});

test("JSON has times to the microsecond", async () => {
  await withFolder(async (folder) => {
    await writeFile(join(folder, "a"), CONTENT);
    const { stdout } = await runCommand(["seal", join(folder, "a"), "--json"], WORLD);
    assert.match(stdout, /"bytes":300000,.*"ms":\d+(\.\d{1,3})?\}\n$/);
  });
});

test("a damaged or cut file leaves nothing behind", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "a");
    await writeFile(path, CONTENT);
    await runCommand(["seal", path], WORLD);
    const sealed = new Uint8Array(await readFile(`${path}.stts`));
    const damaged = sealed.slice();
    damaged[200_000] = (damaged[200_000] as number) ^ 1;
    for (
      const [bytes, message] of [[damaged, /chunk 3/], [
        sealed.slice(0, 75 + 2 * 65_552),
        /ends early/,
      ]] as const
    ) {
      await writeFile(join(folder, "b.stts"), bytes);
      const { exit, stderr } = await runCommand(["open", join(folder, "b.stts"), "--json"], WORLD);
      assert.equal(exit, 5, stderr);
      const { stdout } = await runCommand(["open", join(folder, "b.stts"), "--json"], WORLD);
      assert.match(stdout, message);
      assert.deepEqual(readdirSync(folder).sort(), ["a", "a.stts", "b.stts"]);
    }
  });
});

test("pipes: standard input to a file, and a file to standard output", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "text.stts");
    const stdin = new TextEncoder().encode("piped text");
    const sealed = await runCommand(["seal", "-", "--out", path, "--live", "--context", "mail"], {
      ...WORLD,
      stdin,
    });
    assert.equal(sealed.exit, 0, sealed.stderr);
    const opened = await runCommand(["open", path, "--out", "-", "--context", "mail"], WORLD);
    assert.deepEqual([opened.exit, opened.stdout], [0, "piped text"]);
    const other = await runCommand(["open", path, "--out", "-", "--context", "post"], WORLD);
    assert.deepEqual([other.exit, other.stdout], [5, ""]);
    const bytes = new Uint8Array(await readFile(path));
    const viaStdin = await runCommand(["open", "-", "--context", "mail"], {
      ...WORLD,
      stdin: bytes,
    });
    assert.deepEqual([viaStdin.exit, viaStdin.stdout], [0, "piped text"]);
  });
});

test("a passphrase comes from a file or is typed twice; the library opens what the command sealed", async () => {
  await withFolder(async (folder) => {
    const [path, words] = [join(folder, "a"), join(folder, "words")];
    await writeFile(path, "content");
    await writeFile(words, "correct horse battery\nsecond line\n");
    assert.equal((await runCommand(["seal", path, "--passphrase-file", words])).exit, 0);
    const typed = await runCommand([
      "open",
      `${path}.stts`,
      "--ask-passphrase",
      "--out",
      join(folder, "b"),
    ], {
      typed: "correct horse battery",
    });
    assert.equal(typed.exit, 0, typed.stderr);
    assert(!typed.stderr.includes("correct horse"));
    assert.equal(await readFile(join(folder, "b"), "utf8"), "content");
    const blob = new Blob([await readFile(`${path}.stts`)]);
    const opened = blob.stream().pipeThrough(
      openStream({ secret: { passphrase: "correct horse battery" } }) as never,
    ) as ReadableStream;
    assert.equal(await new Response(opened).text(), "content");
    const given = await runCommand(["seal", path, "--ask-passphrase", "--out", join(folder, "c")], {
      typed: null,
    });
    assert.equal(given.exit, 130);
  });
});

test("wrong use of seal and open is exit code 2", async () => {
  const wrong: [string[], RegExp][] = [
    [["seal"], /seal needs one file/],
    [["seal", "a", "b"], /seal needs one file/],
    [["open", "a"], /open "a" needs --out FILE/],
    [["open", ".stts"], /needs --out FILE/],
    [["seal", "a", "--seed-file", "x", "--ask-passphrase"], /exclude each other/],
    [["seal", "-", "--ask-passphrase"], /needs a terminal/],
    [["seal", "a", "--passphrase", "correct horse"], /seeds are not taken as arguments/],
  ];
  for (const [argv, message] of wrong) {
    const { exit, stderr } = await runCommand(argv, WORLD);
    assert.equal(exit, 2, argv.join(" "));
    assert.match(stderr, message);
  }
  const missing = await runCommand(["seal", "/nowhere/at/all"], WORLD);
  assert.equal(missing.exit, 5);
  assert.match(missing.stderr, /cannot read "\/nowhere\/at\/all"/);
  const noSeed = await runCommand(["seal", "a"]);
  assert.equal(noSeed.exit, 2);
});
