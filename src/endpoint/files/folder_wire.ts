/**
 * The blocks of the folder service (SPEC 12.10). Entries are numbered in the order in which they are announced, from 0.
 *
 * @module
 */
import type { SttValue } from "../../codec/values.ts";
import { SttError } from "../../errors.ts";
import {
  type Block,
  encodeBlock,
  type FileRefusal,
  hashOfBlock,
  isCount,
  malformed,
  refusalOfBlock,
} from "./wire.ts";

/** Entries that may be announced and not settled yet: a path that is slow hides behind as many. */
export const FOLDER_WINDOW = 512;
/** Bytes behind one {n, data} at most. */
export const FOLDER_CHUNK_BYTES = 1_048_576;

/** What the sender says about a folder before its entries. */
export interface FolderOffer {
  /** The name the sender wishes for: data from a stranger until the name rules have passed it. */
  readonly name: string;
  /** Entries that will follow: files, and folders that hold none. */
  readonly entries: number;
  /** Bytes of all files together. */
  readonly bytes: number;
  /** Always `folder`. */
  readonly mode: "folder";
  /** The sender can prove what the receiver has already. */
  readonly resume: boolean;
}

/** A file of a folder, or a folder in it that holds nothing. */
export type FolderEntry =
  | { readonly path: string; readonly size: number; readonly executable: boolean }
  | { readonly path: string; readonly size?: undefined };

/** What the opener says behind its offer. */
export type FolderWord =
  | { readonly kind: "entry"; readonly entry: FolderEntry }
  | { readonly kind: "prefix"; readonly n: number; readonly prefix: Uint8Array }
  /** `bytes` bytes follow; with `sha256`, the last ones of the file. */
  | {
    readonly kind: "data";
    readonly n: number;
    readonly bytes: number;
    readonly sha256?: Uint8Array;
  }
  | { readonly kind: "given-up"; readonly n: number; readonly refusal: FileRefusal }
  | { readonly kind: "end" };

/** What the receiver says about an entry, or, without `n`, about the whole folder. */
export type FolderAnswer =
  | { readonly kind: "offset"; readonly n: number; readonly offset: number }
  | { readonly kind: "kept"; readonly n: number; readonly kept: number }
  | { readonly kind: "ok"; readonly n?: number }
  | { readonly kind: "error"; readonly n?: number; readonly refusal: FileRefusal };

function block(...fields: (readonly [string, SttValue])[]): Uint8Array {
  return encodeBlock(new Map<string, SttValue>(fields));
}

export function encodeFolderOffer({ name, entries, bytes, resume }: FolderOffer): Uint8Array {
  return block(
    ["stt", "folder"],
    ["name", name],
    ["entries", entries],
    ["bytes", bytes],
    ...(resume ? [["resume", true] as const] : []),
  );
}

/** Whether a first block asks for this service. */
export function isFolderOffer(fields: Block): boolean {
  return fields.get("stt") === "folder";
}

/** @throws {SttError} PROTOCOL. */
export function decodeFolderOffer(fields: Block): FolderOffer {
  const [name, entries, bytes] = ["name", "entries", "bytes"].map((key) => fields.get(key));
  if (typeof name !== "string") throw malformed("name is not a string");
  if (!isCount(entries)) throw malformed("entries is not a whole number");
  if (!isCount(bytes)) throw malformed("bytes is not a whole number");
  return { name, entries, bytes, mode: "folder", resume: fields.get("resume") === true };
}

export function encodeFolderWord(word: FolderWord): Uint8Array {
  switch (word.kind) {
    case "entry":
      return encodeEntry(word.entry);
    case "prefix":
      return block(["n", word.n], ["prefix", word.prefix]);
    case "data":
      return block(
        ["n", word.n],
        ["data", word.bytes],
        ...(word.sha256 === undefined ? [] : [["sha256", word.sha256] as const]),
      );
    case "given-up":
      return block(["n", word.n], ["error", word.refusal.error], ["reason", word.refusal.reason]);
    case "end":
      return block(["end", true]);
  }
}

function encodeEntry(entry: FolderEntry): Uint8Array {
  if (entry.size === undefined) return block(["path", entry.path], ["folder", true]);
  return block(
    ["path", entry.path],
    ["size", entry.size],
    ...(entry.executable ? [["executable", true] as const] : []),
  );
}

/** @throws {SttError} PROTOCOL. */
export function decodeFolderWord(fields: Block): FolderWord {
  if (fields.has("path")) return { kind: "entry", entry: decodeEntry(fields) };
  if (fields.get("end") === true) return { kind: "end" };
  const n = entryNumber(fields);
  if (fields.has("error")) return { kind: "given-up", n, refusal: refusalOfBlock(fields) };
  if (fields.has("prefix")) return { kind: "prefix", n, prefix: hashOfBlock(fields, "prefix") };
  const bytes = fields.get("data");
  if (!isCount(bytes) || bytes > FOLDER_CHUNK_BYTES) {
    throw malformed(`data is not a whole number to ${FOLDER_CHUNK_BYTES}`);
  }
  if (!fields.has("sha256")) return { kind: "data", n, bytes };
  return { kind: "data", n, bytes, sha256: hashOfBlock(fields, "sha256") };
}

function decodeEntry(fields: Block): FolderEntry {
  const path = fields.get("path");
  const size = fields.get("size");
  if (typeof path !== "string") throw malformed("path is not a string");
  if (fields.get("folder") === true && size === undefined) return { path };
  if (!isCount(size)) throw malformed("size is not a whole number");
  return { path, size, executable: fields.get("executable") === true };
}

function entryNumber(fields: Block): number {
  const n = fields.get("n");
  if (!isCount(n)) throw malformed("n is not a whole number");
  return n;
}

export function encodeFolderAnswer(answer: FolderAnswer): Uint8Array {
  const n = answer.kind === "offset" || answer.kind === "kept" || answer.n !== undefined
    ? [["n", answer.n as number] as const]
    : [];
  switch (answer.kind) {
    case "offset":
      return block(...n, ["offset", answer.offset]);
    case "kept":
      return block(...n, ["kept", answer.kept]);
    case "ok":
      return block(...n, ["ok", true]);
    case "error":
      return block(...n, ["error", answer.refusal.error], ["reason", answer.refusal.reason]);
  }
}

/** @throws {SttError} PROTOCOL. */
export function decodeFolderAnswer(fields: Block): FolderAnswer {
  const numbered = fields.has("n") ? { n: entryNumber(fields) } : {};
  if (fields.has("error")) return { kind: "error", ...numbered, refusal: refusalOfBlock(fields) };
  if (fields.get("ok") === true) return { kind: "ok", ...numbered };
  const n = entryNumber(fields);
  const kept = fields.get("kept");
  if (kept !== undefined) {
    if (!isCount(kept) || kept === 0) throw malformed("kept is not a whole number from 1");
    return { kind: "kept", n, kept };
  }
  const offset = fields.get("offset");
  if (!isCount(offset)) throw malformed("the answer has none of ok, error, offset and kept");
  return { kind: "offset", n, offset };
}

/** What breaks the order of the blocks. */
export function outOfOrder(why: string): SttError {
  return new SttError("PROTOCOL", `cannot go on with folder: ${why}`);
}
