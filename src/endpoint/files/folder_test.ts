import assert from "node:assert/strict";
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import { withFolder } from "./folder_for_test.ts";
import {
  receiveTransfers,
  type ReceiveTransfersOptions,
  type TransferOutcome,
} from "./receive_transfers.ts";
import { sendFolder, type SendFolderOptions, type SentFolder } from "./send_folder.ts";
import { receiveFiles } from "./receive_file.ts";
import { withSession } from "./session_for_test.ts";

const NO_LINKS = process.platform === "win32" ? "links need a privilege" : false;

type Tree = Readonly<Record<string, string | Uint8Array | null>>;

/** Files by path; null is an empty folder. */
async function plant(root: string, tree: Tree): Promise<void> {
  await mkdir(root, { recursive: true });
  for (const [path, content] of Object.entries(tree)) {
    const full = join(root, path);
    await mkdir(content === null ? full : dirname(full), { recursive: true });
    if (content !== null) await writeFile(full, content);
  }
}

async function harvest(root: string): Promise<Record<string, string | null>> {
  const tree: Record<string, string | null> = {};
  const walk = async (path: string): Promise<void> => {
    const entries = await readdir(join(root, path), { withFileTypes: true });
    if (entries.length === 0 && path !== "") tree[path] = null;
    for (const entry of entries) {
      const inner = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) await walk(inner);
      else tree[inner] = await readFile(join(root, inner), "latin1");
    }
  };
  await walk("");
  return tree;
}

interface Both {
  readonly sent: SentFolder | SttError;
  readonly received: TransferOutcome;
}

async function transfer(
  sender: Peer,
  receiver: Peer,
  send: SendFolderOptions,
  receive: ReceiveTransfersOptions,
): Promise<Both> {
  const [sent, step] = await Promise.all([
    sendFolder(sender, send).catch((error: unknown) => {
      assert(error instanceof SttError, String(error));
      return error;
    }),
    receiveTransfers(receiver, receive).next(),
  ]);
  assert(step.value !== undefined);
  return { sent, received: step.value };
}

interface Scene {
  readonly source: string;
  readonly inbox: string;
  run(send?: Partial<SendFolderOptions>, receive?: Partial<ReceiveTransfersOptions>): Promise<Both>;
}

async function withScene(tree: Tree, act: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    const source = join(folder, "photos");
    const inbox = join(folder, "inbox");
    await plant(source, tree);
    await mkdir(inbox);
    await withSession(async (sender, receiver) => {
      await act({
        source,
        inbox,
        run: (send = {}, receive = {}) =>
          transfer(sender, receiver, { path: source, ...send }, { directory: inbox, ...receive }),
      });
    });
  });
}

function sentOf({ sent }: Both): SentFolder {
  assert(!(sent instanceof SttError), sent instanceof SttError ? sent.message : "");
  return sent;
}

function receivedOf({ received }: Both): Extract<TransferOutcome, { mode: "folder" }> {
  assert(received.ok && received.mode === "folder", received.ok ? "" : received.error.message);
  return received;
}

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
  await withScene({ "sub/evil": "x", "file": "new", "ok": "ok" }, async ({ inbox, run }) => {
    const outside = join(inbox, "..", "outside");
    await plant(outside, { "target": "old" });
    await plant(join(inbox, "photos"), {});
    await symlink(outside, join(inbox, "photos", "sub"));
    await symlink(join(outside, "target"), join(inbox, "photos", "file"));
    const both = await run({}, { overwrite: true, resume: true });
    const failed = sentOf(both).failed.map(({ path, error }) => [path, error.code]).sort();
    assert.deepEqual(failed, [["file", "FILE_EXISTS"], ["sub/evil", "FILE_EXISTS"]]);
    assert.deepEqual(await harvest(outside), { "target": "old" });
    assert((await lstat(join(inbox, "photos", "sub"))).isSymbolicLink());
    assert.equal(receivedOf(both).failed.length, 2);
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
  await withScene({ "a": "12345", "b": "12345" }, async ({ inbox, run }) => {
    const cases: [Partial<ReceiveTransfersOptions>, string][] = [
      [{ maxBytes: 9 }, "FILE_TOO_LARGE"],
      [{ maxEntries: 1 }, "FILE_TOO_LARGE"],
      [{ acceptFolder: () => false }, "REFUSED"],
    ];
    for (const [options, code] of cases) {
      const { sent, received } = await run({}, options);
      assert(sent instanceof SttError && sent.code === code && sent.remote, String(sent));
      assert(!received.ok && received.error.code === code && received.name === "photos");
    }
    assert.deepEqual(await readdir(inbox), []);
    sentOf(await run({}, { maxBytes: 10, maxEntries: 2 }));
  });
});

test("a transfer that breaks off is gone on with: files that are there do not travel again", async () => {
  const big = new Uint8Array(4_000_000).map((_, i) => (i * 7 + (i >> 9)) & 0xff);
  const tree = { "1-small": "small one", "2-small": "small two", "3-big": big, "4-last": "last" };
  await withScene(tree, async ({ source, inbox, run }) => {
    const stop = new AbortController();
    const gaveUp = await run({}, {
      resume: true,
      signal: stop.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 2_000_000) stop.abort(new SttError("CLOSED", "enough"));
      },
    });
    assert(gaveUp.sent instanceof SttError && gaveUp.sent.code === "STREAM_RESET");
    const [part, ...more] = await readdir(inbox);
    assert.match(part ?? "", /^\.photos\..*\.part$/);
    assert.deepEqual(more, []);
    // Something that the sender does not have, and something that it has changed since.
    await writeFile(join(inbox, part as string, "stranger"), "x");
    await writeFile(join(source, "2-small"), "small TWO");
    const both = await run({}, { resume: true });
    const { resumed, failed, bytes } = sentOf(both);
    assert.deepEqual(failed, []);
    assert.equal(bytes, 4_000_000 + 22);
    assert(resumed >= 1_000_000 + 9 && resumed < bytes, `${resumed} of ${bytes}`);
    assert.equal(receivedOf(both).resumed, resumed);
    assert.deepEqual(await harvest(join(inbox, "photos")), await harvest(source));
    assert.deepEqual(await readdir(inbox), ["photos"]);
  });
});

test("without resume nothing stays behind", async () => {
  await withScene({ "a": "1", "big": new Uint8Array(3_000_000) }, async ({ inbox, run }) => {
    const stop = new AbortController();
    await run({}, {
      signal: stop.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 1_000_000) stop.abort(new SttError("CLOSED", "enough"));
      },
    });
    assert.deepEqual(await readdir(inbox), []);
  });
});

test("a sender that gives up leaves what is kept, and hears nothing more", async () => {
  await withScene({ "a": "1", "big": new Uint8Array(6_000_000) }, async ({ inbox, run }) => {
    const stop = new AbortController();
    const { sent, received } = await run({
      signal: stop.signal,
      onProgress: ({ bytes }) => {
        if (bytes > 1_000_000) stop.abort(new SttError("CLOSED", "enough"));
      },
    }, { resume: true });
    assert(sent instanceof SttError && sent.code === "CLOSED");
    assert(!received.ok && received.error.remote);
    assert.equal((await readdir(inbox)).length, 1);
    sentOf(await run({}, { resume: true }));
    assert.deepEqual(await readdir(inbox), ["photos"]);
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
