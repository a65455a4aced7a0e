/** SPEC 14.6, sealed streams: written from the specification, in the plainest way. @module */
import { ascii, bigEndian, concat, cut, hex, readBigEndian, Refusal, same } from "./bytes.ts";
import { expand, hmac, open, seal, sha256 } from "./primitives.ts";
import { type Cost, costFits, secretOf, type TwinSecret } from "./storage_secret.ts";

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
