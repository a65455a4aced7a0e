import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { chmod, lstat, readdir, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { receiveFiles } from "./receive_file.ts";
import { receiveTransfers, type ReceiveTransfersOptions } from "./receive_transfers.ts";
import { sendFolder } from "./send_folder.ts";
import { withSession } from "./session_for_test.ts";
import { harvest, plant, receivedOf, sentOf, type Tree, withScene } from "./trees_for_test.ts";

const NO_LINKS = process.platform === "win32" ? "links need a privilege" : false;

const TREE: Tree = {
  "a.txt": "alpha",
  "empty.bin": "",
  "deep/er/b.txt": "beta",
  "deep/ünïcode ☃.txt": "snow",
  "hollow/inner": null,
  "big.bin": new Uint8Array(3_000_000).map((_, i) => (i * 31 + (i >> 8)) & 0xff),
  "block.bin": new Uint8Array(262_144).fill(7),
};

test("a folder arrives with all that is in it, empty folders too", async () => {
  await withScene(TREE, async ({ source, inbox, run }) => {
    const both = await run();
    const { entries, bytes, resumed, failed, skipped, name } = sentOf(both);
    assert.deepEqual([entries, resumed, failed, skipped, name], [7, 0, [], [], "photos"]);
    assert.equal(bytes, 3_000_000 + 262_144 + 13);
    assert.deepEqual(await harvest(join(inbox, "photos")), await harvest(source));
    assert.deepEqual(await readdir(inbox), ["photos"]);
    const received = receivedOf(both);
    assert.deepEqual([received.entries, received.bytes, received.failed], [7, bytes, []]);
    assert.equal(received.path, join(inbox, "photos"));
  });
});

test("more entries than the window holds, and the progress is that of all", async () => {
  const tree = Object.fromEntries(
    Array.from({ length: 700 }, (_, n) => [`d${n % 7}/f${n}`, `content ${n}`]),
  );
  await withScene(tree, async ({ source, inbox, run }) => {
    let last = { bytes: 0, entries: 0, allEntries: 0 };
    const both = await run({}, {
      onProgress: (progress) => {
        assert("entries" in progress);
        assert(progress.bytes >= last.bytes && progress.entries >= last.entries);
        last = progress;
      },
    });
    assert.equal(sentOf(both).entries, 700);
    assert.deepEqual([last.entries, last.allEntries], [700, 700]);
    assert.equal(last.bytes, sentOf(both).bytes);
    assert.deepEqual(await harvest(join(inbox, "photos")), await harvest(source));
  });
});

test("an empty folder is a folder", async () => {
  await withScene({}, async ({ inbox, run }) => {
    assert.equal(sentOf(await run({ name: "other" })).entries, 0);
    assert.deepEqual(await readdir(inbox), ["other"]);
  });
});

test("of modes only whether the owner may execute a file travels", {
  skip: process.platform === "win32" ? "Windows has no such bits" : false,
}, async () => {
  const tree = { "run.sh": "#!", "open.txt": "x", "large": new Uint8Array(1_100_000) };
  await withScene(tree, async ({ source, inbox, run }) => {
    await chmod(join(source, "run.sh"), 0o755);
    await chmod(join(source, "large"), 0o711);
    await chmod(join(source, "open.txt"), 0o666);
    sentOf(await run());
    const mode = async (path: string): Promise<number> =>
      (await stat(join(inbox, "photos", path))).mode & 0o7777;
    assert.deepEqual(
      [await mode("run.sh"), await mode("large"), await mode("open.txt"), await mode("")],
      [0o700, 0o700, 0o600, 0o700],
    );
  });
});

test("links are neither followed nor sent", { skip: NO_LINKS }, async () => {
  await withScene({ "a": "alpha", "sub/b": "beta" }, async ({ source, inbox, run }) => {
    await writeFile(join(source, "..", "secret"), "secret");
    await symlink("../secret", join(source, "link"));
    await symlink("/", join(source, "sub", "root"));
    const { skipped } = sentOf(await run());
    assert.deepEqual(skipped, [
      { path: "link", what: "link" },
      { path: "sub/root", what: "link" },
    ]);
    assert.deepEqual(await harvest(join(inbox, "photos")), { "a": "alpha", "sub/b": "beta" });
  });
});

test("what is excluded does not travel", async () => {
  const tree = { "a.txt": "1", "a.log": "2", "node_modules/x/y": "3", "sub/b.log": "4" };
  await withScene(tree, async ({ inbox, run }) => {
    const exclude = (path: string, isFolder: boolean): boolean =>
      isFolder ? path === "node_modules" : path.endsWith(".log");
    assert.equal(sentOf(await run({ exclude })).entries, 2);
    assert.deepEqual(await harvest(join(inbox, "photos")), { "a.txt": "1", "sub": null });
  });
});

test("an existing folder is refused, and filled with overwrite; what is equal does not travel", async () => {
  await withScene({ "same": "same bytes", "other": "new", "sub/c": "c" }, async (scene) => {
    const { inbox, run } = scene;
    const place = join(inbox, "photos");
    await plant(place, { "same": "same bytes", "other": "old", "mine": "stays" });
    const refused = await run();
    assert(refused.sent instanceof SttError && refused.sent.code === "FILE_EXISTS");
    assert(!refused.received.ok && refused.received.error.code === "FILE_EXISTS");
    const both = await run({}, { overwrite: true, resume: true });
    assert.deepEqual([sentOf(both).entries, sentOf(both).resumed], [3, 10]);
    assert.deepEqual(await harvest(place), {
      "mine": "stays",
      "other": "new",
      "same": "same bytes",
      "sub/c": "c",
    });
    assert.deepEqual(await readdir(inbox), ["photos"]);
  });
});

test("into an existing folder nothing goes through a link", { skip: NO_LINKS }, async () => {
  const tree = { "sub/evil": "x", "file": "new", "nowhere/evil": "x", "ok": "ok" };
  await withScene(tree, async ({ inbox, run }) => {
    const outside = join(inbox, "..", "outside");
    await plant(outside, { "target": "old" });
    await plant(join(inbox, "photos"), {});
    await symlink(outside, join(inbox, "photos", "sub"));
    await symlink(join(outside, "target"), join(inbox, "photos", "file"));
    await symlink(join(outside, "new"), join(inbox, "photos", "nowhere"));
    const both = await run({}, { overwrite: true, resume: true });
    const failed = sentOf(both).failed.map(({ path, error }) => [path, error.code]).sort();
    assert.deepEqual(failed, [
      ["file", "FILE_EXISTS"],
      ["nowhere/evil", "FILE_EXISTS"],
      ["sub/evil", "FILE_EXISTS"],
    ]);
    assert.deepEqual(await harvest(outside), { "target": "old" });
    assert((await lstat(join(inbox, "photos", "sub"))).isSymbolicLink());
    assert.equal(receivedOf(both).failed.length, 3);
  });
  await withScene({ "a": "x" }, async ({ inbox, run }) => {
    const outside = join(inbox, "..", "outside");
    await plant(outside, {});
    await symlink(outside, join(inbox, "photos"));
    const { sent } = await run({}, { overwrite: true });
    assert(sent instanceof SttError && sent.code === "FILE_EXISTS");
    assert.deepEqual(await readdir(outside), []);
  });
});

test("one entry that cannot be read or has no allowed name does not stop the others", {
  skip: process.platform === "win32" ? "its names cannot be made there" : false,
}, async () => {
  await withScene({ "a": "1", "nul.txt": "2", "back\\slash": "3", "z": "4" }, async (scene) => {
    const both = await scene.run();
    const { failed, entries } = sentOf(both);
    assert.equal(entries, 2);
    assert.deepEqual(failed.map(({ path, error }) => [path, error.code]).sort(), [
      ["back\\slash", "FILE_NAME"],
      ["nul.txt", "FILE_NAME"],
    ]);
    assert.deepEqual(await harvest(join(scene.inbox, "photos")), { "a": "1", "z": "4" });
  });
});

test("a file that changes while the folder travels fails alone", async () => {
  for (const size of [100, 900_000]) {
    const tree = { "a": "1", "changing": new Uint8Array(size), "z": "2" };
    await withScene(tree, async ({ source, inbox, run }) => {
      const both = await run({}, {
        acceptFolder: async ({ entries, bytes }) => {
          assert.deepEqual([entries, bytes], [3, size + 2]);
          // The folder was walked, and no file has been read yet.
          await truncate(join(source, "changing"), size / 2);
          return true;
        },
      });
      assert.deepEqual(sentOf(both).failed.map(({ path }) => path), ["changing"]);
      const failed = receivedOf(both).failed.map(({ path, error }) => [path, error.message]);
      assert.deepEqual(failed, [
        ["changing", 'cannot take "changing": the sender could not read the file'],
      ]);
      assert.deepEqual(await harvest(join(inbox, "photos")), { "a": "1", "z": "2" });
    });
  }
});

test("limits and the application's word hold for folders", async () => {
  await withScene({ "a": "12345", "\u65e5\u672c": "12345" }, async ({ inbox, run }) => {
    const cases: [Partial<ReceiveTransfersOptions>, string][] = [
      [{ maxBytes: 9 }, "FILE_TOO_LARGE"],
      [{ maxEntries: 1 }, "FILE_TOO_LARGE"],
      [{ maxPathBytes: 5 }, "FILE_TOO_LARGE"],
      [{ acceptFolder: () => false }, "REFUSED"],
    ];
    for (const [options, code] of cases) {
      const { sent, received } = await run({}, options);
      assert(sent instanceof SttError && sent.code === code && sent.remote, String(sent));
      assert(!received.ok && received.error.code === code && received.name === "photos");
    }
    assert.deepEqual(await readdir(inbox), []);
    // `a`, and two characters of three bytes each.
    sentOf(await run({}, { maxBytes: 10, maxEntries: 2, maxPathBytes: 7 }));
    await assert.rejects(run({}, { maxPathBytes: -1 }), { code: "CONFIG" });
  });
});

test("a path that is no folder, or is not there, is refused before anything is said", async () => {
  await withScene({ "a": "1" }, async ({ source }) => {
    await withSession(async (sender) => {
      for (const path of [join(source, "a"), join(source, "none")]) {
        await assert.rejects(
          sendFolder(sender, { path }),
          (error) => error instanceof SttError && error.code === "FILE_IO",
        );
      }
    });
  });
});

test("receiveFiles takes no folders, and a function in place of a folder none either", async () => {
  await withScene({ "a": "1" }, async ({ source, inbox }) => {
    await withSession(async (sender, receiver) => {
      const outcomes = [
        receiveFiles(receiver, { directory: inbox }),
        receiveTransfers(receiver, { write: () => undefined }),
      ];
      for (const outcome of outcomes) {
        const [sent] = await Promise.all([
          sendFolder(sender, { path: source }).catch((error: unknown) => error),
          outcome.next(),
        ]);
        assert(sent instanceof SttError && sent.code === "REFUSED" && sent.remote, String(sent));
      }
      assert.deepEqual(await readdir(inbox), []);
    });
  });
});

test("what vanished, and what is no file, does not stop the others", {
  skip: process.platform === "win32" ? "it has no named pipes in folders" : false,
}, async () => {
  await withScene({ "a": "1", "gone/b": "2", "z": "3" }, async ({ source, inbox, run }) => {
    assert.equal(spawnSync("mkfifo", [join(source, "pipe")]).status, 0);
    const exclude = (path: string, isFolder: boolean): boolean => {
      if (isFolder && path === "gone") rmSync(join(source, path), { recursive: true });
      return false;
    };
    const both = await run({ exclude });
    assert.deepEqual(sentOf(both).skipped, [{ path: "pipe", what: "special" }]);
    assert.deepEqual(sentOf(both).failed.map(({ path, error }) => [path, error.code]), [
      ["gone", "FILE_IO"],
    ]);
    assert.deepEqual(await harvest(join(inbox, "photos")), { "a": "1", "z": "3" });
  });
});

test("a folder of its name that comes into being meanwhile stays, and the other goes", async () => {
  await withScene({ "a": "new" }, async ({ inbox, run }) => {
    const { sent, received } = await run({}, {
      acceptFolder: () => true,
      onProgress: () => {
        mkdirSync(join(inbox, "photos"), { recursive: true });
        writeFileSync(join(inbox, "photos", "mine"), "mine");
      },
    });
    assert(sent instanceof SttError && sent.code === "FILE_EXISTS" && sent.remote);
    assert(!received.ok && received.error.code === "FILE_EXISTS");
    assert.deepEqual(await readdir(inbox), ["photos"]);
    assert.deepEqual(await harvest(join(inbox, "photos")), { "mine": "mine" });
  });
});

test("an equal file that became executable is made so without its bytes", {
  skip: process.platform === "win32" ? "Windows has no such bits" : false,
}, async () => {
  await withScene({ "run": "#!" }, async ({ source, inbox, run }) => {
    await plant(join(inbox, "photos"), { "run": "#!" });
    await chmod(join(source, "run"), 0o755);
    assert.equal(sentOf(await run({}, { overwrite: true, resume: true })).resumed, 2);
    assert.equal((await stat(join(inbox, "photos", "run"))).mode & 0o777, 0o700);
    await chmod(join(source, "run"), 0o644);
    sentOf(await run({}, { overwrite: true, resume: true }));
    assert.equal((await stat(join(inbox, "photos", "run"))).mode & 0o777, 0o600);
  });
});

test("large files take turns, and those that fail make room for the others", async () => {
  const large = (n: number): Uint8Array => new Uint8Array(300_000 + n).fill(n);
  const tree = Object.fromEntries(Array.from({ length: 14 }, (_, n) => [`f${n}`, large(n)]));
  await withScene({ ...tree, "small": "1" }, async ({ source, inbox, run }) => {
    const both = await run({}, {
      acceptFolder: async () => {
        for (const name of ["f1", "f12", "f13"]) await truncate(join(source, name), 5);
        assert.deepEqual(await readdir(inbox), [], "something was made before it was accepted");
        return true;
      },
    });
    assert.deepEqual(sentOf(both).failed.map(({ path }) => path).sort(), ["f1", "f12", "f13"]);
    assert.equal(receivedOf(both).entries, 12);
    const arrived = await harvest(join(inbox, "photos"));
    assert.equal(arrived["small"], "1");
    assert.equal(arrived["f7"]?.length, 300_007);
  });
});

test("large files whose places are taken fail there, and the others arrive", async () => {
  const tree = Object.fromEntries(
    Array.from({ length: 9 }, (_, n) => [`f${n}`, new Uint8Array(300_000).fill(n)]),
  );
  await withScene(tree, async ({ inbox, run }) => {
    // Folders where files should go, of which the last ones are met only when they have waited.
    const place = join(inbox, "photos");
    await plant(place, { "f0": null, "f8": null, "f5": new Uint8Array(300_000).fill(9) });
    const both = await run({}, { overwrite: true, resume: true });
    const failed = sentOf(both).failed.map(({ path, error }) => [path, error.code]).sort();
    assert.deepEqual(failed, [["f0", "FILE_EXISTS"], ["f8", "FILE_EXISTS"]]);
    const arrived = await harvest(place);
    assert.equal(Object.keys(arrived).length, 9);
    assert.equal(arrived["f5"], "\x05".repeat(300_000));
  });
});
