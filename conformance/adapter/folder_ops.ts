/** Operations on the blocks and paths of folders over `src/endpoint/files`. @module */
import { fromHex, toHex } from "../../src/codec/mod.ts";
import { folderPathFault } from "../../src/endpoint/files/folder_path.ts";
import {
  decodeFolderAnswer,
  decodeFolderOffer,
  decodeFolderWord,
  encodeFolderAnswer,
  encodeFolderOffer,
  encodeFolderWord,
  type FolderAnswer,
  type FolderOffer,
  type FolderWord,
} from "../../src/endpoint/files/folder_wire.ts";
import { type Block, takeBlock } from "../../src/endpoint/files/wire.ts";
import { SttError } from "../../src/errors.ts";
import type { Arguments, Operation } from "./notation.ts";

function blockOf(text: string): Block {
  const bytes = fromHex(text);
  const taken = takeBlock(bytes);
  if (taken === undefined || taken.size !== bytes.length) {
    throw new SttError("PROTOCOL", "cannot decode folder: no whole block");
  }
  return taken.block;
}

const numbered = ({ n }: { readonly n?: number }): string | null => n === undefined ? null : `${n}`;
const ifNumbered = (n: string | null): { n?: number } => n === null ? {} : { n: Number(n) };

function showWord(word: FolderWord): Record<string, unknown> {
  switch (word.kind) {
    case "entry": {
      const { path, size } = word.entry;
      if (size === undefined) return { kind: "folder", path };
      return { kind: "file", path, size: `${size}`, executable: word.entry.executable };
    }
    case "prefix":
      return { kind: "prefix", n: `${word.n}`, prefix: toHex(word.prefix) };
    case "data": {
      const sha256 = word.sha256 === undefined ? null : toHex(word.sha256);
      return { kind: "data", n: `${word.n}`, bytes: `${word.bytes}`, sha256 };
    }
    case "given-up":
      return { kind: "given-up", n: `${word.n}`, refusal: showRefusal(word.refusal) };
    case "end":
      return { kind: "end" };
  }
}

function showRefusal({ error, reason }: { readonly error: number; readonly reason: string }): {
  readonly error: string;
  readonly reason: string;
} {
  return { error: `${error}`, reason };
}

function readRefusal(a: Arguments): { readonly error: number; readonly reason: string } {
  return { error: Number(a?.error), reason: a?.reason };
}

function readWord(a: Arguments): FolderWord {
  const refusal = readRefusal(a.refusal);
  switch (a.kind) {
    case "folder":
      return { kind: "entry", entry: { path: a.path } };
    case "file":
      return {
        kind: "entry",
        entry: { path: a.path, size: Number(a.size), executable: a.executable },
      };
    case "prefix":
      return { kind: "prefix", n: Number(a.n), prefix: fromHex(a.prefix) };
    case "data": {
      const sha256 = a.sha256 === null ? {} : { sha256: fromHex(a.sha256) };
      return { kind: "data", n: Number(a.n), bytes: Number(a.bytes), ...sha256 };
    }
    case "given-up":
      return { kind: "given-up", n: Number(a.n), refusal };
    default:
      return { kind: "end" };
  }
}

function showAnswer(answer: FolderAnswer): Record<string, unknown> {
  const { kind } = answer;
  const n = numbered(answer);
  if (answer.kind === "offset") return { kind, n, offset: `${answer.offset}` };
  if (answer.kind === "kept") return { kind, n, kept: `${answer.kept}` };
  return answer.kind === "ok" ? { kind, n } : { kind, n, refusal: showRefusal(answer.refusal) };
}

function readAnswer(a: Arguments): FolderAnswer {
  const n = ifNumbered(a.n);
  if (a.kind === "ok") return { kind: "ok", ...n };
  if (a.kind === "offset") return { kind: "offset", n: Number(a.n), offset: Number(a.offset) };
  if (a.kind === "kept") return { kind: "kept", n: Number(a.n), kept: Number(a.kept) };
  return { kind: "error", ...n, refusal: readRefusal(a.refusal) };
}

function readOffer({ name, entries, bytes, resume }: Arguments): FolderOffer {
  return { name, entries: Number(entries), bytes: Number(bytes), mode: "folder", resume };
}

export const FOLDER_OPS: Readonly<Record<string, Operation>> = {
  "folder.offer.encode": (a) => ({ hex: toHex(encodeFolderOffer(readOffer(a))) }),
  "folder.offer.decode": (a) => {
    const { name, entries, bytes, resume } = decodeFolderOffer(blockOf(a.hex));
    return { name, entries: `${entries}`, bytes: `${bytes}`, resume };
  },
  "folder.word.encode": (a) => ({ hex: toHex(encodeFolderWord(readWord(a))) }),
  "folder.word.decode": (a) => showWord(decodeFolderWord(blockOf(a.hex))),
  "folder.answer.encode": (a) => ({ hex: toHex(encodeFolderAnswer(readAnswer(a))) }),
  "folder.answer.decode": (a) => showAnswer(decodeFolderAnswer(blockOf(a.hex))),
  "folder.path": (a) => ({ allowed: folderPathFault(a.path, a.windows) === undefined }),
};
