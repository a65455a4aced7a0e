import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { Prng } from "../testing/prng.ts";
import { ContentStore, type ContentStoreOptions } from "./content_store.ts";
import { Crash, CrashFiles, nextProcess, SURVIVALS } from "./crash_files_for_test.ts";
import { FileStore } from "./file_store.ts";
import { MemoryStore } from "./memory_store.ts";
import type { StorageProvider } from "./provider.ts";

const OLD = new Uint8Array(32).fill(5);
const NEW = new Uint8Array(32).fill(6);
const PART = 262_144;
const FOLDER = "/content";

function open(
  provider: StorageProvider,
  secret: Uint8Array,
  options: Partial<ContentStoreOptions> = {},
): Promise<ContentStore> {
  return ContentStore.open(provider, { secret, ...options });
}

const content = (seed: number, length: number): Uint8Array => new Prng(seed).bytes(length);

async function read(store: ContentStore, address: string): Promise<Uint8Array> {
  const stream = await store.get(address);
  assert(stream !== undefined, address);
  return new Uint8Array(
    await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).arrayBuffer(),
  );
}

async function keys(provider: StorageProvider): Promise<string[]> {
  const found: string[] = [];
  for await (const { key } of provider.list()) found.push(toHex(key));
  return found.sort();
}

test("the new secret opens, the old one does not, and nothing old is left", async () => {
  const provider = new MemoryStore();
  const now = 1_700_000_000_000;
  const store = await open(provider, OLD, { maxBytes: 3 * PART, now: () => now });
  const contents = [content(1, 2 * PART + 1), content(2, 0), content(3, 10)];
  const old: string[] = [];
  for (const bytes of contents) old.push(await store.put(bytes));
  // The order of use is kept, too.
  await read(store, old[0] as string);
  const before = await keys(provider);
  const order = (await store.list()).map(({ address }) => old.indexOf(address));
  let told: ReadonlyMap<string, string> | undefined;
  const addresses = await store.rekey(NEW, { onAddresses: (all) => void (told = all) });
  assert.deepEqual([...addresses.keys()].sort(), [...old].sort());
  assert.deepEqual(told, addresses);
  const after = await keys(provider);
  assert.equal(after.length, before.length);
  for (const key of after) assert.equal(before.includes(key), key === "11", key);
  await store.close();
  await assert.rejects(open(provider, OLD), { code: "STORAGE_KEY" });
  const again = await open(provider, NEW);
  const renamed = old.map((address) => addresses.get(address) as string);
  for (const [index, bytes] of contents.entries()) {
    assert.equal(await again.has(old[index] as string), false);
    assert.deepEqual(await read(again, renamed[index] as string), bytes);
    assert.equal((await again.info(renamed[index] as string))?.created.getTime(), now);
    assert.equal(await again.put(bytes), renamed[index]);
  }
  assert.deepEqual(order, [1, 2, 0]);
  assert.deepEqual((await again.verify()).damaged, []);
});

test("after the rekeying the contents are in the order of their last use", async () => {
  const provider = new MemoryStore();
  const store = await open(provider, OLD);
  const [a, b] = [await store.put(content(1, 100)), await store.put(content(2, 100))];
  await read(store, a);
  const addresses = await store.rekey(NEW);
  assert.deepEqual((await store.list()).map(({ address }) => address), [
    addresses.get(b),
    addresses.get(a),
  ]);
});

test("a crash at any step leaves the contents of before under one of the secrets", async () => {
  const start = new CrashFiles();
  const openFiles = async (files: CrashFiles, secret: Uint8Array): Promise<ContentStore> =>
    await open(await FileStore.open(FOLDER, { files, world: nextProcess() }), secret);
  const first = await openFiles(start, OLD);
  const contents = [content(1, 300_000), content(2, 10)];
  const old: string[] = [];
  for (const bytes of contents) old.push(await first.put(bytes));
  await first.close();
  for (const survival of SURVIVALS) {
    const opened = { OLD: 0, NEW: 0 };
    for (let stop = 0, ended = false; !ended; stop++) {
      const files = start.survivor("process");
      files.stopAt = stop;
      let told: ReadonlyMap<string, string> = new Map();
      let acked = false;
      try {
        const store = await openFiles(files, OLD);
        await store.rekey(NEW, { onAddresses: (all) => void (told = all) });
        acked = true;
        await store.close();
        ended = files.steps < stop;
      } catch (error) {
        if (!(((error as Error).cause ?? error) instanceof Crash)) throw error;
      }
      const where = `${survival}, stopped at step ${stop}`;
      const left = files.survivor(survival);
      const renewed = await openFiles(left, NEW).catch((error) => {
        assert.equal((error as { code?: string }).code, "STORAGE_KEY", where);
        assert(!acked, where);
      });
      const store = renewed ?? await openFiles(left, OLD);
      opened[renewed === undefined ? "OLD" : "NEW"]++;
      assert.equal(store.size, 2, where);
      for (const [index, address] of old.entries()) {
        const now = renewed === undefined ? address : told.get(address);
        assert(now !== undefined, where);
        assert.deepEqual(await read(store, now), contents[index], where);
      }
      // Nothing is left of the other one: header, lock, two manifests and three parts.
      assert.equal(left.paths.length, 7, `${where}: ${left.paths}`);
    }
    assert(opened.OLD > 10 && opened.NEW > 5, JSON.stringify(opened));
  }
});

test("what fails before the last step leaves the store as it was", async () => {
  const provider = new MemoryStore();
  const store = await open(provider, OLD);
  const address = await store.put(content(1, 2 * PART));
  const damaged = await store.put(content(2, 100));
  const before = await keys(provider);
  const refused = new Error("no room for them");
  await assert.rejects(store.rekey(NEW, { onAddresses: () => Promise.reject(refused) }), refused);
  assert.deepEqual(await keys(provider), before);
  for await (const { key, size } of provider.list(new Uint8Array([0x14]))) {
    if (size < 1000) await provider.put(key, new Uint8Array(size));
  }
  await assert.rejects(store.rekey(NEW), { code: "STORAGE_CORRUPT" });
  assert.deepEqual(await keys(provider), before);
  assert.equal((await read(store, address)).length, 2 * PART);
  assert.deepEqual((await store.verify({ remove: true })).damaged, [damaged]);
  assert.equal((await store.rekey(NEW)).size, 1);
});

test("where the last step may have happened or not, the store must be opened again", async () => {
  for (const happened of [true, false]) {
    const inner = new MemoryStore();
    const first = await open(inner, OLD);
    const address = await first.put(content(1, 100));
    await first.close();
    let broken = false;
    const provider: StorageProvider = {
      get: (key) => inner.get(key),
      async put(key, value) {
        const fails = broken && key[0] === 0x11;
        if (!fails || happened) await inner.put(key, value);
        if (fails) throw new Error("the disk is gone");
      },
      delete: (key) => inner.delete(key),
      list: (prefix) => inner.list(prefix),
      close: () => Promise.resolve(),
    };
    const store = await open(provider, OLD);
    broken = true;
    let told: ReadonlyMap<string, string> = new Map();
    const onAddresses = (all: ReadonlyMap<string, string>): void => void (told = all);
    await assert.rejects(store.rekey(NEW, { onAddresses }), /the disk is gone/);
    await assert.rejects(store.get(address), { code: "CLOSED" });
    await assert.rejects(store.put(content(2, 1)), { code: "CLOSED" });
    await store.close();
    const again = await open(inner, happened ? NEW : OLD);
    const now = happened ? told.get(address) as string : address;
    assert.deepEqual(await read(again, now), content(1, 100));
    // Header, manifest and part.
    assert.equal((await keys(inner)).length, 3);
  }
});

test("what cannot be removed is removed by the next look", async () => {
  const inner = new MemoryStore();
  let stuck = false;
  const provider: StorageProvider = {
    get: (key) => inner.get(key),
    put: (key, value) => inner.put(key, value),
    delete: (key) => stuck ? Promise.reject(new Error("stuck")) : inner.delete(key),
    list: (prefix) => inner.list(prefix),
    close: () => Promise.resolve(),
  };
  const store = await open(provider, OLD);
  await store.put(content(1, 100));
  stuck = true;
  await store.rekey(NEW);
  await store.close();
  assert.equal((await keys(inner)).length, 5);
  stuck = false;
  await open(provider, NEW);
  assert.equal((await keys(inner)).length, 3);
});

test("what is put, read or verified meanwhile fails, and leaves nothing behind", async () => {
  const provider = new MemoryStore();
  const store = await open(provider, OLD);
  const address = await store.put(content(1, 3 * PART));
  const reader = (await store.get(address) as ReadableStream<Uint8Array>).getReader();
  await reader.read();
  let rekeyed: Promise<ReadonlyMap<string, string>> | undefined;
  async function* source(): AsyncGenerator<Uint8Array> {
    yield content(2, PART + 1);
    rekeyed = store.rekey(NEW);
    await rekeyed;
    yield content(3, PART);
  }
  await assert.rejects(store.put(source()), { code: "CLOSED" });
  await assert.rejects(reader.read(), { code: "CLOSED" });
  const moved = (await rekeyed)?.get(address) as string;
  assert.equal((await read(store, moved)).length, 3 * PART);
  // Header, manifest and three parts.
  assert.equal((await keys(provider)).length, 5);
  const verifying = store.verify();
  const again = store.rekey(OLD);
  await assert.rejects(verifying, { code: "CLOSED" });
  await again;
  assert.deepEqual(await store.verify(), { checked: 1, damaged: [] });
  await store.close();
  await assert.rejects(store.rekey(NEW), { code: "CLOSED" });
});
