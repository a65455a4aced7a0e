/**
 * Text for people: nothing that a peer sends may move the cursor, change colours or pretend to be another line.
 *
 * @module
 */

const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Surrogate}\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]/gu;

/** `text` with control characters, line separators and direction marks as `\x1b` or `\u202e`. */
export function printable(text: string): string {
  return text.replace(UNSAFE, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return code < 0x100
      ? `\\x${code.toString(16).padStart(2, "0")}`
      : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

const UNITS: readonly string[] = ["B", "kB", "MB", "GB", "TB", "PB"];

/** `1536` as `1.5 kB`: powers of ten, three digits. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** Bytes in so many milliseconds as a rate: `12.3 MB/s`. */
export function formatRate(bytes: number, ms: number): string {
  return `${formatBytes(Math.round(bytes / Math.max(ms, 0.001) * 1000))}/s`;
}

/** `0.42 ms`, `3.5 s`, `2:05 min`. */
export function formatDuration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(2)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} min`;
}

/** The columns that text takes, roughly: code points, wide ones twice. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character);
  return width;
}

function characterWidth(character: string): number {
  if (/\p{Mn}|\p{Me}|\p{Cf}/u.test(character)) return 0;
  return /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Extended_Pictographic}/u
      .test(character)
    ? 2
    : 1;
}

/** Text cut to so many columns, the end replaced by `…`. */
export function clip(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let clipped = "";
  let used = 0;
  for (const character of text) {
    const wide = characterWidth(character);
    if (used + wide > width - 1) break;
    clipped += character;
    used += wide;
  }
  return width > 0 ? `${clipped}…` : "";
}

/** Lines of at most so many columns, broken at spaces. A word that is longer stays whole where it stands. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  let used = 0;
  for (const [index, word] of text.split(" ").entries()) {
    const wide = textWidth(word);
    if (index === 0) {
      line = word;
      used = wide;
    } else if (used + 1 + wide <= width || wide > width) {
      line += ` ${word}`;
      used += 1 + wide;
    } else {
      lines.push(line);
      line = word;
      used = wide;
    }
    // The terminal breaks it where its columns end.
    if (used > width) used %= width;
  }
  return [...lines, line];
}
