/**
 * Data at rest: the chamber for secrets and state, what it stands on, and sealed streams.
 *
 * @module
 */
export { type ErrorCode, SttError, type SttErrorDetails } from "../errors.ts";
export type { Float, SttValue } from "../codec/values.ts";
export type {
  AeadKey,
  AeadName,
  CryptoProvider,
  ScryptParameters,
  X25519PrivateKey,
} from "../crypto/provider.ts";
export { Chamber, type ChamberChange, type ChamberOptions, type RecordInfo } from "./chamber.ts";
export { CHAMBER_VALUE_MAX_BYTES } from "./chamber_checks.ts";
export type { Swept } from "./chamber_body.ts";
export type { LockWorld } from "./file_lock.ts";
export { FileStore } from "./file_store.ts";
export type { ProcessIdentity } from "./process_identity.ts";
export type { FileFacts, StoreFileSystem } from "./file_system.ts";
export { MemoryStore } from "./memory_store.ts";
export { SqliteStore } from "./sqlite_store.ts";
export {
  checkStorageKey,
  checkStorageValue,
  STORAGE_KEY_MAX_BYTES,
  STORAGE_VALUE_MAX_BYTES,
  type StorageProvider,
  type StoredEntry,
} from "./provider.ts";
export type { StorePassphrase, StoreSecret } from "./store_secret.ts";
export type { ScryptCost } from "../sealed/scrypt_cost.ts";
export { openStream, type SealOptions, type SealSecret, sealStream } from "./seal_stream.ts";
export { SealedReader, type SealedSource } from "./sealed_reader.ts";
export type { ContentSource } from "./content_parts.ts";
export {
  type ContentInfo,
  type ContentRekeyOptions,
  ContentStore,
  type ContentStoreOptions,
  type ContentVerification,
} from "./content_store.ts";
