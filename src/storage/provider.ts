/**
 * What stores stand on: keys and values of bytes, kept by whatever the application has.
 *
 * @module
 */
import { SttError } from "../errors.ts";

/** Longest key of a provider, in bytes. */
export const STORAGE_KEY_MAX_BYTES = 64;

/** Longest value that a provider must take, in bytes: what a store asks for at most. */
export const STORAGE_VALUE_MAX_BYTES = 67_108_864;

/** An entry of {@link StorageProvider.list}. */
export interface StoredEntry {
  /** 1 to 64 bytes. */
  readonly key: Uint8Array;
  /** Bytes of the value. */
  readonly size: number;
  /** Unix time in milliseconds of the last `put`, as the provider's clock had it. */
  readonly modified: number;
}

/**
 * Keeps values under keys. Keys are 1 to 64 bytes that mean nothing to the provider; values are ciphertext, of up to
 * 64 MiB. `storageProviderCases` of `@seigr/stt/testing` has the tests that an implementation must pass.
 *
 * A store calls one method at a time and expects:
 *
 * - `put` is atomic: whatever stops the process, `get` gives the old value or the new one, never a part or a mixture;
 * - when `put` or `delete` resolves, the change outlasts a power cut;
 * - one process at a time has the entries open;
 * - arrays given are not kept, arrays returned belong to the caller.
 */
export interface StorageProvider {
  /** The value, or undefined when there is none. */
  get(key: Uint8Array): Promise<Uint8Array | undefined>;
  /** Writes or replaces the value. */
  put(key: Uint8Array, value: Uint8Array): Promise<void>;
  /** True when there was a value. */
  delete(key: Uint8Array): Promise<boolean>;
  /** Entries whose keys begin with `prefix`, in no particular order. */
  list(prefix?: Uint8Array): AsyncIterable<StoredEntry>;
  /** Lets go of what is held; every other call rejects afterwards with CLOSED. May be called more than once. */
  close(): Promise<void>;
}

/** For implementations: refuses keys that are no keys. @throws {SttError} CONFIG. */
export function checkStorageKey(key: Uint8Array): void {
  if (key instanceof Uint8Array && key.length >= 1 && key.length <= STORAGE_KEY_MAX_BYTES) return;
  const length = key instanceof Uint8Array ? `${key.length} bytes` : typeof key;
  throw new SttError(
    "CONFIG",
    `cannot use storage key: ${length} is not within 1 to ${STORAGE_KEY_MAX_BYTES} bytes`,
    { limit: STORAGE_KEY_MAX_BYTES },
  );
}

/** For implementations: refuses values above the limit. @throws {SttError} CONFIG. */
export function checkStorageValue(value: Uint8Array): void {
  if (value instanceof Uint8Array && value.length <= STORAGE_VALUE_MAX_BYTES) return;
  const length = value instanceof Uint8Array ? `${value.length} bytes` : typeof value;
  throw new SttError(
    "CONFIG",
    `cannot store value: ${length} is not at most ${STORAGE_VALUE_MAX_BYTES} bytes`,
    { limit: STORAGE_VALUE_MAX_BYTES },
  );
}

/** The error of a provider that was closed. */
export function closedStore(): SttError {
  return new SttError("CLOSED", "cannot use storage: it is closed");
}

/** True when `key` begins with `prefix`. */
export function hasPrefix(key: Uint8Array, prefix: Uint8Array | undefined): boolean {
  return prefix === undefined ||
    (key.length >= prefix.length && prefix.every((byte, index) => key[index] === byte));
}
