/**
 * Bytes that come from the application.
 *
 * @module
 */
import { SttError } from "../errors.ts";

/**
 * Refuses what is no bytes: text would go out as something else than its writer meant.
 *
 * @throws {SttError} `CONFIG` naming what was attempted.
 */
export function checkBytes(bytes: Uint8Array, attempt: string): void {
  if (bytes instanceof Uint8Array) return;
  throw new SttError("CONFIG", `cannot ${attempt}: ${typeof bytes} is no Uint8Array`);
}

/** A copy in memory of its own. `slice()` of a Buffer is a view, which its owner would go on to overwrite. */
export function copyOf(bytes: Uint8Array, attempt: string): Uint8Array {
  checkBytes(bytes, attempt);
  return new Uint8Array(bytes);
}
