import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { BlockStream } from "./block_stream.ts";
import { decodeFolderAnswer, encodeFolderOffer, encodeFolderWord } from "./folder_wire.ts";
import { receiveTransfers } from "./receive_transfers.ts";
import { withSession } from "./session_for_test.ts";
import { harvest, receivedOf, sentOf, withScene } from "./trees_for_test.ts";

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

test("what a killed receiver left half-written is found out by its hash, and sent again", async () => {
  await withScene({ "a": "alpha", "b": "beta" }, async ({ source, inbox, run }) => {
    const stop = new AbortController();
    await run({}, {
      resume: true,
      signal: stop.signal,
      onProgress: ({ bytes }) => {
        if (bytes >= 9) stop.abort(new SttError("CLOSED", "enough"));
      },
    });
    const [part = ""] = await readdir(inbox);
    await writeFile(join(inbox, part, "a"), "alphx");
    await writeFile(join(inbox, part, "b"), "beta and more");
    await truncate(join(inbox, part, "b"), 2);
    assert.equal(sentOf(await run({}, { resume: true })).resumed, 0);
    assert.deepEqual(await harvest(join(inbox, "photos")), await harvest(source));
  });
});

test("folders that broke off are removed when they are too old or too many", async () => {
  await withScene({ "a": "1" }, async ({ inbox, run }) => {
    const name = (key: number): string =>
      `.other.${String(key).padStart(12, "0")}.0123456789ab.part`;
    for (let key = 0; key < 20; key++) {
      await mkdir(join(inbox, name(key), "inner"), { recursive: true });
      const at = Date.now() / 1000 - key * 60;
      await utimes(join(inbox, name(key)), at, at);
    }
    const old = Date.now() / 1000 - 2 * 86_400;
    await utimes(join(inbox, name(3)), old, old);
    await mkdir(join(inbox, ".mine.part"));
    sentOf(await run({}, { resume: true }));
    const left = (await readdir(inbox)).filter((found) => found.startsWith(".other"));
    // The sixteen newest: numbers 0 to 16 without the old one.
    assert.deepEqual(
      left.sort(),
      [0, 1, 2, ...Array.from({ length: 13 }, (_, n) => n + 4)].map(name),
    );
    assert((await readdir(inbox)).includes(".mine.part"), "what is no part was removed");
  });
});

test("the next session takes the folder over from one that nobody told that it is over", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const sha256 = new Uint8Array(createHash("sha256").update(bytes).digest());
  const file = (path: string): Uint8Array =>
    encodeFolderWord({ kind: "entry", entry: { path, size: 3, executable: false } });
  await withScene({ "a": bytes, "b": "other" }, async ({ inbox, run, source }) => {
    await withSession(async (sender, receiver) => {
      const first = receiveTransfers(receiver, { directory: inbox, resume: true }).next();
      const stream = await sender.openStream();
      const reader = new BlockStream(stream, undefined);
      const offer = { name: "photos", entries: 2, bytes: 6, mode: "folder", resume: true } as const;
      await stream.write(encodeFolderOffer(offer));
      await stream.write(file("a"));
      await stream.write(encodeFolderWord({ kind: "data", n: 0, bytes: 3, sha256 }));
      await stream.write(bytes);
      await reader.block();
      const answers = [await reader.block(), await reader.block()].map(decodeFolderAnswer);
      assert.deepEqual(answers.map(({ kind }) => kind), ["offset", "ok"]);
      // Nobody has told this one yet; the sender is back already.
      assert.equal(sentOf(await run({}, { resume: true })).resumed, 3);
      assert.deepEqual(await harvest(join(inbox, "photos")), await harvest(source));
      await stream.write(file("late/c"));
      assert.equal(decodeFolderAnswer(await reader.block()).kind, "error");
      stream.reset();
      const outcome = (await first).value;
      assert(outcome !== undefined && !outcome.ok);
      assert.deepEqual(await readdir(inbox), ["photos"]);
      assert.deepEqual(await harvest(join(inbox, "photos")), await harvest(source));
    });
  });
});

test("without resume on the sender's side everything travels", async () => {
  await withScene({ "a": "alpha" }, async ({ inbox, run }) => {
    sentOf(await run());
    const both = await run({ resume: false }, { overwrite: true, resume: true });
    assert.deepEqual([sentOf(both).resumed, receivedOf(both).resumed], [0, 0]);
    assert.deepEqual(await harvest(join(inbox, "photos")), { "a": "alpha" });
  });
});
