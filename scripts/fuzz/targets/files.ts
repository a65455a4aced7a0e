/** The file service's blocks (SPEC 12), and the names that files may get. The first byte of an input says which. @module */
import { posix, win32 } from "node:path";
import { toHex } from "../../../src/codec/hex.ts";
import { decodeVarint } from "../../../src/codec/varint.ts";
import { decodeValue, encodeValue, type SttValue } from "../../../src/codec/values.ts";
import { checkFileName } from "../../../src/endpoint/files/file_name.ts";
import { folderPathFault } from "../../../src/endpoint/files/folder_path.ts";
import {
  decodeFolderAnswer,
  decodeFolderOffer,
  decodeFolderWord,
  encodeFolderAnswer,
  encodeFolderOffer,
  encodeFolderWord,
} from "../../../src/endpoint/files/folder_wire.ts";
import {
  type Block,
  decodeFinalAnswer,
  decodeOffer,
  decodeOfferAnswer,
  decodeTrailer,
  encodeFinalAnswer,
  encodeOffer,
  encodeOfferAnswer,
  encodeTrailer,
  takeBlock,
} from "../../../src/endpoint/files/wire.ts";
import { SttError } from "../../../src/errors.ts";
import { mutateWith, spliced } from "../mutate_bytes.ts";
import { mutateEncodedValue } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";

const NAME = 1;

interface Kind {
  readonly name: string;
  readonly keys: readonly string[];
  readonly again: (block: Block) => Uint8Array;
}

const KINDS: readonly Kind[] = [
  {
    name: "offer",
    keys: ["stt", "name", "size", "mode"],
    again: (block) => encodeOffer(decodeOffer(block)),
  },
  {
    name: "answer",
    keys: ["offset", "error", "reason"],
    again: (block) => encodeOfferAnswer(decodeOfferAnswer(block)),
  },
  { name: "trailer", keys: ["sha256"], again: (block) => encodeTrailer(decodeTrailer(block)) },
  {
    name: "final",
    keys: ["ok", "error", "reason"],
    again: (block) => encodeFinalAnswer(decodeFinalAnswer(block)),
  },
];

/** Of folders: what decodes must come back as itself, whatever else the block held. */
const FOLDER_KINDS: readonly ((block: Block) => [unknown, unknown])[] = [
  (block) => again(block, decodeFolderOffer, encodeFolderOffer),
  (block) => again(block, decodeFolderWord, encodeFolderWord),
  (block) => again(block, decodeFolderAnswer, encodeFolderAnswer),
];

function again<T>(
  block: Block,
  decode: (block: Block) => T,
  encode: (value: T) => Uint8Array,
): [T, T] {
  const value = decode(block);
  // Reasons are of any length, and fit the block that they came in.
  const taken = takeBlock(encode(value));
  oracle(taken !== undefined, "it does not encode to a block");
  return [value, decode(taken.block)];
}

function folderBlock(block: Block): void {
  for (const kind of FOLDER_KINDS) {
    const both = attempt(["PROTOCOL"], () => kind(block));
    if (typeof both === "string") continue;
    const [first, second] = both.map((value) => JSON.stringify(value));
    oracle(first === second, () => `${first} comes back as ${second}`);
  }
}

function run(input: Uint8Array): string {
  const bytes = input.subarray(1);
  return ((input[0] ?? 0) & 1) === NAME ? fileName(bytes) : block(bytes);
}

/** The code of a refusal, or what `act` gives. */
function attempt<T>(codes: readonly string[], act: () => T): T | string {
  try {
    return act();
  } catch (error) {
    if (error instanceof SttError && codes.includes(error.code)) return error.code;
    throw error;
  }
}

function block(bytes: Uint8Array): string {
  const taken = attempt(["PROTOCOL"], () => takeBlock(bytes));
  if (typeof taken === "string") return taken;
  if (taken === undefined) {
    oracle(bytes.length < 2 + 4096, () => `incomplete with ${bytes.length} bytes`);
    return "incomplete";
  }
  const { size: prefix, value: length } = decodeVarint(bytes);
  oracle(taken.size === prefix + Number(length), "its size is not what its length says");
  const encoded = bytes.subarray(prefix, taken.size);
  oracle(toHex(encodeValue(decodeValue(encoded))) === toHex(encoded), "it is not canonical");
  oracle(
    takeBlock(bytes.subarray(0, taken.size - 1)) === undefined,
    "it is complete without its end",
  );
  folderBlock(taken.block);
  return KINDS.map(({ name, keys, again }) => {
    const written = attempt(["PROTOCOL", "UNSUPPORTED"], () => again(taken.block));
    if (typeof written === "string") return "";
    // Other keys are ignored, and so are those of an answer of the other kind.
    const own = [...taken.block.keys()].every((key) => keys.includes(key));
    const refusal = taken.block.has("error");
    const plain = own && (!refusal || (taken.block.size === 2 && taken.block.has("reason"))) &&
      (refusal || !taken.block.has("reason"));
    if (plain && (!refusal || typeof taken.block.get("reason") === "string")) {
      oracle(toHex(written) === toHex(bytes.subarray(0, taken.size)), `another ${name} comes back`);
    }
    return name;
  }).join("");
}

function fileName(bytes: Uint8Array): string {
  const name = new TextDecoder().decode(bytes);
  if (folderPathFault(name, false) === undefined) {
    oracle(posix.join("/folder", name) === `/folder/${name}`, "a path leaves its folder");
    oracle(posix.normalize(name) === name && !name.includes("\\"), "a path is not plain");
  }
  const there = attempt(["FILE_NAME"], () => checkFileName(name, true));
  const here = attempt(["FILE_NAME"], () => checkFileName(name, false));
  oracle(there !== undefined || here === undefined, "Windows takes what others refuse");
  if (here !== undefined) return "refused";
  oracle(posix.join("/folder", name) === `/folder/${name}`, "it leaves its folder");
  oracle(posix.basename(name) === name && name.trim() !== "", "it is no plain name");
  oracle(new TextEncoder().encode(name).length <= 255, "it is longer than file systems take");
  oracle(!/\p{Cc}/u.test(name), "it has control characters");
  if (there !== undefined) return "not on Windows";
  oracle(
    win32.join("C:\\folder", name) === `C:\\folder\\${name}`,
    "it leaves its folder on Windows",
  );
  oracle(win32.basename(name) === name && !/^[a-z]:/i.test(name), "it names a drive");
  return "taken";
}

function seeds(): Uint8Array[] {
  const blocks = [
    encodeOffer({ name: "a.txt", size: 3, mode: "file" }),
    encodeOffer({ name: "log", size: null, mode: "pipe" }),
    encodeOfferAnswer({ offset: 77 }),
    encodeOfferAnswer({ error: 0x103, reason: "full" }),
    encodeFolderOffer({ name: "a", entries: 2, bytes: 3, mode: "folder", resume: true }),
    encodeFolderWord({ kind: "entry", entry: { path: "a/b", size: 3, executable: true } }),
    encodeFolderWord({ kind: "entry", entry: { path: "hollow" } }),
    encodeFolderWord({ kind: "data", n: 0, bytes: 3, sha256: new Uint8Array(32).fill(7) }),
    encodeFolderAnswer({ kind: "kept", n: 0, kept: 3 }),
    encodeTrailer(new Uint8Array(32).fill(7)),
    encodeFinalAnswer({ ok: true }),
    new Uint8Array([0x80, 0x20]),
    new Uint8Array([0x81, 0x20, 0]),
  ];
  const names = [
    "a.txt",
    "é",
    "..",
    "a/b",
    "a/../b",
    "/a/b",
    "a/b/c.txt",
    "con.txt",
    "x ",
    "C:x",
    "a\u202eb",
    "\u0000",
    "a".repeat(256),
  ];
  return [
    ...blocks.map((bytes) => spliced(bytes, 0, 0, Uint8Array.of(0))),
    ...names.map((name) => spliced(new TextEncoder().encode(name), 0, 0, Uint8Array.of(NAME))),
  ];
}

export const files: Target = {
  name: "files",
  exact: true,
  maxBytes: 4200,
  seeds,
  mutate(input, other, prng) {
    const head = input.slice(0, 1);
    const bytes = input.slice(1);
    if (((head[0] ?? 0) & 1) === 0 && prng.chance(0.6)) {
      const value: SttValue | Uint8Array = mutateEncodedValue(
        bytes.slice(bytes[0]! < 128 ? 1 : 2),
        prng,
      );
      const length = value.length < 128
        ? [value.length]
        : [value.length & 127 | 128, value.length >> 7 & 127];
      return Uint8Array.of(head[0] ?? 0, ...length, ...value);
    }
    return spliced(mutateWith(bytes, other.slice(1), prng), 0, 0, head);
  },
  run,
};
