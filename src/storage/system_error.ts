/**
 * Errors of the system, by the names that the system gives them.
 *
 * @module
 */
import { constants } from "node:os";
import process from "node:process";
import { SttError } from "../errors.ts";

const ERRNO_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(constants.errno).map(([name, number]) => [number, name]),
);

const WINDOWS_DISK_FULL = /os error (?:39|112)\)/;

/** The system's code of an error (`ENOSPC`). Deno puts some of them into the message only: `(os error 28)`. */
export function systemCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ("code" in cause && typeof cause.code === "string") return cause.code;
  if (process.platform === "win32") {
    return WINDOWS_DISK_FULL.test(cause.message) ? "ENOSPC" : undefined;
  }
  const errno = /\(os error (\d+)\)/.exec(cause.message)?.[1];
  return errno === undefined ? undefined : ERRNO_NAMES.get(Number(errno));
}

/** FILE_IO with what was attempted; an SttError goes through as it is. */
export function storageError(verb: string, path: string, cause: unknown): SttError {
  if (cause instanceof SttError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SttError("FILE_IO", `cannot ${verb} ${JSON.stringify(path)}: ${reason}`, { cause });
}
