/**
 * Texts that are short and ASCII, as names of fields are, without the runtime's coder: its call costs more than they do.
 *
 * @module
 */

/** Longest text for which a loop is the faster way. */
const MOST_CHARS = 32;

/** The text of `bytes[start..end)`; undefined where it is long or not all ASCII. */
export function shortText(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (end - start > MOST_CHARS) return undefined;
  let text = "";
  for (let at = start; at < end; at++) {
    const byte = bytes[at] as number;
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** True where {@link writeShortText} can write `text`: its bytes are its characters. */
export function isShortText(text: string): boolean {
  if (text.length > MOST_CHARS) return false;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) >= 0x80) return false;
  }
  return true;
}

/** Writes a text of which {@link isShortText} is true at `offset`. */
export function writeShortText(bytes: Uint8Array, offset: number, text: string): void {
  for (let index = 0; index < text.length; index++) bytes[offset + index] = text.charCodeAt(index);
}
