import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, readFile, rename, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { withFolder } from "./folder_for_test.ts";
import { type FileOutcome, type ReceiveFileOptions, receiveFiles } from "./receive_file.ts";
import { sendFile, type SendFileOptions, type SentFile } from "./send_file.ts";
import { withSession } from "./session_for_test.ts";

const SIZE = 3_000_003;
/** The transfer is broken off once so much has come. */
const BREAK_AT = 1_500_000;

/** Content that differs by `salt` from byte `from` on. */
function content(size = SIZE, salt = 0, from = 0): Uint8Array {
  return new Uint8Array(size).map((_, i) => (i * 31 + (i >> 8) + (i >= from ? salt : 0)) & 0xff);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

interface Result {
  readonly sent: unknown;
  readonly received: FileOutcome;
}

/** One transfer in a session of its own. */
async function attempt(send: SendFileOptions, receive: ReceiveFileOptions): Promise<Result> {
  const results: Result[] = [];
  await withSession(async (sender, receiver) => {
    const [sent, step] = await Promise.all([
      sendFile(sender, send).catch((error: unknown) => error),
      receiveFiles(receiver, receive).next(),
    ]);
    results.push({ sent, received: step.value as FileOutcome });
  });
  return results[0] as Result;
}

/** Breaks a transfer off once `at` bytes have come, and returns the names in the inbox. */
async function breakOff(
  send: SendFileOptions,
  receive: ReceiveFileOptions,
  at = BREAK_AT,
): Promise<string[]> {
  const stop = new AbortController();
  const onProgress = ({ bytes }: { readonly bytes: number }): void => {
    if (bytes >= at) stop.abort(new Error("enough"));
  };
  await withSession(async (sender, receiver) => {
    const [, received] = await Promise.allSettled([
      sendFile(sender, send),
      receiveFiles(receiver, { ...receive, onProgress, signal: stop.signal }).next(),
    ]);
    assert(received.status === "rejected" && received.reason === stop.signal.reason);
  });
  return await readdir(receive.directory as string);
}

interface Scene {
  readonly path: string;
  readonly inbox: string;
  readonly target: string;
}

async function withScene(act: (scene: Scene) => Promise<void>): Promise<void> {
  await withFolder(async (folder) => {
    await withFolder(async (inbox) => {
      const path = join(folder, "big.bin");
      await writeFile(path, content());
      await act({ path, inbox, target: join(inbox, "big.bin") });
    });
  });
}

async function assertArrived(
  { sent, received }: Result,
  { inbox, target }: Scene,
  bytes: Uint8Array,
): Promise<number> {
  assert(received.ok, received.ok ? "" : received.error.message);
  assert.deepEqual(received.sha256, sha256(bytes));
  assert.deepEqual(new Uint8Array(await readFile(target)), bytes);
  assert.deepEqual(await readdir(inbox), ["big.bin"]);
  assert.equal((sent as SentFile).resumed, received.resumed);
  assert.equal((sent as SentFile).bytes, bytes.length);
  return received.resumed;
}

test("a file goes on where its transfer broke off, and only the rest travels", async () => {
  await withScene(async (scene) => {
    const { path, inbox } = scene;
    const names = await breakOff({ path }, { directory: inbox, resume: true });
    assert.equal(names.length, 1);
    assert.match(names[0] ?? "", /^\.big\.bin\.[0-9a-f]{12}\.kept\.part$/);
    let travelled = 0;
    let last = 0;
    const result = await attempt({ path }, {
      directory: inbox,
      resume: true,
      onProgress: ({ bytes }) => {
        travelled += last === 0 ? 0 : bytes - last;
        last = bytes;
      },
    });
    const resumed = await assertArrived(result, scene, content());
    assert(resumed >= BREAK_AT, `it went on at ${resumed}`);
    assert(travelled <= SIZE - resumed, `${travelled} bytes came again`);
  });
});

test("a transfer may break off again and again", async () => {
  await withScene(async (scene) => {
    const { path, inbox } = scene;
    let before = 0;
    for (const at of [500_000, 1_200_000, 2_500_000]) {
      const [name] = await breakOff({ path }, { directory: inbox, resume: true }, at);
      const kept = await readFile(join(inbox, name ?? ""));
      assert(kept.length >= at && kept.length > before);
      assert.deepEqual(new Uint8Array(kept), content().subarray(0, kept.length));
      before = kept.length;
    }
    const result = await attempt({ path }, { directory: inbox, resume: true });
    assert.equal(await assertArrived(result, scene, content()), before);
  });
});

test("a file that changed since comes from its beginning, wherever it changed", async () => {
  for (const from of [0, BREAK_AT - 1]) {
    await withScene(async (scene) => {
      const { path, inbox } = scene;
      await breakOff({ path }, { directory: inbox, resume: true });
      const changed = content(SIZE, 1, from);
      await writeFile(path, changed);
      const result = await attempt({ path }, { directory: inbox, resume: true });
      assert.equal(await assertArrived(result, scene, changed), 0);
    });
  }
});

test("a change behind what is kept costs nothing, and another size is another file", async () => {
  await withScene(async (scene) => {
    const { path, inbox } = scene;
    await breakOff({ path }, { directory: inbox, resume: true });
    const longer = content(SIZE + 1);
    await writeFile(path, longer);
    const other = await attempt({ path }, { directory: inbox, resume: true, overwrite: true });
    assert(other.received.ok && other.received.resumed === 0);
    const changed = content(SIZE, 1, SIZE - 1);
    await writeFile(path, changed);
    const result = await attempt({ path }, { directory: inbox, resume: true, overwrite: true });
    assert(await assertArrived(result, scene, changed) >= BREAK_AT);
  });
});

test("what a killed process left is copied, not taken: its writer may live", async () => {
  await withScene(async (scene) => {
    const { path, inbox } = scene;
    const [kept = ""] = await breakOff({ path }, { directory: inbox, resume: true });
    // As a killed process leaves it.
    const orphan = kept.replace(".kept.", ".0123456789ab.");
    await rename(join(inbox, kept), join(inbox, orphan));
    let during: string[] = [];
    const result = await attempt({ path }, {
      directory: inbox,
      resume: true,
      accept: async () => {
        during = await readdir(inbox);
        return true;
      },
    });
    assert.deepEqual(during, [orphan]);
    assert(await assertArrived(result, scene, content()) >= BREAK_AT);
  });
});

test("two transfers of one file at once do not touch each other's bytes", async () => {
  await withScene(async ({ path, inbox, target }) => {
    const options = { directory: inbox, resume: true, overwrite: true };
    const names = await breakOff({ path }, options);
    assert.equal(names.length, 1);
    const results = await Promise.all([attempt({ path }, options), attempt({ path }, options)]);
    for (const { received } of results) assert(received.ok);
    assert.deepEqual(new Uint8Array(await readFile(target)), content());
    assert.deepEqual(await readdir(inbox), ["big.bin"]);
  });
});

test("a link in the place of what was kept is not followed", {
  skip: process.platform === "win32" ? "Windows does not let everybody make links" : false,
}, async () => {
  await withScene(async (scene) => {
    const { path, inbox } = scene;
    const [kept = ""] = await breakOff({ path }, { directory: inbox, resume: true });
    await withFolder(async (elsewhere) => {
      const victim = join(elsewhere, "victim");
      await rename(join(inbox, kept), victim);
      await symlink(victim, join(inbox, kept));
      const before = await readFile(victim);
      const result = await attempt({ path }, { directory: inbox, resume: true });
      assert.equal(await assertArrived(result, scene, content()), 0);
      assert.deepEqual(await readFile(victim), before);
    });
  });
});

test("nothing is kept unless it is asked for, of pipes, of small files, and of wrong bytes", async () => {
  await withScene(async ({ path, inbox }) => {
    assert.deepEqual(await breakOff({ path }, { directory: inbox }), []);
    assert.deepEqual(await breakOff({ path }, { directory: inbox, resume: false }), []);
    const pipe = { source: [content()], name: "pipe" };
    assert.deepEqual(await breakOff(pipe, { directory: inbox, resume: true }), []);
    // A source of known size cannot be read twice.
    const source = { source: [content()], name: "source", size: SIZE };
    assert.deepEqual(await breakOff(source, { directory: inbox, resume: true }), []);
    await writeFile(path, content(1_048_575));
    assert.deepEqual(await breakOff({ path }, { directory: inbox, resume: true }, 1), []);
    await writeFile(path, content());
    const large = await attempt({ path }, { directory: inbox, resume: true, maxBytes: SIZE - 1 });
    assert(!large.received.ok && large.received.error.code === "FILE_TOO_LARGE");
    assert.deepEqual(await readdir(inbox), []);
  });
});

test("the end of the session, and a sender that gives up, leave what came", async () => {
  // Much larger than what is on its way when the end comes.
  const bytes = content(20_000_000);
  for (const how of ["session", "sender"]) {
    await withScene(async (scene) => {
      const { path, inbox } = scene;
      await writeFile(path, bytes);
      const stop = new AbortController();
      await withSession(async (sender, receiver) => {
        const onProgress = ({ bytes }: { readonly bytes: number }): void => {
          if (bytes < BREAK_AT) return;
          if (how === "session") sender.abort({ code: 0x123 });
          else stop.abort(new Error("enough"));
        };
        const [sent, received] = await Promise.all([
          sendFile(sender, { path, signal: stop.signal }).catch((error: unknown) => error),
          receiveFiles(receiver, { directory: inbox, resume: true, onProgress }).next(),
        ]);
        assert(sent instanceof Error && received.value?.ok === false);
      });
      assert.match((await readdir(inbox)).join(), /^\.big\.bin\.[0-9a-f]{12}\.kept\.part$/);
      const again = await attempt({ path }, { directory: inbox, resume: true });
      assert(await assertArrived(again, scene, bytes) >= BREAK_AT);
    });
  }
});

test("kept files are bounded by age, number and bytes; the oldest go first", async () => {
  await withFolder(async (folder) => {
    await withFolder(async (inbox) => {
      const past = (ms: number): Date => new Date(Date.now() - ms);
      const keep = async (name: string, resume: ReceiveFileOptions["resume"]): Promise<void> => {
        const path = join(folder, name);
        await writeFile(path, content());
        await breakOff({ path }, { directory: inbox, resume: resume ?? true });
      };
      const kept = async (): Promise<string[]> =>
        (await readdir(inbox)).map((name) => name.split(".")[1] ?? "").sort();
      await keep("a", true);
      const [first = ""] = await readdir(inbox);
      await utimes(join(inbox, first), past(5000), past(5000));
      await keep("b", { maxFiles: 2 });
      assert.deepEqual(await kept(), ["a", "b"]);
      await keep("c", { maxFiles: 2 });
      assert.deepEqual(await kept(), ["b", "c"]);
      await keep("d", { maxBytes: BREAK_AT * 2 });
      assert.equal((await kept()).length, 1);
      await keep("e", { maxBytes: 0 });
      assert.deepEqual(await kept(), []);
      await keep("f", true);
      const [stale = ""] = await readdir(inbox);
      await rename(join(inbox, stale), join(inbox, stale.replace(".kept.", ".0123456789ab.")));
      await utimes(join(inbox, stale.replace(".kept.", ".0123456789ab.")), past(9e7), past(9e7));
      await writeFile(join(inbox, ".other.part"), "not ours");
      await keep("g", true);
      assert.deepEqual(await kept(), ["g", "other"]);
    });
  });
});

test("limits that make no sense are refused", async () => {
  await withSession(async (_, receiver) => {
    for (const resume of [{ maxAge: -1 }, { maxFiles: NaN }, { maxBytes: -5 }]) {
      await assert.rejects(
        receiveFiles(receiver, { directory: ".", resume }).next(),
        (error: unknown) => error instanceof SttError && error.code === "CONFIG",
      );
    }
    await assert.rejects(
      receiveFiles(receiver, { write: () => undefined, resume: true }).next(),
      (error: unknown) => error instanceof SttError && error.code === "CONFIG",
    );
  });
});
