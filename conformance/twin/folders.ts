/** SPEC 12.10: the blocks and paths of folders. @module */
import { concat, hex, Refusal, unhex, writeUtf8 } from "./bytes.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";
import { decodeVarint, encodeVarint, SAFE_MAX } from "./varint.ts";

type Arguments = ReturnType<typeof JSON.parse>;
type Fields = ReadonlyMap<string, Typed>;

const BLOCK_BYTES = 4096n;
const CHUNK_BYTES = 1_048_576n;

function refuse(): never {
  throw new Refusal("PROTOCOL");
}

/** SPEC 12.4: one block and nothing else. */
function fieldsOf(text: string): Fields {
  const bytes = unhex(text);
  try {
    const { value: size, size: prefix } = decodeVarint(bytes, 0);
    if (size > BLOCK_BYTES || prefix > 2 || bytes.length !== prefix + Number(size)) refuse();
    const rules = { canonical: true, maxDepth: 4, maxEntries: 32 };
    const value = decodeValue(bytes.slice(prefix), rules);
    return value.t === "dict" ? new Map(value.entries) : refuse();
  } catch (error) {
    if (error instanceof Refusal) refuse();
    throw error;
  }
}

/** A whole number within limits, in decimal. */
function count(fields: Fields, key: string, least = 0n, most: bigint = SAFE_MAX): string {
  const value = fields.get(key);
  if (value?.t !== "int" || BigInt(value.v) < least || BigInt(value.v) > most) refuse();
  return value.v;
}

function text(fields: Fields, key: string): string {
  const value = fields.get(key);
  return value?.t === "str" ? value.v : refuse();
}

function hash(fields: Fields, key: string): string {
  const value = fields.get(key);
  return value?.t === "bytes" && value.hex.length === 64 ? value.hex : refuse();
}

function isTrue(fields: Fields, key: string): boolean {
  const value = fields.get(key);
  return value?.t === "bool" && value.v;
}

function refusal(fields: Fields): { readonly error: string; readonly reason: string } {
  const reason = fields.get("reason");
  return { error: count(fields, "error"), reason: reason?.t === "str" ? reason.v : "" };
}

function readWord(fields: Fields): Record<string, unknown> {
  if (fields.has("path")) {
    const path = text(fields, "path");
    if (isTrue(fields, "folder") && !fields.has("size")) return { kind: "folder", path };
    const size = count(fields, "size");
    return { kind: "file", path, size, executable: isTrue(fields, "executable") };
  }
  if (isTrue(fields, "end")) return { kind: "end" };
  const n = count(fields, "n");
  if (fields.has("error")) return { kind: "given-up", n, refusal: refusal(fields) };
  if (fields.has("prefix")) return { kind: "prefix", n, prefix: hash(fields, "prefix") };
  const bytes = count(fields, "data", 0n, CHUNK_BYTES);
  return { kind: "data", n, bytes, sha256: fields.has("sha256") ? hash(fields, "sha256") : null };
}

function readAnswer(fields: Fields): Record<string, unknown> {
  const n = fields.has("n") ? count(fields, "n") : null;
  if (fields.has("error")) return { kind: "error", n, refusal: refusal(fields) };
  if (isTrue(fields, "ok")) return { kind: "ok", n };
  if (n === null) refuse();
  if (fields.has("kept")) return { kind: "kept", n, kept: count(fields, "kept", 1n) };
  return { kind: "offset", n, offset: count(fields, "offset") };
}

const str = (v: string): Typed => ({ t: "str", v });
const int = (v: string): Typed => ({ t: "int", v });
const yes: Typed = { t: "bool", v: true };
const raw = (text: string): Typed => ({ t: "bytes", hex: text });

/** A block of these fields; those that are undefined are left out. */
export function folderBlock(fields: Readonly<Record<string, Typed | undefined>>): string {
  const entries = Object.entries(fields).filter((entry): entry is [string, Typed] =>
    entry[1] !== undefined
  );
  const bytes = encodeValue({ t: "dict", entries });
  return hex(concat(encodeVarint(BigInt(bytes.length)), bytes));
}

function encodeWord(a: Arguments): string {
  switch (a.kind) {
    case "folder":
      return folderBlock({ path: str(a.path), folder: yes });
    case "file": {
      const executable = a.executable ? yes : undefined;
      return folderBlock({ path: str(a.path), size: int(a.size), executable });
    }
    case "prefix":
      return folderBlock({ n: int(a.n), prefix: raw(a.prefix) });
    case "data": {
      const sha256 = a.sha256 === null ? undefined : raw(a.sha256);
      return folderBlock({ n: int(a.n), data: int(a.bytes), sha256 });
    }
    case "given-up":
      return folderBlock({
        n: int(a.n),
        error: int(a.refusal.error),
        reason: str(a.refusal.reason),
      });
    default:
      return folderBlock({ end: yes });
  }
}

function encodeAnswer(a: Arguments): string {
  const n = a.n === null ? undefined : int(a.n);
  if (a.kind === "ok") return folderBlock({ n, ok: yes });
  if (a.kind === "offset") return folderBlock({ n, offset: int(a.offset) });
  if (a.kind === "kept") return folderBlock({ n, kept: int(a.kept) });
  return folderBlock({ n, error: int(a.refusal.error), reason: str(a.refusal.reason) });
}

const DEVICES: readonly string[] = [
  ...["con", "prn", "aux", "nul", "conin$", "conout$"],
  ...["com", "lpt"].flatMap((name) => [..."0123456789¹²³"].map((digit) => name + digit)),
];

/** SPEC 12.6 of one name. */
function nameAllowed(name: string, windows: boolean): boolean {
  const size = writeUtf8(name)?.length;
  if (name === "" || name === "." || name === ".." || size === undefined || size > 255) {
    return false;
  }
  for (const character of name) {
    const point = character.codePointAt(0) as number;
    if (point < 0x20 || (point >= 0x7f && point < 0xa0)) return false;
    if (point === 0x2028 || point === 0x2029) return false;
    if ((point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069)) return false;
    if ("/\\".includes(character)) return false;
    if (windows && '<>:"|?*'.includes(character)) return false;
  }
  if (name.endsWith(".") || name.endsWith(" ")) return false;
  const stem = (name.split(".")[0] as string).trimEnd().toLowerCase();
  return !DEVICES.includes(stem);
}

export const TWIN_FOLDER_OPS: Readonly<Record<string, (a: Arguments) => Record<string, unknown>>> =
  {
    "folder.offer.encode": ({ name, entries, bytes, resume }) => ({
      hex: folderBlock({
        stt: str("folder"),
        name: str(name),
        entries: int(entries),
        bytes: int(bytes),
        resume: resume ? yes : undefined,
      }),
    }),
    "folder.offer.decode": (a) => {
      const fields = fieldsOf(a.hex);
      const [entries, bytes] = ["entries", "bytes"].map((key) => count(fields, key));
      return { name: text(fields, "name"), entries, bytes, resume: isTrue(fields, "resume") };
    },
    "folder.word.encode": (a) => ({ hex: encodeWord(a) }),
    "folder.word.decode": (a) => readWord(fieldsOf(a.hex)),
    "folder.answer.encode": (a) => ({ hex: encodeAnswer(a) }),
    "folder.answer.decode": (a) => readAnswer(fieldsOf(a.hex)),
    "folder.path": ({ path, windows }) => {
      const names = (path as string).split("/");
      const size = writeUtf8(path)?.length ?? Infinity;
      const allowed = size <= 2048 && names.length <= 64 &&
        names.every((name) => nameAllowed(name, windows));
      return { allowed };
    },
  };
