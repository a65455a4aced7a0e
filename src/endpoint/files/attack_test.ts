import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { encodeValue, type SttValue } from "../../codec/values.ts";
import { encodeVarint } from "../../codec/varint.ts";
import type { Peer } from "../peer.ts";
import { BlockStream } from "./block_stream.ts";
import { withFolder } from "./folder_for_test.ts";
import { type FileOutcome, receiveFiles } from "./receive_file.ts";
import { FILE_REFUSALS, type RefusalName } from "./refusals.ts";
import { withSession } from "./session_for_test.ts";
import { type Block, encodeOffer, encodeTrailer, TRAILER_BYTES } from "./wire.ts";

/** Writes `parts` on a new stream and gives the receiver's blocks. */
async function raw(
  sender: Peer,
  parts: readonly Uint8Array[],
  blocks: number,
): Promise<readonly Block[]> {
  const stream = await sender.openStream();
  for (const part of parts) stream.tryWrite(part);
  stream.end().catch(() => undefined);
  const reader = new BlockStream(stream, undefined);
  const answers: Block[] = [];
  while (answers.length < blocks) answers.push(await reader.block());
  return answers;
}

function framed(value: SttValue): Uint8Array {
  const bytes = encodeValue(value);
  return Uint8Array.from([...encodeVarint(bytes.length), ...bytes]);
}

function hash(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}

function file(name: string, size: number): Uint8Array {
  return encodeOffer({ name, size, mode: "file" });
}

async function expectRefusal(
  parts: readonly Uint8Array[],
  name: RefusalName,
  answers: number,
): Promise<void> {
  await withFolder(async (folder) => {
    const directory = join(folder, "in", "box");
    await mkdir(directory, { recursive: true });
    await withSession(async (sender, receiver) => {
      const outcomes = receiveFiles(receiver, { directory });
      const [said, outcome] = await Promise.all([raw(sender, parts, answers), outcomes.next()]);
      const last = said.at(-1);
      assert.equal(last?.get("error"), FILE_REFUSALS[name].wire);
      // Fixed words for each code: nothing of what went wrong here.
      assert.equal(last?.get("reason"), FILE_REFUSALS[name].text);
      assert((outcome.value as FileOutcome).ok === false);
      assert.deepEqual(await readdir(directory), []);
      assert.deepEqual(await readdir(folder), ["in"]);
      // The session goes on, and the next file arrives.
      const next = [file("next", 2), Uint8Array.of(1, 2), encodeTrailer(hash(Uint8Array.of(1, 2)))];
      const [fine, received] = await Promise.all([raw(sender, next, 2), outcomes.next()]);
      assert.equal(fine.at(-1)?.get("ok"), true);
      assert((received.value as FileOutcome).ok);
      assert.deepEqual(await readdir(directory), ["next"]);
    });
  });
}

test("names from the network never leave the folder", async () => {
  for (
    const name of ["../x", "/tmp/x", "..", "", "a/b", "a\\b", "C:\\x", "x\0", "NUL", "x ", "."]
  ) {
    await expectRefusal([file(name, 0), encodeTrailer(hash(new Uint8Array(0)))], "name", 1);
  }
});

test("a wrong hash is no file", async () => {
  const parts = [file("x", 3), Uint8Array.of(1, 2, 3), encodeTrailer(new Uint8Array(32))];
  await expectRefusal(parts, "hash", 2);
});

test("a stream that ends early, or goes on behind its last block, is no file", async () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const trailer = encodeTrailer(hash(bytes));
  await expectRefusal([file("x", 3), bytes.subarray(1)], "malformed", 2);
  await expectRefusal([file("x", 3), bytes], "malformed", 2);
  await expectRefusal([file("x", 3), bytes, trailer.subarray(1)], "malformed", 2);
  await expectRefusal([file("x", 3), bytes, trailer, bytes], "malformed", 2);
  const pipe = encodeOffer({ name: "x", size: null, mode: "pipe" });
  await expectRefusal([pipe], "malformed", 2);
  await expectRefusal([pipe, trailer.subarray(1)], "malformed", 2);
  await expectRefusal([pipe, trailer, bytes], "malformed", 2);
});

test("what is no offer is refused at its first block", async () => {
  await expectRefusal([framed({ stt: "request" })], "declined", 1);
  await expectRefusal([framed({ name: "x" })], "malformed", 1);
  await expectRefusal([framed([1])], "malformed", 1);
  await expectRefusal([Uint8Array.of(0xff, 0xff, 0xff, 0xff)], "malformed", 1);
  await expectRefusal([], "malformed", 1);
});

test("in a pipe, bytes that look like a trailer are bytes unless they are the last", async () => {
  const fake = encodeTrailer(new Uint8Array(32).fill(7));
  const content = Uint8Array.from([...fake, 1, ...fake]);
  assert.equal(fake.length, TRAILER_BYTES);
  await withSession(async (sender, receiver) => {
    const got: Uint8Array[] = [];
    const outcomes = receiveFiles(receiver, { write: (chunk) => void got.push(chunk.slice()) });
    const parts = [
      encodeOffer({ name: "x", size: null, mode: "pipe" }),
      content,
      encodeTrailer(hash(content)),
    ];
    const [said] = await Promise.all([raw(sender, parts, 2), outcomes.next()]);
    assert.equal(said.at(-1)?.get("ok"), true);
    assert.deepEqual(Uint8Array.from(got.flatMap((chunk) => [...chunk])), content);
  });
});
