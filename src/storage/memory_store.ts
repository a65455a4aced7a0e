/**
 * A provider that forgets: for tests, and for state that must not outlive the process.
 *
 * @module
 */
import { fromHex, toHex } from "../codec/hex.ts";
import {
  checkStorageKey,
  checkStorageValue,
  closedStore,
  hasPrefix,
  type StorageProvider,
  type StoredEntry,
} from "./provider.ts";

interface Entry {
  readonly value: Uint8Array;
  readonly modified: number;
}

/**
 * Values in memory.
 *
 * @example
 * ```ts
 * import { MemoryStore } from "@seigr/stt/storage";
 * const store = new MemoryStore();
 * await store.put(new Uint8Array([1]), new Uint8Array([2, 3]));
 * console.log((await store.get(new Uint8Array([1])))?.length); // 2
 * ```
 */
export class MemoryStore implements StorageProvider {
  readonly #entries: Map<string, Entry> = new Map();
  readonly #now: () => number;
  #closed = false;

  /**
   * A store without entries.
   *
   * @param options `now` is the clock of `modified`: Unix milliseconds, by default the system's.
   */
  constructor(options: { readonly now?: () => number } = {}) {
    this.#now = options.now ?? Date.now;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#with(key, (hex) => this.#entries.get(hex)?.value.slice());
  }

  put(key: Uint8Array, value: Uint8Array): Promise<void> {
    return this.#with(key, (hex) => {
      checkStorageValue(value);
      this.#entries.set(hex, { value: new Uint8Array(value), modified: this.#now() });
    });
  }

  delete(key: Uint8Array): Promise<boolean> {
    return this.#with(key, (hex) => this.#entries.delete(hex));
  }

  async *list(prefix?: Uint8Array): AsyncGenerator<StoredEntry, void, void> {
    if (this.#closed) throw closedStore();
    for (const [hex, { value, modified }] of [...this.#entries]) {
      const key = fromHex(hex);
      if (hasPrefix(key, prefix)) yield { key, size: value.length, modified };
    }
  }

  /** Forgets everything. */
  close(): Promise<void> {
    this.#closed = true;
    this.#entries.clear();
    return Promise.resolve();
  }

  /** What throws rejects. */
  #with<T>(key: Uint8Array, act: (hex: string) => T): Promise<T> {
    return new Promise((resolve) => {
      if (this.#closed) throw closedStore();
      checkStorageKey(key);
      resolve(act(toHex(key)));
    });
  }
}
