import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { toHex } from "../codec/hex.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Chamber, type ChamberOptions } from "./chamber.ts";
import { MemoryStore } from "./memory_store.ts";
import type { StorageProvider } from "./provider.ts";

const SECRET = new Uint8Array(32).fill(5);
const CHEAP = { N: 1024, r: 8, p: 1 };

function open(store: StorageProvider, options: Partial<ChamberOptions> = {}): Promise<Chamber> {
  return Chamber.open(store, { secret: SECRET, ...options });
}

/** All entries of a provider. */
async function dump(store: StorageProvider): Promise<Map<string, Uint8Array>> {
  const entries = new Map<string, Uint8Array>();
  for await (const { key } of store.list()) {
    entries.set(toHex(key), await store.get(key) as Uint8Array);
  }
  return entries;
}

async function restore(entries: ReadonlyMap<string, Uint8Array>): Promise<MemoryStore> {
  const store = new MemoryStore();
  for (const [hex, value] of entries) {
    await store.put(Uint8Array.from(hex.match(/../g) ?? [], (b) => parseInt(b, 16)), value);
  }
  return store;
}

const text = (bytes: Uint8Array): string => new TextDecoder("latin1").decode(bytes);

test("a value is taken when it is given, whatever comes first and becomes of it meanwhile", async () => {
  const chamber = await open(new MemoryStore());
  const before = chamber.put("before", 1);
  const secret = new Uint8Array([1, 2, 3]);
  const put = chamber.put("secret", secret);
  secret.fill(0);
  await Promise.all([before, put]);
  assert.deepEqual(await chamber.get("secret"), new Uint8Array([1, 2, 3]));
  await assert.rejects(chamber.batch([{ name: "", value: 1 }]), { code: "CONFIG" });
});

test("values of every type come back, also after reopening", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  const values = [null, true, 5, 2n ** 60n, 1.5, "text", new Uint8Array([1, 2]), [1, ["x"]]];
  for (const [i, value] of values.entries()) await chamber.put(`value ${i}`, value);
  await chamber.put("dict", { b: 1, a: { c: null } });
  await chamber.close();
  const again = await open(store);
  for (const [i, value] of values.entries()) {
    assert.deepEqual(await again.get(`value ${i}`), value);
  }
  assert.deepEqual(
    await again.get("dict"),
    new Map([["a", new Map([["c", null]])], ["b", 1]] as [string, unknown][]),
  );
  assert.equal(await again.get("none"), undefined);
  assert.equal(again.size, values.length + 1);
});

test("names are data: whatever they hold, each has its own value, and none is found on the disk", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  const names = [
    "../../etc/passwd",
    "/",
    "a/b",
    "CON",
    ".",
    "..",
    "\0",
    "é",
    "e\u0301",
    "\u{1f600}",
    " ",
    "x".repeat(1024),
    "__proto__",
  ];
  for (const name of names) await chamber.put(name, `value of ${name}`);
  for (const name of names) assert.equal(await chamber.get(name), `value of ${name}`);
  assert.deepEqual((await chamber.list()).map(({ name }) => name), [...names].sort());
  const disk = [...await dump(store)].map(([key, value]) => key + text(value)).join();
  for (const word of ["passwd", "value of", "__proto__"]) assert(!disk.includes(word));
});

test("names that are none and values that have no encoding or are too large are refused", async () => {
  const chamber = await open(new MemoryStore());
  for (const name of ["", "x".repeat(1025), "\ud800", 5 as unknown as string]) {
    await assert.rejects(chamber.put(name, 1), { code: "CONFIG" });
    await assert.rejects(chamber.get(name), { code: "CONFIG" });
  }
  await assert.rejects(chamber.put("x", (() => 1) as never), { code: "VALUE_TYPE" });
  await assert.rejects(chamber.put("x", new Uint8Array(16_777_216)), { code: "STORAGE_FULL" });
  assert.equal(chamber.generation, 0);
  await chamber.put("x", new Uint8Array(16_777_211));
});

test("list and info have sizes and dates; created stays when a value is replaced", async () => {
  let now = 1000;
  const chamber = await open(new MemoryStore(), { now: () => now });
  await chamber.put("b", "12345");
  now = 2000;
  await chamber.put("b", "1");
  await chamber.put("a", null);
  const expected = [
    { name: "a", size: 1, created: new Date(2000), modified: new Date(2000) },
    { name: "b", size: 6, created: new Date(1000), modified: new Date(2000) },
  ];
  assert.deepEqual(await chamber.list(), expected);
  assert.deepEqual(await chamber.info("b"), expected[1]);
  assert.equal(await chamber.info("c"), undefined);
  assert.deepEqual([await chamber.has("a"), await chamber.has("c")], [true, false]);
});

test("delete, clear and update", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  await chamber.put("a", 1);
  assert.equal(await chamber.delete("a"), true);
  assert.equal(await chamber.delete("a"), false);
  await Promise.all(
    Array.from({ length: 20 }, () =>
      chamber.update("n", async (n) => {
        await Promise.resolve();
        return (n as number | undefined ?? 0) + 1;
      })),
  );
  assert.equal(await chamber.get("n"), 20);
  await chamber.update("n", () => undefined);
  assert.equal(await chamber.has("n"), false);
  for (let i = 0; i < 100; i++) await chamber.put(`x${i}`, i);
  await chamber.clear();
  assert.equal((await open(store)).size, 0);
});

test("a superseded or deleted value leaves the provider at once", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  const empty = (await dump(store)).size;
  for (let i = 0; i < 300; i++) await chamber.put("key", i);
  assert.equal((await dump(store)).size, empty + 1);
  await chamber.delete("key");
  assert.equal((await dump(store)).size, empty);
});

test("a batch is one step, also with one name twice", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  await chamber.put("old", 1);
  await chamber.batch([
    { name: "a", value: 1 },
    { name: "old", value: undefined },
    { name: "a", value: 2 },
    { name: "never there", value: undefined },
  ]);
  const many = Array.from({ length: 200 }, (_, i) => ({ name: `n${i}`, value: i }));
  await chamber.batch(many);
  const again = await open(store);
  assert.equal(await again.get("a"), 2);
  assert.equal(again.size, 201);
  await again.verify();
  assert.equal((await again.compact()).removed, 0);
});

test("another seed, passphrase or node opens nothing, and says so", async () => {
  const nodeId = new Uint8Array(32).fill(1);
  const store = new MemoryStore();
  await open(store, { nodeId });
  await assert.rejects(open(store, { nodeId: new Uint8Array(32) }), { code: "STORAGE_KEY" });
  await assert.rejects(open(store), { code: "STORAGE_KEY" });
  await assert.rejects(open(store, { nodeId, secret: new Uint8Array(32) }), {
    code: "STORAGE_KEY",
  });
  const passphrase = { passphrase: "correct horse battery", scrypt: CHEAP };
  await assert.rejects(open(store, { nodeId, secret: passphrase }), { code: "STORAGE_KEY" });
  await open(store, { nodeId });
  await assert.rejects(open(store, { nodeId: new Uint8Array(31) }), { code: "CONFIG" });
  await assert.rejects(open(store, { secret: new Uint8Array(31) }), { code: "SEED" });
});

test("a passphrase opens with the stored cost, however it is typed", async () => {
  const store = new MemoryStore();
  const chamber = await open(store, {
    secret: { passphrase: "caf\u00e9 on the corner", scrypt: CHEAP },
  });
  await chamber.put("a", 1);
  const again = await open(store, { secret: { passphrase: "cafe\u0301 on the corner" } });
  assert.equal(await again.get("a"), 1);
  await assert.rejects(open(store, { secret: { passphrase: "cafe on the corner" } }), {
    code: "STORAGE_KEY",
  });
  await assert.rejects(open(store), { code: "STORAGE_KEY" });
  await assert.rejects(open(store, { secret: { passphrase: "short" } }), { code: "SEED" });
  const costly = { passphrase: "correct horse battery", scrypt: { N: 2 ** 20, r: 8, p: 1 } };
  await assert.rejects(open(new MemoryStore(), { secret: costly }), { code: "CONFIG" });
});

test("every flipped byte of every entry is found, and so is every cut", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  await chamber.put("a", "first");
  await chamber.put("b", "second");
  const entries = await dump(store);
  const refused = async (hex: string, bytes: Uint8Array): Promise<void> => {
    await assert.rejects(
      async () => {
        const changed = await open(await restore(new Map([...entries, [hex, bytes]])));
        await changed.verify();
      },
      (error: { code: string }) => /^(STORAGE_(KEY|CORRUPT)|UNSUPPORTED)$/.test(error.code),
      hex,
    );
  };
  for (const [hex, bytes] of entries) {
    for (let i = 0; i < bytes.length; i += hex === "01" ? 1 : 7) {
      const changed = bytes.slice();
      changed[i] = (changed[i] as number) ^ 0x10;
      await refused(hex, changed);
    }
    for (const length of [0, 1, 47, bytes.length - 1]) await refused(hex, bytes.slice(0, length));
    await refused(hex, new Uint8Array([...bytes, 0]));
  }
});

test("a record that is swapped, gone, or an old copy is found", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  await chamber.put("a", "one");
  const keys = async (): Promise<string[]> => [...(await dump(store)).keys()];
  const [before, bytes] = [new Set(await keys()), await dump(store)];
  await chamber.put("b", "two");
  const b = (await keys()).filter((key) => !before.has(key))[0] as string;
  await chamber.put("a", "new");
  const a = (await keys()).filter((key) => !before.has(key) && key !== b)[0] as string;
  const now = await dump(store);
  const oldA = [...bytes].filter(([key]) => !now.has(key));
  assert.equal(oldA.length, 1);
  const look = async (entries: Map<string, Uint8Array>, name: string): Promise<unknown> =>
    await (await open(await restore(entries))).get(name);
  assert.equal(await look(now, "a"), "new");
  const swapped = new Map([...now, [a, now.get(b) as Uint8Array], [b, now.get(a) as Uint8Array]]);
  await assert.rejects(look(swapped, "a"), { code: "STORAGE_CORRUPT" });
  await assert.rejects(look(swapped, "b"), { code: "STORAGE_CORRUPT" });
  const rolledBack = new Map([...now, [a, (oldA[0] as [string, Uint8Array])[1]]]);
  await assert.rejects(look(rolledBack, "a"), { code: "STORAGE_CORRUPT" });
  assert.equal(await look(rolledBack, "b"), "two");
  const without = new Map([...now].filter(([key]) => key !== a));
  await assert.rejects(look(without, "a"), { code: "STORAGE_CORRUPT" });
  // The old head by itself names a record that is not there any more.
  const head = [...now.keys()].filter((key) =>
    bytes.has(key) && toHex(bytes.get(key) as Uint8Array) !== toHex(now.get(key) as Uint8Array)
  );
  assert.equal(head.length, 1);
  const oldHead = new Map([...now, [
    head[0] as string,
    bytes.get(head[0] as string) as Uint8Array,
  ]]);
  await assert.rejects(look(oldHead, "a"), { code: "STORAGE_CORRUPT" });
});

test("an old copy of everything is a chamber of that time, which minGeneration refuses", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  await chamber.put("a", 1);
  const old = await dump(store);
  await chamber.put("a", 2);
  const { generation } = chamber;
  await open(store, { minGeneration: generation });
  await assert.rejects(open(await restore(old), { minGeneration: generation }), {
    code: "STORAGE_ROLLBACK",
    limit: generation,
  });
  assert.equal(await (await open(await restore(old))).get("a"), 1);
});

test("records of one chamber are nothing to another one of the same seed", async () => {
  const [one, two] = [new MemoryStore(), new MemoryStore()];
  await (await open(one)).put("a", 1);
  await (await open(two)).put("a", 2);
  const [from, to] = [await dump(one), await dump(two)];
  for (const key of from.keys()) assert.equal(to.has(key), key === "01");
  const mixed = new Map([...to, ["01", from.get("01") as Uint8Array]]);
  await assert.rejects(open(await restore(mixed)), { code: "STORAGE_CORRUPT" });
});

test("rekey: the new secret opens, the old one does not, and nothing old is left", async () => {
  const store = new MemoryStore();
  const chamber = await open(store);
  for (let i = 0; i < 70; i++) await chamber.put(`n${i % 35}`, i);
  const info = await chamber.list();
  const before = await dump(store);
  const secret = { passphrase: "correct horse battery", scrypt: CHEAP };
  await chamber.rekey(secret);
  const after = await dump(store);
  assert.equal(after.size, before.size);
  for (const key of after.keys()) assert.equal(before.has(key), key === "01");
  await chamber.put("more", 1);
  await assert.rejects(open(store), { code: "STORAGE_KEY" });
  const again = await open(store, { secret });
  assert.equal(await again.get("n34"), 69);
  assert.deepEqual((await again.list()).filter(({ name }) => name !== "more"), info);
  assert.equal(again.generation, 71);
  await again.rekey(SECRET);
  await (await open(store)).verify();
});

test("with create false an empty provider is an error", async () => {
  await assert.rejects(open(new MemoryStore(), { create: false }), { code: "STORAGE_CORRUPT" });
});

test("a closed chamber refuses everything, and nothing secret shows when it is printed", async () => {
  const chamber = await open(new MemoryStore());
  await chamber.put("name of it", "value of it");
  const shown = inspect(chamber, { depth: 9, showHidden: true });
  for (const word of ["value of it", "05050505", "5, 5, 5"]) assert(!shown.includes(word));
  await chamber.close();
  await chamber.close();
  for (
    const act of [
      () => chamber.get("a"),
      () => chamber.put("a", 1),
      () => chamber.list(),
      () => chamber.rekey(SECRET),
    ]
  ) {
    await assert.rejects(act(), { code: "CLOSED" });
  }
});

test("a write that fails leaves the old value; one that may have happened stops further writes", async () => {
  const inner = new MemoryStore();
  let failing: "no" | "before" | "after" | "blind" = "no";
  const store: StorageProvider = {
    get: (key) => failing === "blind" ? Promise.reject(new Error("no reads")) : inner.get(key),
    async put(key, value) {
      if (failing === "before") throw new Error("full");
      await inner.put(key, value);
      if (failing === "after") throw new Error("maybe");
    },
    delete: (key) => inner.delete(key),
    list: (prefix) => inner.list(prefix),
    close: () => inner.close(),
  };
  const chamber = await open(store);
  await chamber.put("a", 1);
  failing = "before";
  await assert.rejects(chamber.put("a", 2), /full/);
  failing = "no";
  assert.equal(await chamber.get("a"), 1);
  await chamber.put("a", 3);
  failing = "after";
  await assert.rejects(chamber.put("a", 4), /maybe/);
  failing = "no";
  // The record failed, so the head was not touched.
  await chamber.put("a", 5);
  assert.equal(await (await open(inner)).get("a"), 5);
});

test("a head that may have been written stops further writes until the chamber is opened again", async () => {
  const inner = new MemoryStore();
  let puts = -1;
  const store: StorageProvider = {
    get: (key) => inner.get(key),
    async put(key, value) {
      await inner.put(key, value);
      if (puts >= 0 && puts-- === 0) throw new Error("maybe");
    },
    delete: (key) => inner.delete(key),
    list: (prefix) => inner.list(prefix),
    close: () => inner.close(),
  };
  const chamber = await open(store);
  await chamber.put("a", 1);
  puts = 1;
  await assert.rejects(chamber.put("a", 2), /maybe/);
  await assert.rejects(chamber.put("b", 1), { code: "CLOSED" });
  assert.equal(await (await open(inner)).get("a"), 2);
});

test("provider of noble and of node open each other's chambers", async () => {
  const { nobleProvider } = await import("../crypto/noble_provider.ts");
  const store = new MemoryStore();
  await (await open(store, { crypto: nobleProvider() })).put("a", "x");
  assert.equal(await (await open(store, { crypto: nodeProvider() })).get("a"), "x");
});
