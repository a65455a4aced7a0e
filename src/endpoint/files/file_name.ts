/**
 * Which names a received file may have. A name comes from the peer: it must stay one plain name in one folder on every
 * system, whichever the sender's was.
 *
 * @module
 */
import { SttError } from "../../errors.ts";

const NAME_MAX_BYTES = 255;

/** Device names of Windows keep their meaning with any extension, and with spaces before it. */
const DEVICE =
  /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])\s*(?:\.|$)/i;
const CONTROL = /[\p{Cc}\p{Zl}\p{Zp}]/u;
/** Marks that make a name read as another one. */
const DIRECTION = /[\u202a-\u202e\u2066-\u2069]/;
const WINDOWS_ONLY = /[<>:"|?*]/;

/** The rule that a name breaks, in words, or undefined. */
export function fileNameFault(name: string, windows: boolean): string | undefined {
  if (name === "") return "it is empty";
  if (name === "." || name === "..") return "it names a folder";
  if (/[/\\]/.test(name)) return "it holds a path separator";
  if (CONTROL.test(name)) return "it holds a control character";
  if (DIRECTION.test(name)) return "it holds a mark that changes the direction of text";
  if (/\p{Surrogate}/u.test(name)) return "it holds half a surrogate pair";
  if (/[. ]$/.test(name)) return "it ends in a dot or a space";
  if (DEVICE.test(name)) return "it names a device";
  if (windows && WINDOWS_ONLY.test(name)) return "it holds a character that Windows refuses";
  if (new TextEncoder().encode(name).length > NAME_MAX_BYTES) {
    return `it is longer than ${NAME_MAX_BYTES} bytes`;
  }
  return undefined;
}

/**
 * Checks a name that is to become a file in a folder.
 *
 * Refused on every system: no name at all, `.` and `..`, `/` and `\`, control characters, line separators, marks that
 * change the direction of text, a trailing dot or space, device names (CON, NUL, COM1, … with any extension), more than
 * 255 bytes of UTF-8. On Windows also `<>:"|?*`.
 *
 * @throws {SttError} FILE_NAME, naming the rule.
 */
export function checkFileName(name: string, windows: boolean): void {
  const fault = fileNameFault(name, windows);
  if (fault === undefined) return;
  const shown = JSON.stringify(name.length > 64 ? `${name.slice(0, 64)}…` : name);
  throw new SttError("FILE_NAME", `cannot use file name ${shown}: ${fault}`);
}
