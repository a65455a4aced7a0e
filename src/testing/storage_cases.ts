/**
 * The tests that every storage provider has to pass, for providers of your own.
 *
 * @module
 */
import assert from "node:assert/strict";
import { toHex } from "../codec/hex.ts";
import type { StorageProvider } from "../storage/provider.ts";

/** One test of a provider. */
export interface StorageProviderCase {
  /** What the provider is to do. */
  readonly name: string;
  /** Rejects when the provider does not do what it should. */
  run(): Promise<void>;
}

/** How the cases get providers. */
export interface StorageProviderSource {
  /** A provider without entries. */
  open(): Promise<StorageProvider>;
  /** Opens what `provider`, which is closed, has kept; left out for providers that keep nothing. */
  reopen?(provider: StorageProvider): Promise<StorageProvider>;
}

const KEY: Uint8Array = new Uint8Array([7]);

/**
 * Tests for a provider: every promise of `StorageProvider` that can be seen without pulling the plug.
 *
 * @example
 * ```ts
 * import { MemoryStore } from "@seigr/stt/storage";
 * import { storageProviderCases } from "@seigr/stt/testing";
 *
 * const cases = storageProviderCases({ open: () => Promise.resolve(new MemoryStore()) });
 * for (const { name, run } of cases) { // in a test file: test(name, run)
 *   await run();
 *   console.log(name);
 * }
 * ```
 */
export function storageProviderCases(source: StorageProviderSource): StorageProviderCase[] {
  const { reopen } = source;
  const cases = CASES.map(({ name, act }): StorageProviderCase => ({
    name,
    run: async () => {
      const provider = await source.open();
      try {
        await act(provider);
      } finally {
        await provider.close();
      }
    },
  }));
  if (reopen !== undefined) {
    cases.push({ name: "entries outlast closing", run: () => outlasts({ ...source, reopen }) });
  }
  return cases;
}

interface ProviderTest {
  readonly name: string;
  act(provider: StorageProvider): Promise<void>;
}

const CASES: readonly ProviderTest[] = [
  {
    name: "a value comes back as it was put, and undefined where there is none",
    async act(store) {
      assert.equal(await store.get(KEY), undefined);
      for (const length of [0, 1, 1000, 300_000]) {
        const value = Uint8Array.from({ length }, (_, i) => i * 7);
        await store.put(KEY, value);
        assert.deepEqual(plain(await store.get(KEY)), value);
      }
    },
  },
  {
    name: "a value is replaced, also by a shorter one",
    async act(store) {
      await store.put(KEY, new Uint8Array(100).fill(1));
      await store.put(KEY, new Uint8Array([2, 3]));
      assert.deepEqual(plain(await store.get(KEY)), new Uint8Array([2, 3]));
      assert.equal((await keysOf(store)).length, 1);
    },
  },
  {
    name: "delete says whether there was a value",
    async act(store) {
      await store.put(KEY, new Uint8Array([1]));
      assert.equal(await store.delete(KEY), true);
      assert.equal(await store.delete(KEY), false);
      assert.equal(await store.get(KEY), undefined);
      assert.deepEqual(await keysOf(store), []);
    },
  },
  {
    name: "keys are any bytes, and one that begins another is another",
    async act(store) {
      const utf8 = new TextEncoder();
      const keys = [
        ...["../../escape", "/etc/passwd", "a/b", "a\\b", "CON", ".", "..", "lock", "\0", "A", "a"]
          .map((text) => utf8.encode(text)),
        ...[new Uint8Array([0]), new Uint8Array([0, 0]), new Uint8Array([255]), KEY],
        ...[new Uint8Array(64).fill(255), new Uint8Array(63).fill(255)],
      ];
      const unique = new Map(keys.map((key) => [toHex(key), key]));
      for (const [hex, key] of unique) await store.put(key, utf8.encode(hex));
      assert.deepEqual(await keysOf(store), [...unique.keys()].sort());
      for (const [hex, key] of unique) {
        assert.equal(new TextDecoder().decode(await store.get(key)), hex);
      }
    },
  },
  {
    name: "list gives keys with a prefix, with sizes and dates",
    async act(store) {
      const before = Date.now();
      await store.put(new Uint8Array([1, 1]), new Uint8Array(5));
      await store.put(new Uint8Array([1, 2]), new Uint8Array(0));
      await store.put(new Uint8Array([2, 1]), new Uint8Array(9));
      assert.deepEqual(await keysOf(store, new Uint8Array([1])), ["0101", "0102"]);
      assert.deepEqual(await keysOf(store, new Uint8Array([1, 2])), ["0102"]);
      assert.deepEqual(await keysOf(store, new Uint8Array([3])), []);
      for await (const { key, size, modified } of store.list()) {
        assert.equal(size, toHex(key) === "0101" ? 5 : toHex(key) === "0102" ? 0 : 9);
        // Clocks of file systems are coarse.
        assert.ok(Math.abs(modified - before) < 60_000, `modified ${modified}`);
      }
    },
  },
  {
    name: "entries may be deleted while they are listed",
    async act(store) {
      for (let i = 0; i < 20; i++) await store.put(new Uint8Array([9, i]), new Uint8Array([i]));
      for await (const { key } of store.list(new Uint8Array([9]))) await store.delete(key);
      assert.deepEqual(await keysOf(store), []);
    },
  },
  {
    name: "arrays given are not kept, and arrays returned are the caller's",
    async act(store) {
      const [key, value] = [new Uint8Array([5]), new Uint8Array([1, 2])];
      await store.put(key, value);
      key.fill(0);
      value.fill(9);
      const first = await store.get(new Uint8Array([5]));
      assert.deepEqual(plain(first), new Uint8Array([1, 2]));
      first?.fill(9);
      assert.deepEqual(plain(await store.get(new Uint8Array([5]))), new Uint8Array([1, 2]));
    },
  },
  {
    name: "keys that are none are refused with CONFIG",
    async act(store) {
      for (const key of [new Uint8Array(0), new Uint8Array(65), "a" as unknown as Uint8Array]) {
        await assert.rejects(store.get(key), { code: "CONFIG" });
        await assert.rejects(store.put(key, new Uint8Array(1)), { code: "CONFIG" });
        await assert.rejects(store.delete(key), { code: "CONFIG" });
      }
    },
  },
  {
    name: "a closed provider refuses everything with CLOSED, but to be closed again",
    async act(store) {
      await store.put(KEY, new Uint8Array([1]));
      await store.close();
      await store.close();
      await assert.rejects(store.get(KEY), { code: "CLOSED" });
      await assert.rejects(store.put(KEY, new Uint8Array(1)), { code: "CLOSED" });
      await assert.rejects(store.delete(KEY), { code: "CLOSED" });
      await assert.rejects(keysOf(store), { code: "CLOSED" });
    },
  },
];

async function outlasts(source: Required<StorageProviderSource>): Promise<void> {
  const first = await source.open();
  await first.put(KEY, new Uint8Array([1, 2, 3]));
  await first.put(new Uint8Array([8]), new Uint8Array([4]));
  await first.delete(new Uint8Array([8]));
  await first.close();
  const second = await source.reopen(first);
  try {
    assert.deepEqual(plain(await second.get(KEY)), new Uint8Array([1, 2, 3]));
    assert.deepEqual(await keysOf(second), [toHex(KEY)]);
  } finally {
    await second.close();
  }
}

async function keysOf(store: StorageProvider, prefix?: Uint8Array): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(toHex(key));
  return keys.sort();
}

/** A Buffer is a Uint8Array that compares as another kind of thing. */
function plain(bytes: Uint8Array | undefined): Uint8Array | undefined {
  return bytes === undefined ? undefined : new Uint8Array(bytes);
}
