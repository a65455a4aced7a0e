import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../codec/values.ts";
import { decodeExported, encodeExported, type ExportedRecord } from "./chamber_export.ts";
import { Chamber, type ChamberOptions } from "./chamber.ts";
import { MemoryStore } from "./memory_store.ts";
import { openStream, sealStream } from "./seal_stream.ts";

const SECRET = new Uint8Array(32).fill(5);
const OTHER = new Uint8Array(32).fill(6);

function open(store: MemoryStore, options: Partial<ChamberOptions> = {}): Promise<Chamber> {
  return Chamber.open(store, { secret: SECRET, ...options });
}

async function exported(chamber: Chamber): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const count = await chamber.export(
    new WritableStream<Uint8Array>({ write: (chunk) => void pieces.push(chunk) }),
    OTHER,
  );
  assert.equal(count, chamber.size);
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

function streamOf(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

test("an export taken over by another chamber has all values and dates", async () => {
  let now = 1000;
  const chamber = await open(new MemoryStore(), { now: () => now });
  await chamber.put("a", "first");
  now = 2000;
  await chamber.put("a", "second");
  await chamber.put("big", new Uint8Array(200_000).fill(7));
  for (let i = 0; i < 100; i++) await chamber.put(`n${i}`, i);
  const bytes = await exported(chamber);
  assert(!new TextDecoder("latin1").decode(bytes).includes("second"));
  const store = new MemoryStore();
  const other = await open(store, { secret: OTHER });
  await other.put("a", "mine");
  assert.equal(await other.import(streamOf(bytes), OTHER), 101);
  assert.equal(await other.get("a"), "mine");
  assert.equal(await other.import(streamOf(bytes), OTHER, { replace: true }), 102);
  const again = await open(store, { secret: OTHER });
  assert.deepEqual(await again.list(), await chamber.list());
  assert.equal(await again.get("a"), "second");
  assert.deepEqual(await again.get("big"), new Uint8Array(200_000).fill(7));
  await again.verify();
});

test("an empty chamber has an export, too", async () => {
  const bytes = await exported(await open(new MemoryStore()));
  const other = await open(new MemoryStore());
  assert.equal(await other.import(streamOf(bytes), OTHER), 0);
  assert.equal(other.generation, 0);
});

test("an export that is cut, damaged or of another secret changes nothing", async () => {
  const chamber = await open(new MemoryStore());
  for (let i = 0; i < 5; i++) await chamber.put(`n${i}`, new Uint8Array(30_000));
  const bytes = await exported(chamber);
  const store = new MemoryStore();
  const other = await open(store);
  const damaged = bytes.slice();
  damaged[damaged.length - 1] = (damaged[damaged.length - 1] as number) ^ 1;
  for (const wrong of [bytes.slice(0, bytes.length - 1), bytes.slice(0, 75 + 65_552), damaged]) {
    await assert.rejects(other.import(streamOf(wrong), OTHER), /cannot open (chunk|sealed)/);
  }
  await assert.rejects(other.import(streamOf(bytes), SECRET), { code: "SEALED_KEY" });
  assert.equal(other.size, 0);
  assert.equal((await other.compact()).removed, 0);
});

test("a sealed stream of something else is no export", async () => {
  const context = new TextEncoder().encode("stt1 chamber export");
  const other = await open(new MemoryStore());
  for (
    const content of [[0x80, 0x00], [1], [1, 0], [0xff, 0xff, 0xff, 0xff, 0x0f], [
      5,
      0x41,
      0,
      0,
      0,
      0,
    ]]
  ) {
    const sealed = streamOf(new Uint8Array(content)).pipeThrough(
      sealStream({ secret: OTHER, context }),
    );
    await assert.rejects(other.import(sealed, OTHER), { code: "STORAGE_CORRUPT" }, String(content));
  }
  const bytes = await exported(other);
  await assert.rejects(
    async () => {
      for await (const _ of streamOf(bytes).pipeThrough(openStream({ secret: OTHER })));
    },
    { code: "SEALED_KEY" },
  );
});

test("a target that fails fails the export, and the chamber goes on", async () => {
  const chamber = await open(new MemoryStore());
  await chamber.put("a", new Uint8Array(100_000));
  const broken = new WritableStream<Uint8Array>({
    write: () => Promise.reject(new Error("the disk is full")),
  });
  await assert.rejects(chamber.export(broken, OTHER), /the disk is full/);
  await chamber.put("b", 1);
});

/** An export's bytes in pieces of this size. */
async function* inPieces(records: readonly ExportedRecord[], size: number) {
  const bytes = new Uint8Array(
    await new Blob(records.flatMap(encodeExported) as BlobPart[]).arrayBuffer(),
  );
  for (let at = 0; at < bytes.length; at += size) {
    await Promise.resolve();
    yield bytes.subarray(at, at + size);
  }
}

test("records come whole out of pieces of any size, and stay what they were", async () => {
  const record = (name: string, bytes: number): ExportedRecord => ({
    name,
    created: 1,
    modified: 2,
    value: encodeValue(new Uint8Array(bytes).map((_, index) => index + name.length)),
  });
  const records = [record("a", 300), record("bb", 0), record("ccc", 20_000), record("dddd", 5)];
  for (const size of [1, 7, 1000, 19_999, 1_000_000]) {
    const found: ExportedRecord[] = [];
    for await (const each of decodeExported(inPieces(records, size))) found.push(each);
    assert.deepEqual(found, records, `pieces of ${size}`);
  }
});

test(
  "a large record in small pieces is not copied once for each",
  { timeout: 30_000 },
  async () => {
    const large = {
      name: "x",
      created: 1,
      modified: 2,
      value: encodeValue(new Uint8Array(8_388_608)),
    };
    let found = 0;
    for await (const { value } of decodeExported(inPieces([large], 64))) found += value.length;
    assert.equal(found, large.value.length);
  },
);
