/**
 * What a chamber holds, apart from the values: the plaintexts of its index and of its head (SPEC 14.4).
 *
 * @module
 */
import { compareCodePoints } from "../codec/code_points.ts";
import { encodeValue, type SttValue } from "../codec/values.ts";
import { TAG_BYTES } from "../constants.ts";
import { corrupt, DictFields, integerOf, readCanonical } from "./fields.ts";

/** Longest name, in bytes of UTF-8. */
export const CHAMBER_NAME_MAX_BYTES = 1024;

/** Most records of a chamber. */
export const CHAMBER_MAX_RECORDS = 32_768;

/** What is known of a record without reading it. */
export interface RecordEntry {
  /** The chamber's generation at which it was written: no two records of a chamber have the same. */
  readonly version: number;
  /** Unix time in milliseconds at which the name came into being. */
  readonly created: number;
  /** Unix time in milliseconds of the last write. */
  readonly modified: number;
  /** Bytes of the encoded value. */
  readonly size: number;
  /** The tag of the sealed record: another record for the same name and version is not taken. */
  readonly tag: Uint8Array;
}

/** A change since the index was written: a new entry, or undefined for a name that is gone. */
export type IndexChange = readonly [name: string, entry: RecordEntry | undefined];

/** The content of a chamber's head. */
export interface ChamberHead {
  /** Generation of the index that the changes start from. */
  readonly base: number;
  /** Counts the changes of this chamber. */
  readonly generation: number;
  /** In the order in which they happened. */
  readonly changes: readonly IndexChange[];
}

/** The plaintext of an index: the entries in ascending order of their names. */
export function encodeIndex(entries: ReadonlyMap<string, RecordEntry>): Uint8Array {
  const sorted = [...entries].sort(([a], [b]) => compareCodePoints(a, b));
  return encodeValue({ entries: sorted.map(encodeChange) });
}

/** @throws {SttError} STORAGE_CORRUPT. */
export function decodeIndex(bytes: Uint8Array): Map<string, RecordEntry> {
  const what = "index of the chamber";
  const value = readCanonical(what, bytes, { maxDepth: 3, maxEntries: CHAMBER_MAX_RECORDS });
  const entries = new Map<string, RecordEntry>();
  let last: string | undefined;
  for (const item of new DictFields(what, value, ["entries"]).list("entries")) {
    const [name, entry] = decodeChange(what, item);
    if (entry === undefined) throw corrupt(what, "an entry has no record");
    if (last !== undefined && compareCodePoints(last, name) >= 0) {
      throw corrupt(what, "its names are not in ascending order");
    }
    entries.set(name, entry);
    last = name;
  }
  return entries;
}

/** The plaintext of a head. */
export function encodeHead({ base, generation, changes }: ChamberHead): Uint8Array {
  return encodeValue({ base, generation, changes: changes.map(encodeChange) });
}

/** @throws {SttError} STORAGE_CORRUPT. */
export function decodeHead(bytes: Uint8Array): ChamberHead {
  const what = "head of the chamber";
  const value = readCanonical(what, bytes, { maxDepth: 3, maxEntries: CHAMBER_MAX_RECORDS });
  const fields = new DictFields(what, value, ["base", "changes", "generation"]);
  const generation = fields.integer("generation", 0, Number.MAX_SAFE_INTEGER);
  return {
    base: fields.integer("base", 0, generation),
    generation,
    changes: fields.list("changes").map((item) => decodeChange(what, item)),
  };
}

function encodeChange([name, entry]: IndexChange): SttValue {
  if (entry === undefined) return [name];
  return [name, entry.version, entry.created, entry.modified, entry.size, entry.tag];
}

function decodeChange(what: string, item: SttValue): IndexChange {
  if (!Array.isArray(item) || typeof item[0] !== "string") throw corrupt(what, "malformed entry");
  const [name, version, created, modified, size, tag] = item as readonly SttValue[];
  if (item.length === 1) return [name as string, undefined];
  if (item.length !== 6 || !(tag instanceof Uint8Array) || tag.length !== TAG_BYTES) {
    throw corrupt(what, "malformed entry");
  }
  const number = (field: string, given: SttValue | undefined): number =>
    integerOf(what, field, given, 0, Number.MAX_SAFE_INTEGER);
  return [name as string, {
    version: number("version", version),
    created: number("created", created),
    modified: number("modified", modified),
    size: number("size", size),
    tag,
  }];
}

/** Applies changes to entries, in place. */
export function applyChanges(
  entries: Map<string, RecordEntry>,
  changes: readonly IndexChange[],
): void {
  for (const [name, entry] of changes) {
    if (entry === undefined) entries.delete(name);
    else entries.set(name, entry);
  }
}
