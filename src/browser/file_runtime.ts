/**
 * The file service over hashing in JavaScript and what browsers say of files.
 *
 * @module
 */
import { nobleProvider, nobleSha256 } from "../crypto/noble_provider.ts";
import type { FileRuntime } from "../endpoint/files/runtime.ts";
import { SttError } from "../errors.ts";

function fileError(verb: string, path: string, cause: unknown): SttError {
  if (cause instanceof SttError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SttError("FILE_IO", `cannot ${verb} ${path}: ${reason}`, { cause });
}

export const browserFiles: FileRuntime = {
  sha256: nobleSha256,
  equal: (a, b) => nobleProvider().equal(a, b),
  isFull: (cause) => cause instanceof Error && cause.name === "QuotaExceededError",
  error: fileError,
};
