/**
 * The file service over `node:crypto` and the errors of the operating system.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { nodeProvider } from "../../crypto/node_provider.ts";
import { systemCode } from "../../storage/system_error.ts";
import { fileError } from "./file_error.ts";
import type { FileHash, FileRuntime } from "./runtime.ts";

/** No space, over quota, above the largest size that the system lets this process write. */
function isFull(cause: unknown): boolean {
  const code = systemCode(cause);
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG";
}

export const nodeFiles: FileRuntime = {
  sha256: (): FileHash => createHash("sha256"),
  equal: (a, b) => nodeProvider().equal(a, b),
  isFull,
  error: fileError,
};
