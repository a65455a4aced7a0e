/**
 * What the file service needs of the runtime, so that one transfer code serves disks and browsers.
 *
 * @module
 */
import type { SttError } from "../../errors.ts";

/** A SHA-256 over bytes as they come. */
export interface FileHash {
  update(bytes: Uint8Array): unknown;
  /** A hash of the same bytes that goes on by itself. */
  copy(): FileHash;
  /** 32 bytes. Nothing can be added afterwards. */
  digest(): Uint8Array;
}

/** What differs between runtimes. */
export interface FileRuntime {
  sha256(): FileHash;
  /** As `CryptoProvider.equal`. */
  equal(a: Uint8Array, b: Uint8Array): boolean;
  /** Whether an error of the place that files go to says that it is full. */
  isFull(cause: unknown): boolean;
  /** FILE_IO with what was attempted (`write`) and where; an SttError goes through as it is. */
  error(verb: string, path: string, cause: unknown): SttError;
}
