/**
 * A provider over one SQLite database, by the runtime's own `node:sqlite`.
 *
 * @module
 */
import { open as openFile } from "node:fs/promises";
import { SttError } from "../errors.ts";
import {
  checkStorageKey,
  checkStorageValue,
  closedStore,
  hasPrefix,
  STORAGE_VALUE_MAX_BYTES,
  type StorageProvider,
  type StoredEntry,
} from "./provider.ts";

/** What of `node:sqlite` is used; not every runtime's types have it. */
interface Statement {
  get(...values: unknown[]): Record<string, unknown> | undefined;
  all(...values: unknown[]): Record<string, unknown>[];
  run(...values: unknown[]): { readonly changes: number | bigint };
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string) => Database;
}

/** "STTS": tells a database of this store from others. */
const APPLICATION_ID = 0x53545453;
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOT_A_DATABASE = 26;

/**
 * Values in a table of one database file, which one process at a time has open. Every change is a transaction that is
 * on the disk when it resolves, and what is removed is overwritten with zeros. The calls of `node:sqlite` block: for
 * many large values the {@link FileStore} is the better one.
 *
 * Needs Deno, or Node 22.13 or later.
 */
export class SqliteStore implements StorageProvider {
  readonly #path: string;
  readonly #database: Database;
  readonly #get: Statement;
  readonly #put: Statement;
  readonly #delete: Statement;
  readonly #list: Statement;
  #closed = false;

  private constructor(path: string, database: Database) {
    this.#path = path;
    this.#database = database;
    this.#get = database.prepare(
      `SELECT size, iif(size > ${STORAGE_VALUE_MAX_BYTES}, NULL, value) AS value ` +
        "FROM (SELECT value, length(value) AS size FROM entries WHERE key = ?)",
    );
    this.#put = database.prepare("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)");
    this.#delete = database.prepare("DELETE FROM entries WHERE key = ?");
    // Others may have put anything there: a number for a key would be a length where bytes are expected.
    this.#list = database.prepare(
      "SELECT key, length(value) AS size, modified FROM entries " +
        "WHERE typeof(key) = 'blob' AND typeof(value) = 'blob' AND typeof(modified) = 'integer'",
    );
  }

  /**
   * Opens a database file, or makes one of mode 0600 in a folder that exists.
   *
   * @throws {SttError} UNSUPPORTED where there is no `node:sqlite`; STORAGE_LOCKED when it is open already;
   * STORAGE_CORRUPT when the file is something else; FILE_IO.
   */
  static async open(path: string): Promise<SqliteStore> {
    const { DatabaseSync } = await loadSqlite();
    let database: Database | undefined;
    try {
      // SQLite itself would make it readable for all; its journal takes the mode over.
      await (await openFile(path, "a", 0o600)).close();
      database = new DatabaseSync(path);
      prepareDatabase(path, database);
      return new SqliteStore(path, database);
    } catch (cause) {
      database?.close();
      throw sqliteError("open", path, cause);
    }
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#with("read", key, () => {
      const row = this.#get.get(key);
      if (Number(row?.size) > STORAGE_VALUE_MAX_BYTES) {
        throw new SttError(
          "STORAGE_CORRUPT",
          `cannot read ${JSON.stringify(this.#path)}: a value of ${row?.size} bytes`,
          { limit: STORAGE_VALUE_MAX_BYTES },
        );
      }
      const value = row?.value;
      return value instanceof Uint8Array ? new Uint8Array(value) : undefined;
    });
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#with("write", key, () => {
      checkStorageValue(value);
      this.#put.run(key, value, Date.now());
    });
  }

  delete(key: Uint8Array): Promise<boolean> {
    return this.#with("write", key, () => Number(this.#delete.run(key).changes) > 0);
  }

  async *list(prefix?: Uint8Array): AsyncGenerator<StoredEntry, void, void> {
    if (this.#closed) throw closedStore();
    for (const row of this.#rows()) {
      const { size, modified } = row as { readonly size: number; readonly modified: number };
      const key = new Uint8Array(row.key as Uint8Array);
      if (hasPrefix(key, prefix)) yield { key, size, modified };
    }
  }

  /** Lets other processes open the database. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      if (!this.#closed) this.#database.close();
      this.#closed = true;
      resolve();
    });
  }

  #rows(): Record<string, unknown>[] {
    try {
      return this.#list.all();
    } catch (cause) {
      throw sqliteError("list", this.#path, cause);
    }
  }

  /** What throws rejects. */
  #with<T>(verb: string, key: Uint8Array, act: () => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) throw closedStore();
      checkStorageKey(key);
      try {
        resolve(act());
      } catch (cause) {
        throw sqliteError(verb, this.#path, cause);
      }
    });
  }
}

async function loadSqlite(): Promise<SqliteModule> {
  // By a name that no bundler or type checker resolves: Node 20 has no such module.
  const name: string = "node:sqlite";
  try {
    return await import(name) as SqliteModule;
  } catch (cause) {
    throw new SttError(
      "UNSUPPORTED",
      "cannot open SQLite store: this runtime has no node:sqlite (it takes Deno, or Node 22.13 or later)",
      { cause },
    );
  }
}

/** Takes the lock, says how careful to be, and makes the table. */
function prepareDatabase(path: string, database: Database): void {
  for (
    const pragma of [
      "locking_mode = EXCLUSIVE",
      "journal_mode = DELETE",
      // FULL, and the folder is synced as well.
      "synchronous = EXTRA",
      "secure_delete = ON",
    ]
  ) {
    database.exec(`PRAGMA ${pragma}`);
  }
  // In this mode the lock of the first transaction that writes stays.
  database.exec("BEGIN EXCLUSIVE");
  const id = database.prepare("PRAGMA application_id").get()?.application_id;
  const tables = database.prepare("SELECT count(*) AS tables FROM sqlite_master").get()?.tables;
  if (id !== APPLICATION_ID && tables !== 0) {
    throw new SttError(
      "STORAGE_CORRUPT",
      `cannot open ${JSON.stringify(path)}: it is a database of something else`,
    );
  }
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(
    "CREATE TABLE IF NOT EXISTS entries " +
      "(key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL, modified INTEGER NOT NULL)",
  );
  database.exec("COMMIT");
}

function sqliteError(verb: string, path: string, cause: unknown): SttError {
  if (cause instanceof SttError) return cause;
  const { errcode, message } = cause as { readonly errcode?: unknown; readonly message?: unknown };
  const text = `cannot ${verb} ${JSON.stringify(path)}: ${String(message)}`;
  if (errcode === SQLITE_BUSY || /database is locked/.test(text)) {
    return new SttError("STORAGE_LOCKED", text, { cause });
  }
  const corrupt = errcode === SQLITE_CORRUPT || errcode === SQLITE_NOT_A_DATABASE ||
    /not a database|malformed/.test(text);
  return new SttError(corrupt ? "STORAGE_CORRUPT" : "FILE_IO", text, { cause });
}
