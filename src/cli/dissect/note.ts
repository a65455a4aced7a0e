/**
 * A dissection: what bytes mean, as a tree.
 *
 * @module
 */
import { toHex } from "../../codec/hex.ts";
import { printable } from "../text.ts";

/** A part of the input and its meaning. */
export interface Note {
  readonly label: string;
  readonly text: string;
  /** Offset in the input, where it is known. */
  readonly offset?: number;
  readonly children?: readonly Note[];
  /** True when the part is malformed. */
  readonly fault?: boolean;
}

const HEX_BYTES = 48;
const TEXT_CHARACTERS = 160;

/** A note without children. */
export function note(label: string, text: string, offset?: number): Note {
  return offset === undefined ? { label, text } : { label, text, offset };
}

/** A note about something malformed. */
export function fault(label: string, error: unknown, offset?: number): Note {
  const text = error instanceof Error ? error.message : String(error);
  return { ...note(label, text, offset), fault: true };
}

/** Whether anything in the tree is malformed. */
export function hasFault(tree: Note): boolean {
  return tree.fault === true || (tree.children ?? []).some(hasFault);
}

/** Hexadecimal of the first bytes, and how many there are. */
export function bytesText(bytes: Uint8Array): string {
  const count = bytes.length === 1 ? "1 byte" : `${bytes.length} bytes`;
  if (bytes.length === 0) return "empty";
  const more = bytes.length > HEX_BYTES ? "…" : "";
  return `${toHex(bytes.subarray(0, HEX_BYTES))}${more} (${count})`;
}

/** A string, quoted and cut. */
export function stringText(text: string): string {
  const characters = [...text];
  const shown = characters.slice(0, TEXT_CHARACTERS).join("");
  const more = characters.length > TEXT_CHARACTERS ? `… (${characters.length} characters)` : "";
  return `${printable(JSON.stringify(shown))}${more}`;
}

/** The tree as indented lines. */
export function renderNote(tree: Note, depth = 0): string[] {
  const at = tree.offset === undefined ? "" : `  @${tree.offset}`;
  const mark = tree.fault === true ? "! " : "";
  const text = tree.text === "" ? "" : `: ${tree.text}`;
  const line = `${"  ".repeat(depth)}${mark}${printable(tree.label + text)}${at}`;
  return [line, ...(tree.children ?? []).flatMap((child) => renderNote(child, depth + 1))];
}
