/**
 * Values (SPEC 2) in words.
 *
 * @module
 */
import { decodeValueAt, Float, type SttValue } from "../../codec/values.ts";
import { decodeValue } from "../../codec/values.ts";
import { bytesText, fault, type Note, note, stringText } from "./note.ts";

const ENTRIES_SHOWN = 256;

/** A decoded value as a note. */
export function valueNote(label: string, value: SttValue): Note {
  if (value instanceof Map) {
    const entries = [...value];
    return container(
      label,
      `dict, ${count(entries.length)}`,
      entries.map(([key, item]) => () => valueNote(stringText(key), item)),
    );
  }
  if (Array.isArray(value)) {
    return container(
      label,
      `list, ${count(value.length)}`,
      value.map((item, index) => () => valueNote(`[${index}]`, item)),
    );
  }
  return note(label, scalarText(value));
}

function container(label: string, text: string, items: readonly (() => Note)[]): Note {
  const children = items.slice(0, ENTRIES_SHOWN).map((make) => make());
  const hidden = items.length - children.length;
  if (hidden > 0) children.push(note("…", `${hidden} more`));
  return { label, text, children };
}

function count(entries: number): string {
  return entries === 1 ? "1 entry" : `${entries} entries`;
}

function scalarText(value: SttValue): string {
  if (value === null) return "null";
  if (value instanceof Uint8Array) return `bytes ${bytesText(value)}`;
  if (value instanceof Float) {
    return value.nanBits === undefined
      ? `float ${value.value}.0`
      : `float NaN with bits ${value.nanBits.toString(16)}`;
  }
  switch (typeof value) {
    case "string":
      return `string ${stringText(value)}`;
    case "number":
      return Number.isInteger(value) && !Object.is(value, -0)
        ? `int ${value}`
        : `float ${Object.is(value, -0) ? "-0" : value}`;
    case "bigint":
      return `int ${value}`;
    default:
      return String(value);
  }
}

/** Bytes that should be one value. */
export function dissectValue(bytes: Uint8Array): Note {
  let size: number;
  let tree: Note;
  try {
    const decoded = decodeValueAt(bytes, 0);
    size = decoded.size;
    tree = valueNote("value", decoded.value);
  } catch (error) {
    return fault("value", error);
  }
  const children = [...(tree.children ?? [])];
  const canonical = canonicalFault(bytes.subarray(0, size));
  if (canonical !== undefined) children.push(note("not canonical", canonical));
  if (size < bytes.length) {
    children.push(fault("trailing", `${bytes.length - size} bytes follow the value`, size));
  }
  return { ...tree, offset: 0, children };
}

function canonicalFault(bytes: Uint8Array): string | undefined {
  try {
    decodeValue(bytes, { canonical: true });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
