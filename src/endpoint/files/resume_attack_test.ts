import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { encodeValue, type SttValue } from "../../codec/values.ts";
import { encodeVarint } from "../../codec/varint.ts";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";
import { withFolder } from "./folder_for_test.ts";
import { PartFile } from "./part_file.ts";
import { resumeLimits } from "./kept_parts.ts";
import { receiveFiles } from "./receive_file.ts";
import { FILE_REFUSALS } from "./refusals.ts";
import { sendFile, type SentFile } from "./send_file.ts";
import { withSession } from "./session_for_test.ts";
import {
  type Block,
  encodeFinalAnswer,
  encodeOffer,
  encodeOfferAnswer,
  encodePrefix,
  encodeTrailer,
} from "./wire.ts";

const SIZE = 1_048_576;
const CONTENT = new Uint8Array(SIZE).map((_, index) => (index * 7) & 0xff);

function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function framed(value: SttValue): Uint8Array {
  const bytes = encodeValue(value);
  return Uint8Array.from([...encodeVarint(bytes.length), ...bytes]);
}

/** Keeps the first `bytes` of a file named x. */
async function leave(directory: string, bytes: Uint8Array): Promise<void> {
  const limits = resumeLimits(true);
  assert(limits !== undefined);
  const part = await PartFile.create(directory, "x", false, { size: SIZE, limits });
  await part.write(bytes);
  await part.keep();
}

async function offered(sender: Peer): Promise<{ stream: SttStream; blocks: BlockStream }> {
  const stream = await sender.openStream();
  const blocks = new BlockStream(stream, undefined);
  await blocks.write(encodeOffer({ name: "x", size: SIZE, mode: "file", resume: true }));
  return { stream, blocks };
}

test("a receiver shows nobody what it kept: a sender proves it, or begins anew", async () => {
  const claims: [Uint8Array, number][] = [
    [hash(CONTENT.subarray(0, 600_000)), 600_000],
    [hash(CONTENT.subarray(0, 599_999)), 0],
    [new Uint8Array(32), 0],
  ];
  for (const [claim, offset] of claims) {
    await withFolder(async (directory) => {
      await leave(directory, CONTENT.subarray(0, 600_000));
      await withSession(async (sender, receiver) => {
        const outcome = receiveFiles(receiver, { directory, resume: true }).next();
        const { stream, blocks } = await offered(sender);
        assert.deepEqual([...await blocks.block()], [["kept", 600_000]]);
        await blocks.write(encodePrefix(claim));
        assert.deepEqual([...await blocks.block()], [["offset", offset]]);
        await stream.write(CONTENT.subarray(offset));
        await blocks.write(encodeTrailer(hash(CONTENT)));
        await stream.end();
        assert.equal((await blocks.block()).get("ok"), true);
        assert((await outcome).value?.ok === true);
        assert.deepEqual(await readdir(directory), ["x"]);
      });
    });
  }
});

test("a proof that is none ends the transfer as malformed, and a wrong rest as a wrong hash", async () => {
  const rest = CONTENT.slice(600_000).fill(1);
  const cases: [Uint8Array[], keyof typeof FILE_REFUSALS, number][] = [
    [[framed({ offset: 600_000 })], "malformed", 1],
    [[framed({ prefix: "x" })], "malformed", 1],
    [[Uint8Array.of(0xff, 0xff, 0xff)], "malformed", 1],
    [
      [encodePrefix(hash(CONTENT.subarray(0, 600_000))), rest, encodeTrailer(hash(CONTENT))],
      "hash",
      2,
    ],
  ];
  for (const [parts, refusal, answers] of cases) {
    await withFolder(async (directory) => {
      await leave(directory, CONTENT.subarray(0, 600_000));
      await withSession(async (sender, receiver) => {
        const outcome = receiveFiles(receiver, { directory, resume: true }).next();
        const { stream, blocks } = await offered(sender);
        await blocks.block();
        for (const part of parts) await stream.write(part).catch(() => undefined);
        stream.end().catch(() => undefined);
        let last: Block = new Map();
        for (let left = answers; left > 0; left--) last = await blocks.block();
        assert.equal(last.get("error"), FILE_REFUSALS[refusal].wire);
        assert((await outcome).value?.ok === false);
        assert.deepEqual(await readdir(directory), []);
      });
    });
  }
});

test("a sender cannot place what would pass for a part, to push out what is kept or to vanish later", async () => {
  for (const ending of ["kept.part", "0123456789ab.part", "KEPT.Part"]) {
    await withFolder(async (directory) => {
      await withSession(async (sender, receiver) => {
        const outcome = receiveFiles(receiver, { directory }).next();
        const sending = sendFile(sender, {
          name: `.y.abcdefabcdef.${ending}`,
          size: 1,
          source: [new Uint8Array(1)],
        });
        await assert.rejects(sending, { code: "FILE_NAME" });
        assert((await outcome).value?.ok === false);
        assert.deepEqual(await readdir(directory), []);
      });
    });
  }
});

test("however often a file is offered while it comes, one copy is made of what came", async () => {
  const limits = resumeLimits(true);
  assert(limits !== undefined);
  await withFolder(async (directory) => {
    const parts: PartFile[] = [];
    for (let count = 0; count < 6; count++) {
      const part = await PartFile.create(directory, "x", false, { size: SIZE, limits });
      parts.push(part);
      if (count > 0) continue;
      // Three buffers, so that the first one is on the disk.
      await part.write(CONTENT.subarray(0, 3 * 262_144));
    }
    assert.deepEqual(
      parts.map(({ earlier }) => earlier !== undefined),
      [false, true, false, false, false, false],
    );
    for (const part of parts) await part.discard();
    assert.deepEqual(await readdir(directory), []);
  });
});

/** Answers one offer with these blocks, one after each block of the sender. */
async function answering(
  answers: readonly Uint8Array[],
  send: (sender: Peer) => Promise<SentFile>,
): Promise<{ readonly sent: unknown; readonly offer: Block }> {
  const results: { sent: unknown; offer: Block }[] = [];
  await withSession(async (sender, receiver) => {
    const sending = send(sender).catch((error: unknown) => error);
    const stream = await receiver.acceptStream();
    assert(stream !== null);
    const blocks = new BlockStream(stream, undefined);
    const offer = await blocks.block();
    let first = true;
    for (const answer of answers) {
      if (!first) await blocks.block().catch(() => undefined);
      first = false;
      await blocks.write(answer).catch(() => undefined);
    }
    results.push({ sent: await sending, offer });
  });
  return results[0] as { sent: unknown; offer: Block };
}

test("a sender bears receivers that know nothing of this, and refuses answers that make no sense", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "x");
    await writeFile(path, CONTENT);
    const fromPath = (sender: Peer): Promise<SentFile> => sendFile(sender, { path });
    const nonsense: Uint8Array[][] = [
      [encodeOfferAnswer({ kept: SIZE + 1 })],
      [encodeOfferAnswer({ kept: 5 }), encodeOfferAnswer({ offset: 4 })],
      [encodeOfferAnswer({ kept: 5 }), encodeOfferAnswer({ kept: 5 })],
      [framed({ kept: 0 })],
    ];
    for (const answers of nonsense) {
      const { sent, offer } = await answering(answers, fromPath);
      assert.equal(offer.get("resume"), true);
      assert(sent instanceof SttError && sent.code === "PROTOCOL", String(sent));
    }
    await withSession(async (sender, receiver) => {
      const sending = fromPath(sender).catch((error: unknown) => error);
      const stream = await receiver.acceptStream();
      assert(stream !== null);
      const blocks = new BlockStream(stream, undefined);
      await blocks.block();
      await blocks.write(encodeOfferAnswer({ kept: SIZE + 1 }));
      await assert.rejects(
        blocks.block(),
        (error: unknown) => error instanceof SttError && error.wire === FILE_REFUSALS.offset.wire,
      );
      await sending;
    });
    // Bytes that come once cannot be proved: kept was not asked for.
    const fromSource = (sender: Peer): Promise<SentFile> =>
      sendFile(sender, { source: [CONTENT], name: "x", size: SIZE });
    const { sent, offer } = await answering([encodeOfferAnswer({ kept: 5 })], fromSource);
    assert.equal(offer.has("resume"), false);
    assert(sent instanceof SttError && sent.code === "PROTOCOL");
    const refused = await answering([
      encodeOfferAnswer({ kept: 5 }),
      encodeOfferAnswer({ error: FILE_REFUSALS.full.wire, reason: "" }),
    ], fromPath);
    assert(refused.sent instanceof SttError && refused.sent.code === "FILE_IO");
  });
});

test("a receiver may ask for an offset without proof; the SHA-256 is still that of the whole file", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "x");
    await writeFile(path, CONTENT);
    await withSession(async (sender, receiver) => {
      const sending = sendFile(sender, { path });
      const stream = await receiver.acceptStream();
      assert(stream !== null);
      const blocks = new BlockStream(stream, undefined);
      await blocks.block();
      await blocks.write(encodeOfferAnswer({ offset: SIZE - 10 }));
      const bytes: number[] = [];
      while (bytes.length < 10) bytes.push(...await blocks.bytes(10 - bytes.length) ?? []);
      assert.deepEqual(Uint8Array.from(bytes), CONTENT.subarray(SIZE - 10));
      assert.deepEqual((await blocks.block()).get("sha256"), hash(CONTENT));
      await blocks.write(encodeFinalAnswer({ ok: true }));
      assert.equal((await sending).resumed, SIZE - 10);
    });
  });
});
