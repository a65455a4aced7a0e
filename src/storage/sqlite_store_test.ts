import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { storageProviderCases } from "../testing/storage_cases.ts";
import { Chamber } from "./chamber.ts";
import { ContentStore } from "./content_store.ts";
import { STORAGE_VALUE_MAX_BYTES, type StorageProvider } from "./provider.ts";
import { SqliteStore } from "./sqlite_store.ts";

async function hasSqlite(): Promise<boolean> {
  const name: string = "node:sqlite";
  return await import(name).then(() => true, () => false);
}

const has = await hasSqlite();
/** Runtimes with node:sqlite have these tests, and others the one of the error that says so: nothing to skip on either. */
const withSqlite: (name: string, run: () => Promise<void>) => void = has
  ? (name, run) => void test(name, run)
  : () => undefined;
const root = mkdtempSync(join(tmpdir(), "stt-sqlite-"));
after(() => rmSync(root, { recursive: true }));

let count = 0;
const paths: WeakMap<StorageProvider, string> = new WeakMap();
const newPath = (): string => join(root, `${++count}.db`);

async function open(path: string): Promise<StorageProvider> {
  const store = await SqliteStore.open(path);
  paths.set(store, path);
  return store;
}

for (
  const { name, run } of storageProviderCases({
    open: () => open(newPath()),
    reopen: (store) => open(paths.get(store) as string),
  })
) {
  withSqlite(`sqlite: ${name}`, run);
}

withSqlite("a chamber and a content store in a database outlast closing", async () => {
  const path = newPath();
  const secret = new Uint8Array(32).fill(7);
  const first = await open(path);
  const chamber = await Chamber.open(first, { secret });
  const contents = await ContentStore.open(first, { secret });
  for (let i = 0; i < 8; i++) await chamber.put(`n${i % 4}`, i);
  const address = await contents.put(new Uint8Array(300_000));
  await contents.close();
  await first.close();
  const second = await open(path);
  assert.equal(await (await Chamber.open(second, { secret })).get("n3"), 7);
  const again = await ContentStore.open(second, { secret });
  assert.deepEqual(await again.verify(), { checked: 1, damaged: [] });
  assert.equal(await again.has(address), true);
  await second.close();
});

withSqlite("a database opens once at a time", async () => {
  const path = newPath();
  const store = await open(path);
  await assert.rejects(open(path), { code: "STORAGE_LOCKED" });
  await store.close();
  await (await open(path)).close();
});

withSqlite("a database is its owner's alone, and what is removed is not in the file", async () => {
  const path = newPath();
  const store = await open(path);
  // Windows has no such modes.
  if (process.platform !== "win32") assert.equal(statSync(path).mode & 0o777, 0o600);
  await store.put(new Uint8Array([1]), new TextEncoder().encode("ciphertext of old"));
  await store.put(new Uint8Array([1]), new Uint8Array(1));
  await store.close();
  assert.equal(readFileSync(path, "latin1").includes("ciphertext of old"), false);
  assert.deepEqual(readdirSync(root).filter((name) => name.includes("journal")), []);
});

withSqlite("other files and other databases are refused and left as they are", async () => {
  const text = newPath();
  writeFileSync(text, "not a database, but a text of some length".repeat(100));
  await assert.rejects(open(text), { code: "STORAGE_CORRUPT" });
  const other = newPath();
  const name: string = "node:sqlite";
  const { DatabaseSync } = await import(name);
  const database = new DatabaseSync(other);
  database.exec("CREATE TABLE mine (x)");
  database.close();
  await assert.rejects(open(other), { code: "STORAGE_CORRUPT" });
  await assert.rejects(open(join(root, "no", "folder")), { code: "FILE_IO" });
});

withSqlite("rows that others put into a database decide over no memory", async () => {
  const path = newPath();
  const store = await open(path);
  await store.put(new Uint8Array([1]), new Uint8Array([2]));
  await store.close();
  const name: string = "node:sqlite";
  const { DatabaseSync } = await import(name);
  const database = new DatabaseSync(path);
  database.exec("PRAGMA synchronous = OFF");
  database.exec(`INSERT INTO entries VALUES (x'05', zeroblob(${STORAGE_VALUE_MAX_BYTES + 1}), 0)`);
  // As a length, it would be more than a process has.
  database.exec("INSERT INTO entries VALUES (9007199254740991, x'00', 0), ('text', x'00', 0)");
  database.exec("INSERT INTO entries VALUES (x'06', 'text', 0), (x'07', x'00', 'never')");
  database.close();
  const again = await open(path);
  await assert.rejects(again.get(new Uint8Array([5])), { code: "STORAGE_CORRUPT" });
  assert.equal(await again.get(new Uint8Array([6])), undefined);
  const keys: number[][] = [];
  for await (const { key } of again.list()) keys.push([...key]);
  assert.deepEqual(keys.sort(), [[1], [5]]);
  await again.close();
});

if (!has) {
  test("without node:sqlite the error says what it takes", async () => {
    await assert.rejects(
      SqliteStore.open(newPath()),
      (error: { code?: string; message: string }) =>
        error.code === "UNSUPPORTED" && error.message.includes("Node 22.13"),
    );
  });
}
