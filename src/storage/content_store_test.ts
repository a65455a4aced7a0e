import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { Prng } from "../testing/prng.ts";
import { Chamber } from "./chamber.ts";
import { ContentStore, type ContentStoreOptions } from "./content_store.ts";
import { Crash, CrashFiles, nextProcess, SURVIVALS } from "./crash_files_for_test.ts";
import { FileStore } from "./file_store.ts";
import { MemoryStore } from "./memory_store.ts";
import type { StorageProvider } from "./provider.ts";

const SECRET = new Uint8Array(32).fill(5);
const PART = 262_144;

function open(
  provider: StorageProvider,
  options: Partial<ContentStoreOptions> = {},
): Promise<ContentStore> {
  return ContentStore.open(provider, { secret: SECRET, ...options });
}

const content = (seed: number, length: number): Uint8Array => new Prng(seed).bytes(length);

async function read(store: ContentStore, address: string): Promise<Uint8Array | undefined> {
  const stream = await store.get(address);
  return stream === undefined ? undefined : new Uint8Array(
    await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
  );
}

async function keys(provider: StorageProvider): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of provider.list()) found.push(toHex(key));
  return found;
}

async function* pieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) {
    await Promise.resolve();
    yield bytes.slice(at, at + length);
  }
}

test("contents come back, at every length around the size of a part and in any pieces", async () => {
  const provider = new MemoryStore();
  const store = await open(provider);
  for (const length of [0, 1, PART - 1, PART, PART + 1, 3 * PART]) {
    const bytes = content(length, length);
    const address = await store.put(bytes);
    assert.match(address, /^[0-9a-f]{64}$/);
    assert.deepEqual(await read(store, address), bytes);
    assert.equal(await store.put(pieces(bytes, 100_001)), address);
    assert.equal((await store.info(address))?.size, length);
  }
  assert.equal(store.size, 6);
  assert.equal(await read(store, "00".repeat(32)), undefined);
  await assert.rejects(store.get("00"), { code: "CONFIG" });
  await assert.rejects(store.get("../../etc/passwd"), { code: "HEX" });
});

test("a content that is there already takes no more room", async () => {
  const provider = new MemoryStore();
  const store = await open(provider);
  const address = await store.put(content(1, 600_000));
  const before = await keys(provider);
  const [a, b] = await Promise.all([
    store.put(content(1, 600_000)),
    store.put(content(1, 600_000)),
  ]);
  assert.deepEqual([a, b], [address, address]);
  assert.deepEqual(await keys(provider), before);
  assert.equal(store.bytes, 600_000);
});

test("two stores give one content two addresses, neither of which shows on the disk", async () => {
  const [one, two] = [new MemoryStore(), new MemoryStore()];
  const bytes = content(1, 100);
  const a = await (await open(one)).put(bytes);
  const b = await (await open(two)).put(bytes);
  assert.notEqual(a, b);
  for (const key of await keys(one)) assert(!key.includes(a.slice(0, 16)));
});

test("what was not used for longest goes when more comes than there is room for", async () => {
  const provider = new MemoryStore();
  const store = await open(provider, { maxBytes: 1000 });
  const [a, b, c] = [await store.put(content(1, 400)), await store.put(content(2, 400)), ""];
  await read(store, a);
  const added = await store.put(content(3, 300));
  assert.deepEqual([await store.has(a), await store.has(b), await store.has(added)], [
    true,
    false,
    true,
  ]);
  assert.equal(store.bytes, 700);
  await assert.rejects(store.put(content(4, 1001)), { code: "STORAGE_FULL", limit: 1000 });
  assert.equal(store.bytes, 700);
  // In the order of use, also after it was closed.
  await read(store, a);
  await store.close();
  const again = await open(provider, { maxBytes: 1000 });
  assert.deepEqual((await again.list()).map(({ address }) => address), [added, a]);
  await again.put(content(5, 500));
  assert.deepEqual([await again.has(a), await again.has(added), c], [true, false, ""]);
  await again.close();
  assert.equal((await open(provider, { maxBytes: 500 })).bytes, 500);
});

test("what is being read is neither evicted nor cut off by a removal", async () => {
  const provider = new MemoryStore();
  const store = await open(provider, { maxBytes: 3 * PART });
  const address = await store.put(content(1, 3 * PART));
  const reader = (await store.get(address) as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  await assert.rejects(store.put(content(2, 10)), { code: "STORAGE_FULL" });
  assert.equal(await store.remove(address), true);
  assert.equal(await store.has(address), false);
  let length = PART;
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    length += next.value.length;
  }
  assert.equal(length, 3 * PART);
  assert.equal((await keys(provider)).length, 1);
  const other = await store.put(content(2, 3 * PART));
  await (await store.get(other))?.cancel();
  await store.put(content(3, 10));
  assert.equal(await store.has(other), false);
});

test("a source that fails, and a store that is closed meanwhile, leave nothing behind", async () => {
  const provider = new MemoryStore();
  const store = await open(provider);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield content(1, 2 * PART);
    await Promise.resolve();
    throw new Error("the source failed");
  }
  await assert.rejects(store.put(failing()), /the source failed/);
  assert.equal((await keys(provider)).length, 1);
  async function* closing(): AsyncGenerator<Uint8Array> {
    yield content(1, 2 * PART);
    await store.close();
  }
  await assert.rejects(store.put(closing()), { code: "CLOSED" });
  assert.deepEqual((await keys(provider)).sort(), ["11", "12"]);
  await assert.rejects(store.get("00".repeat(32)), { code: "CLOSED" });
});

test("damage, swapped parts and missing parts are found by get and by verify", async () => {
  const provider = new MemoryStore();
  const store = await open(provider);
  const [a, b] = [await store.put(content(1, 2 * PART)), await store.put(content(2, 100))];
  const parts = (await keys(provider)).filter((key) => key.startsWith("14"));
  const key = (hex: string): Uint8Array =>
    Uint8Array.from(hex.match(/../g) ?? [], (x) => parseInt(x, 16));
  const [first, second] = parts.filter((hex) =>
    parts.filter((p) => p.slice(0, 34) === hex.slice(0, 34)).length === 2
  ).sort().map(key) as [Uint8Array, Uint8Array];
  const [one, two] = [await provider.get(first), await provider.get(second)] as [
    Uint8Array,
    Uint8Array,
  ];
  const damaged = async (): Promise<void> => {
    await assert.rejects(read(store, a), { code: "STORAGE_CORRUPT" });
    assert.deepEqual(await store.verify(), { checked: 2, damaged: [a] });
  };
  assert.deepEqual(await store.verify(), { checked: 2, damaged: [] });
  await provider.put(second, one);
  await damaged();
  await provider.put(first, two);
  await damaged();
  await provider.put(first, one);
  await provider.put(second, two.map((byte, i) => i === 500 ? byte ^ 1 : byte));
  await damaged();
  await provider.delete(second);
  await damaged();
  assert.deepEqual(await store.verify({ remove: true }), { checked: 2, damaged: [a] });
  assert.equal(await store.put(content(1, 2 * PART)), a);
  assert.deepEqual(await store.verify(), { checked: 2, damaged: [] });
  assert.equal((await read(store, b))?.length, 100);
});

test("a chamber and a content store share a provider and leave each other alone", async () => {
  const provider = new MemoryStore();
  const chamber = await Chamber.open(provider, { secret: SECRET });
  const store = await open(provider);
  await chamber.put("a", 1);
  const address = await store.put(content(1, 10));
  await chamber.compact();
  await store.close();
  await provider.delete(new Uint8Array([0x12]));
  assert.equal((await read(await open(provider), address))?.length, 10);
  assert.equal(await (await Chamber.open(provider, { secret: SECRET })).get("a"), 1);
  await assert.rejects(open(provider, { secret: new Uint8Array(32) }), { code: "STORAGE_KEY" });
});

const FOLDER = "/content";
const openFiles = async (files: CrashFiles, options: Partial<ContentStoreOptions> = {}) =>
  await open(await FileStore.open(FOLDER, { files, world: nextProcess() }), options);

test("a crash at any step loses nothing acknowledged, and leaves nothing of what was under way", async () => {
  const start = new CrashFiles();
  const first = await openFiles(start);
  const [a, b] = [content(1, 300_000), content(2, 10)];
  const [addressA, addressB] = [await first.put(a), await first.put(b)];
  await first.close();
  for (const survival of SURVIVALS) {
    for (let stop = 0, ended = false; !ended; stop++) {
      const files = start.survivor("process");
      files.stopAt = stop;
      // What is certain, as far as it was said.
      const certain = new Map<string, boolean>([[addressA, true], [addressB, true]]);
      try {
        const store = await openFiles(files, { maxBytes: 600_010 });
        const added = await store.put(content(3, 300_000));
        certain.set(added, true);
        certain.delete(addressA);
        await store.remove(addressA);
        certain.set(addressA, false);
        certain.delete(addressB);
        certain.set(await store.put(content(4, 300_005)), true);
        await store.close();
        ended = files.steps < stop;
      } catch (error) {
        if (!(((error as Error).cause ?? error) instanceof Crash)) throw error;
        // Being made or removed when it happened.
        if (certain.size === 3 && certain.get(addressA) === true) certain.delete(addressA);
      }
      const left = files.survivor(survival);
      const store = await openFiles(left);
      const where = `${survival}, stopped at step ${stop}`;
      for (const [address, there] of certain) assert.equal(await store.has(address), there, where);
      assert.deepEqual((await store.verify()).damaged, [], where);
      const parts = (await store.list()).reduce(
        (n, { size }) => n + Math.max(1, Math.ceil(size / PART)),
        0,
      );
      assert.equal(left.paths.length, 2 + store.size + parts, `${where}: ${left.paths}`);
    }
  }
});
