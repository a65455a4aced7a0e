/**
 * Errors of the operating system, in the words of the file service.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { systemCode } from "../../storage/system_error.ts";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOSPC", "no space left on the device"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "the file would be larger than allowed"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["EROFS", "the file system is read-only"],
  ["ENOENT", "no such file or folder"],
  ["EEXIST", "a file or folder of this name exists"],
  ["ENOTDIR", "a part of the path is not a folder"],
  ["EISDIR", "it is a folder"],
  ["ENAMETOOLONG", "the name is too long for this file system"],
  ["EMFILE", "too many open files"],
  ["EIO", "the device failed"],
]);

/** A FILE_IO error: `cannot write "/srv/in/report.pdf": no space left on the device (ENOSPC)`. */
export function fileError(verb: string, path: string, cause: unknown): SttError {
  if (cause instanceof SttError) return cause;
  const what = `cannot ${verb} ${JSON.stringify(path)}`;
  return new SttError("FILE_IO", `${what}: ${systemReason(cause)}`, { cause });
}

/** What the system says, without the path and the call, where the words are known: `permission denied (EACCES)`. */
export function systemReason(cause: unknown): string {
  const code = systemCode(cause);
  const known = code === undefined ? undefined : REASONS.get(code);
  if (known !== undefined) return `${known} (${code})`;
  return cause instanceof Error ? cause.message : String(cause);
}
