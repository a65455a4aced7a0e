/**
 * Checks of what the application passes to commands.
 *
 * @module
 */
import { SttError } from "../errors.ts";

const MAX_PRIORITY = 1000;

/** @throws {SttError} `CONFIG` */
export function checkPriority(priority: number): void {
  if (Number.isInteger(priority) && priority >= 0 && priority <= MAX_PRIORITY) return;
  throw new SttError("CONFIG", `cannot set priority ${priority}: not an integer from 0 to 1000`);
}

/** @throws {SttError} `CONFIG` */
export function checkCode(code: number): void {
  if (Number.isSafeInteger(code) && code >= 0) return;
  throw new SttError("CONFIG", `cannot use code ${code}: not an integer from 0 to 2^53-1`);
}

/** @throws {SttError} `CONFIG` for a probability outside 0 to 1; undefined is none */
export function checkTarget(target: number | undefined): void {
  if (target === undefined || (target >= 0 && target <= 1)) return;
  throw new SttError("CONFIG", `cannot use target: ${target} is outside 0 to 1`);
}
