/** SPEC 14, data at rest: written from the specification, in the plainest way. @module */
import { scryptSync } from "node:crypto";
import { ascii, bigEndian, concat, hex, readBigEndian, Refusal, same } from "./bytes.ts";
import { expand, hkdf, hmac, open, seal, sha256 } from "./primitives.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";

const bytes = (value: Uint8Array): Typed => ({ t: "bytes", hex: hex(value) });
const text = (value: string): Typed => ({ t: "str", v: value });
const int = (value: number): Typed => ({ t: "int", v: String(value) });
const dict = (entries: readonly [string, Typed][]): Typed => ({ t: "dict", entries });

const ZERO_NONCE = new Uint8Array(12);

/** A seed, or a passphrase with its cost. */
export type TwinSecret = Uint8Array | string;

interface Cost {
  readonly n: number;
  readonly r: number;
  readonly p: number;
  readonly salt: Uint8Array;
}

function costFits({ n, r, p }: Omit<Cost, "salt">): boolean {
  const powers = Array.from({ length: 11 }, (_, i) => 2 ** (10 + i));
  return powers.includes(n) && r >= 1 && r <= 32 && p >= 1 && p <= 16 && 128 * n * r <= 2 ** 27;
}

/** 14.1.1 */
function secretOf(secret: TwinSecret, cost: Cost | undefined, wrong: string): Uint8Array {
  if (typeof secret !== "string") {
    if (cost !== undefined) throw new Refusal(wrong);
    return secret;
  }
  if (cost === undefined) throw new Refusal(wrong);
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: 256 * 1024 * 1024 };
  return Uint8Array.from(scryptSync(ascii(secret.normalize("NFC")), cost.salt, 32, options));
}

/** 14.2.1 */
export function sealBox(
  key: Uint8Array,
  salt: Uint8Array,
  context: Typed,
  plain: Uint8Array,
): Uint8Array {
  const boxKey = expand(key, concat(ascii("stt1 box"), salt), 32);
  return concat(salt, seal("chacha20-poly1305", boxKey, ZERO_NONCE, encodeValue(context), plain));
}

export function openBox(key: Uint8Array, context: Typed, box: Uint8Array): Uint8Array | undefined {
  if (box.length < 48) return undefined;
  const boxKey = expand(key, concat(ascii("stt1 box"), box.slice(0, 32)), 32);
  return open("chacha20-poly1305", boxKey, ZERO_NONCE, encodeValue(context), box.slice(32));
}

/** A canonical dict with exactly these keys. */
function fieldsOf(value: Uint8Array, keys: readonly string[]): Map<string, Typed> {
  let typed: Typed;
  try {
    typed = decodeValue(value, { canonical: true });
  } catch {
    throw new Refusal("STORAGE_CORRUPT");
  }
  return dictFields(typed, keys);
}

function dictFields(typed: Typed, keys: readonly string[]): Map<string, Typed> {
  if (typed.t !== "dict") throw new Refusal("STORAGE_CORRUPT");
  const entries = new Map(typed.entries);
  const found = [...entries.keys()];
  if (found.join("\0") !== [...keys].sort().join("\0")) throw new Refusal("STORAGE_CORRUPT");
  return entries;
}

function intOf(value: Typed | undefined, min = 0, max: number = Number.MAX_SAFE_INTEGER): number {
  if (value?.t !== "int") throw new Refusal("STORAGE_CORRUPT");
  const number = BigInt(value.v);
  if (number < BigInt(min) || number > BigInt(max)) throw new Refusal("STORAGE_CORRUPT");
  return Number(number);
}

function bytesOf(value: Typed | undefined, length?: number): Uint8Array {
  if (value?.t !== "bytes") throw new Refusal("STORAGE_CORRUPT");
  const found = Uint8Array.from(value.hex.match(/../g) ?? [], (b) => parseInt(b, 16));
  if (length !== undefined && found.length !== length) throw new Refusal("STORAGE_CORRUPT");
  return found;
}

/** 14.3 */
export function openStoreHeader(
  kind: string,
  header: Uint8Array,
  node: Uint8Array,
  secret: TwinSecret,
): { store: string; master: string } {
  const fields = fieldsOf(header, ["stt", "version", "id", "kdf", "box"]);
  const stt = fields.get("stt") as Typed;
  if (stt.t !== "str" || stt.v !== kind) throw new Refusal("STORAGE_CORRUPT");
  if (intOf(fields.get("version")) !== 1) throw new Refusal("UNSUPPORTED");
  const id = bytesOf(fields.get("id"), 16);
  const kdf = fields.get("kdf") as Typed;
  let cost: Cost | undefined;
  if (kdf.t !== "null") {
    const parts = dictFields(kdf, ["n", "r", "p", "salt"]);
    const [n, r, p] = ["n", "r", "p"].map((key) => intOf(parts.get(key))) as [
      number,
      number,
      number,
    ];
    if (!costFits({ n, r, p })) throw new Refusal("STORAGE_CORRUPT");
    cost = { n, r, p, salt: bytesOf(parts.get("salt"), 32) };
  }
  const box = bytesOf(fields.get("box"), 80);
  const bare = secretOf(secret, cost, "STORAGE_KEY");
  const rest = [...fields].filter(([key]) => key !== "box");
  const context = dict([...rest, ["node", bytes(node)]]);
  const master = openBox(hkdf(bare, `stt1 ${kind} store`, 32), context, box);
  if (master === undefined) throw new Refusal("STORAGE_KEY");
  return { store: hex(id), master: hex(master) };
}

export function makeStoreHeader(
  kind: string,
  a: { id: Uint8Array; node: Uint8Array; salt: Uint8Array; master: Uint8Array; cost?: Cost },
  secret: TwinSecret,
): Uint8Array {
  const kdf: Typed = a.cost === undefined ? { t: "null" } : dict([
    ["n", int(a.cost.n)],
    ["r", int(a.cost.r)],
    ["p", int(a.cost.p)],
    ["salt", bytes(a.cost.salt)],
  ]);
  const rest: [string, Typed][] = [
    ["stt", text(kind)],
    ["version", int(1)],
    ["id", bytes(a.id)],
    ["kdf", kdf],
  ];
  const key = hkdf(secretOf(secret, a.cost, "STORAGE_KEY"), `stt1 ${kind} store`, 32);
  const box = sealBox(key, a.salt, dict([...rest, ["node", bytes(a.node)]]), a.master);
  return encodeValue(dict([...rest, ["box", bytes(box)]]));
}

/** 14.4.1: the chamber of a master key. */
export class TwinChamber {
  readonly #master: Uint8Array;
  readonly #id: Uint8Array;
  readonly #node: Uint8Array;

  constructor(master: Uint8Array, id: Uint8Array, node: Uint8Array) {
    this.#master = master;
    this.#id = id;
    this.#node = node;
  }

  locate(part: string, number: number): Uint8Array {
    const key = expand(this.#master, "stt1 chamber location", 32);
    const mac = hmac(key, ascii(part), Uint8Array.of(0), bigEndian(BigInt(number), 8));
    return concat(Uint8Array.of(2), mac.slice(0, 16));
  }

  seal(part: string, context: [string, Typed][], salt: Uint8Array, plain: Uint8Array): Uint8Array {
    return sealBox(this.#key(part), salt, this.#context(context), plain);
  }

  open(part: string, context: [string, Typed][], box: Uint8Array): Uint8Array {
    const plain = openBox(this.#key(part), this.#context(context), box);
    if (plain === undefined) throw new Refusal("STORAGE_CORRUPT");
    return plain;
  }

  sealRecord(name: string, version: number, salt: Uint8Array, value: Uint8Array): Uint8Array {
    return this.seal("record", recordContext(name, version), salt, value);
  }

  openRecord(name: string, version: number, box: Uint8Array): Uint8Array {
    return this.open("record", recordContext(name, version), box);
  }

  /** 14.4.2 */
  openIndex(generation: number, box: Uint8Array): unknown {
    const plain = this.open("index", [["version", int(generation)]], box);
    const entries = itemsOf(fieldsOf(plain, ["entries"]).get("entries"), false);
    for (const [i, { name }] of entries.entries()) {
      const before = entries[i - 1]?.name;
      if (before !== undefined && hex(ascii(before)) >= hex(ascii(name))) {
        throw new Refusal("STORAGE_CORRUPT");
      }
    }
    return { entries };
  }

  openHead(box: Uint8Array): unknown {
    const fields = fieldsOf(this.open("head", [], box), ["base", "changes", "generation"]);
    const generation = intOf(fields.get("generation"));
    const base = intOf(fields.get("base"), 0, generation);
    return { base, generation, changes: itemsOf(fields.get("changes"), true) };
  }

  #key(part: string): Uint8Array {
    return expand(this.#master, `stt1 chamber ${part}`, 32);
  }

  #context(entries: [string, Typed][]): Typed {
    return dict([["chamber", bytes(this.#id)], ["node", bytes(this.#node)], ...entries]);
  }
}

function recordContext(name: string, version: number): [string, Typed][] {
  return [["name", text(name)], ["version", int(version)]];
}

function itemsOf(list: Typed | undefined, removals: boolean): { name: string }[] {
  if (list?.t !== "list") throw new Refusal("STORAGE_CORRUPT");
  return list.v.map((item) => {
    if (item.t !== "list") throw new Refusal("STORAGE_CORRUPT");
    const parts = item.v;
    const name = parts[0];
    if (name?.t !== "str") throw new Refusal("STORAGE_CORRUPT");
    if (parts.length === 1 && removals) return { name: name.v };
    if (parts.length !== 6) throw new Refusal("STORAGE_CORRUPT");
    const tag = hex(bytesOf(parts[5], 16));
    const [version, created, modified, size] = parts.slice(1, 5).map((part) => intOf(part));
    return { name: name.v, version, created, modified, size, tag };
  });
}

/** 14.6 */
export interface StreamArguments {
  readonly secret: TwinSecret;
  readonly context: Uint8Array;
}

const MAGIC = ascii("STT-SEAL");

function streamKeys(
  secret: Uint8Array,
  header: Uint8Array,
  context: Uint8Array,
): [Uint8Array, Uint8Array] {
  const label = concat(ascii("stt1 sealed stream"), sha256(header), sha256(context));
  const both = expand(hmac(ascii("STT/1"), secret), label, 64);
  return [both.slice(0, 32), hmac(both.slice(32), header)];
}

function chunkNonce(index: number, last: boolean): Uint8Array {
  return concat(new Uint8Array(3), bigEndian(BigInt(index), 8), Uint8Array.of(last ? 1 : 0));
}

const prefixOf = (length: number, last: boolean): Uint8Array =>
  bigEndian(BigInt(length) + (last ? 0x80000000n : 0n), 4);

export function sealStream(
  a: StreamArguments & {
    readonly bits: number;
    readonly live: boolean;
    readonly salt: Uint8Array;
    readonly cost?: Omit<Cost, "salt">;
    /** Of a live stream each is a chunk; otherwise they are joined. */
    readonly pieces: readonly Uint8Array[];
  },
): Uint8Array {
  const flags = (a.cost === undefined ? 0 : 1) + (a.live ? 2 : 0);
  const cost = a.cost === undefined
    ? new Uint8Array(0)
    : Uint8Array.of(Math.log2(a.cost.n), a.cost.r, a.cost.p);
  const header = concat(MAGIC, Uint8Array.of(1, flags, a.bits), a.salt, cost);
  const secret = secretOf(a.secret, a.cost && { ...a.cost, salt: a.salt }, "SEALED_KEY");
  const [key, mac] = streamKeys(secret, header, a.context);
  const pieces = a.live ? [...a.pieces, new Uint8Array(0)] : cut(concat(...a.pieces), 2 ** a.bits);
  const chunks = pieces.map((piece, index) => {
    const last = index === pieces.length - 1;
    const prefix = a.live ? prefixOf(piece.length, last) : new Uint8Array(0);
    return concat(prefix, seal("chacha20-poly1305", key, chunkNonce(index, last), prefix, piece));
  });
  return concat(header, mac, ...chunks);
}

function cut(plain: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < plain.length || at === 0; at += size) {
    pieces.push(plain.slice(at, at + size));
  }
  return pieces;
}

/** The whole stream at once: the plaintext of the chunks before the first that is refused, and why it is. */
export function openStream(
  sealed: Uint8Array,
  a: StreamArguments,
): { plaintext: string; error?: string } {
  const head = readHeader(sealed);
  const secret = secretOf(a.secret, head.cost, "SEALED_KEY");
  const [key, mac] = streamKeys(secret, head.header, a.context);
  if (!same(mac, head.mac)) throw new Refusal("SEALED_KEY");
  const body = sealed.slice(head.header.length + 32);
  const got: Uint8Array[] = [];
  const result = head.live
    ? openLive(key, body, head.size, got)
    : openChunks(key, body, head.size, got);
  const plaintext = hex(concat(...got));
  return result === undefined ? { plaintext } : { plaintext, error: result };
}

function readHeader(sealed: Uint8Array) {
  const known = Math.min(8, sealed.length);
  if (!same(sealed.slice(0, known), MAGIC.slice(0, known))) throw new Refusal("SEALED_FORMAT");
  const [version, flags, bits] = sealed.slice(8, 11) as unknown as (number | undefined)[];
  if (version !== undefined && version !== 1) throw new Refusal("UNSUPPORTED");
  if (flags !== undefined && flags > 3) throw new Refusal("SEALED_FORMAT");
  if (bits !== undefined && (bits < 10 || bits > 20)) throw new Refusal("SEALED_FORMAT");
  const phrase = ((flags ?? 0) & 1) === 1;
  const length = 43 + (phrase ? 3 : 0);
  if (sealed.length < length + 32) throw new Refusal("SEALED_TRUNCATED");
  const salt = sealed.slice(11, 43);
  let cost: Cost | undefined;
  if (phrase) {
    cost = {
      n: 2 ** (sealed[43] as number),
      r: sealed[44] as number,
      p: sealed[45] as number,
      salt,
    };
    if (!costFits(cost)) throw new Refusal("SEALED_FORMAT");
  }
  return {
    header: sealed.slice(0, length),
    mac: sealed.slice(length, length + 32),
    live: ((flags as number) & 2) === 2,
    size: 2 ** (bits as number),
    cost,
  };
}

const tryChunk = (
  key: Uint8Array,
  index: number,
  last: boolean,
  chunk: Uint8Array,
  prefix = new Uint8Array(0),
) => open("chacha20-poly1305", key, chunkNonce(index, last), prefix, chunk);

function openChunks(
  key: Uint8Array,
  body: Uint8Array,
  size: number,
  got: Uint8Array[],
): string | undefined {
  const chunks = cut(body, size + 16);
  for (const [index, chunk] of chunks.entries()) {
    const last = index === chunks.length - 1;
    if (last && chunk.length < 16) return "SEALED_TRUNCATED";
    const plain = tryChunk(key, index, last, chunk);
    if (plain === undefined) {
      const cutOff = last && tryChunk(key, index, false, chunk) !== undefined;
      return cutOff ? "SEALED_TRUNCATED" : "SEALED_CHUNK";
    }
    if (plain.length === 0 && index > 0) return "SEALED_CHUNK";
    got.push(plain);
  }
  return undefined;
}

function openLive(
  key: Uint8Array,
  body: Uint8Array,
  size: number,
  got: Uint8Array[],
): string | undefined {
  let rest = body;
  for (let index = 0;; index++) {
    if (rest.length < 4) return "SEALED_TRUNCATED";
    const prefix = rest.slice(0, 4);
    const number = Number(readBigEndian(prefix));
    const last = number >= 0x80000000;
    const length = last ? number - 0x80000000 : number;
    if (length > size) return "SEALED_CHUNK";
    if (rest.length < 4 + length + 16) return "SEALED_TRUNCATED";
    const plain = tryChunk(key, index, last, rest.slice(4, 4 + length + 16), prefix);
    if (plain === undefined || (plain.length === 0 && !last)) return "SEALED_CHUNK";
    got.push(plain);
    rest = rest.slice(4 + length + 16);
    if (last) return rest.length === 0 ? undefined : "SEALED_CHUNK";
  }
}

/** 14.5: the content store of a master key. */
export class TwinContent {
  readonly #master: Uint8Array;
  readonly #id: Uint8Array;
  readonly #node: Uint8Array;

  constructor(master: Uint8Array, id: Uint8Array, node: Uint8Array) {
    this.#master = master;
    this.#id = id;
    this.#node = node;
  }

  address(content: Uint8Array): Uint8Array {
    let address: Uint8Array = new Uint8Array(32);
    const parts = cut(content, 262144);
    for (const [index, part] of parts.entries()) {
      const mark = Uint8Array.of(index === parts.length - 1 ? 1 : 0);
      address = hmac(this.#key("address"), address, mark, part);
    }
    return address;
  }

  location(address: Uint8Array): Uint8Array {
    return concat(Uint8Array.of(0x13), hmac(this.#key("location"), address).slice(0, 16));
  }

  sealPart(part: PartPlace, salt: Uint8Array, plain: Uint8Array): Uint8Array {
    return sealBox(this.#key("part"), salt, this.#partContext(part), plain);
  }

  openPart(part: PartPlace, box: Uint8Array): Uint8Array {
    const plain = openBox(this.#key("part"), this.#partContext(part), box);
    if (plain === undefined) throw new Refusal("STORAGE_CORRUPT");
    return plain;
  }

  sealManifest(location: Uint8Array, salt: Uint8Array, plain: Uint8Array): Uint8Array {
    const context = this.#context([["location", bytes(location)]]);
    return sealBox(this.#key("manifest"), salt, context, plain);
  }

  openManifest(location: Uint8Array, box: Uint8Array): Record<string, unknown> {
    const plain = openBox(
      this.#key("manifest"),
      this.#context([["location", bytes(location)]]),
      box,
    );
    if (plain === undefined) throw new Refusal("STORAGE_CORRUPT");
    const fields = fieldsOf(plain, ["address", "blob", "created", "size"]);
    return {
      address: hex(bytesOf(fields.get("address"), 32)),
      blob: hex(bytesOf(fields.get("blob"), 16)),
      created: intOf(fields.get("created")),
      size: intOf(fields.get("size")),
    };
  }

  #partContext({ blob, index, last }: PartPlace): Typed {
    return this.#context([["blob", bytes(blob)], ["index", int(index)], ["last", {
      t: "bool",
      v: last,
    }]]);
  }

  #key(label: string): Uint8Array {
    return expand(this.#master, `stt1 content ${label}`, 32);
  }

  #context(entries: [string, Typed][]): Typed {
    return dict([["store", bytes(this.#id)], ["node", bytes(this.#node)], ...entries]);
  }
}

/** Where a part of a content lies. */
export interface PartPlace {
  readonly blob: Uint8Array;
  readonly index: number;
  readonly last: boolean;
}
