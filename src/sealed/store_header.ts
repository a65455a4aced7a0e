/**
 * The header of a store: how its secret becomes a key, and the master key under it (SPEC 14.3).
 *
 * @module
 */
import { encodeValue } from "../codec/values.ts";
import type { SttValue } from "../codec/values.ts";
import { KEY_BYTES } from "../constants.ts";
import { hkdf } from "../crypto/hkdf.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { BOX_OVERHEAD, BOX_SALT_BYTES, type BoxContext, openBox, sealBox } from "./box.ts";
import { corrupt, DictFields, readCanonical } from "./fields.ts";
import { KDF_SALT_BYTES, type ScryptCost, scryptCost } from "./scrypt_cost.ts";

/** Version of everything in section 14 of the specification. */
export const STORE_VERSION = 1;

/** Bytes of a store's random id. */
export const STORE_ID_BYTES = 16;

/** What a header belongs to; the words are in its bytes and in its key. */
export type StoreKind = "chamber" | "content";

/** scrypt as a header records it. */
export interface StoredScrypt extends ScryptCost {
  /** 32 random bytes. */
  readonly salt: Uint8Array;
}

/** A header before its box is opened. */
export interface StoreHeader {
  readonly kind: StoreKind;
  readonly id: Uint8Array;
  /** Null when the secret is a seed. */
  readonly kdf: StoredScrypt | null;
  readonly box: Uint8Array;
}

/** @throws {SttError} STORAGE_CORRUPT; UNSUPPORTED for another version. */
export function parseStoreHeader(kind: StoreKind, bytes: Uint8Array): StoreHeader {
  const what = `header of the ${kind} store`;
  const value = readCanonical(what, bytes, { maxDepth: 2, maxEntries: 8 });
  const fields = new DictFields(what, value, ["box", "id", "kdf", "stt", "version"]);
  if (fields.raw("stt") !== kind) throw corrupt(what, "it is of another kind");
  const version = fields.integer("version", 0, Number.MAX_SAFE_INTEGER);
  if (version !== STORE_VERSION) {
    throw new SttError("UNSUPPORTED", `cannot read ${what}: version ${version} is not 1`);
  }
  return {
    kind,
    id: fields.bytes("id", STORE_ID_BYTES),
    kdf: parseKdf(what, fields.raw("kdf")),
    box: fields.bytes("box", BOX_OVERHEAD + KEY_BYTES),
  };
}

function parseKdf(what: string, value: SttValue): StoredScrypt | null {
  if (value === null) return null;
  const fields = new DictFields(what, value, ["n", "p", "r", "salt"]);
  const cost = scryptCost({
    N: fields.integer("n", 0, 2 ** 32),
    r: fields.integer("r", 0, 2 ** 16),
    p: fields.integer("p", 0, 2 ** 16),
  });
  if (cost === undefined) throw corrupt(what, "its cost of scrypt is out of range");
  return { ...cost, salt: fields.bytes("salt", KDF_SALT_BYTES) };
}

/** What a header is made of besides the secret. */
export interface StoreHeaderFacts {
  readonly kind: StoreKind;
  readonly id: Uint8Array;
  readonly kdf: StoredScrypt | null;
  /** The node that the store belongs to; empty for none. */
  readonly node: Uint8Array;
}

/**
 * The bytes of a header.
 *
 * @param secret The seed, or what scrypt made of the passphrase.
 * @param salt 32 fresh random bytes.
 */
export function sealStoreHeader(
  provider: CryptoProvider,
  facts: StoreHeaderFacts,
  secret: Uint8Array,
  salt: Uint8Array,
  master: Uint8Array,
): Uint8Array {
  const key = headerKey(provider, facts.kind, secret);
  try {
    const box = sealBox(provider, key, salt, headerContext(facts, facts.node), master);
    return encodeValue({ ...openFields(facts), box });
  } finally {
    wipe(key);
  }
}

/** The master key; undefined for another secret, another node, or a header that was changed. */
export function openStoreHeader(
  provider: CryptoProvider,
  header: StoreHeader,
  node: Uint8Array,
  secret: Uint8Array,
): Uint8Array | undefined {
  const key = headerKey(provider, header.kind, secret);
  try {
    return openBox(provider, key, headerContext(header, node), header.box);
  } finally {
    wipe(key);
  }
}

/** Random bytes that {@link sealStoreHeader} takes. */
export const HEADER_SALT_BYTES: number = BOX_SALT_BYTES;

function headerKey(provider: CryptoProvider, kind: StoreKind, secret: Uint8Array): Uint8Array {
  return hkdf(provider, secret, `stt1 ${kind} store`, KEY_BYTES);
}

function openFields({ kind, id, kdf }: Omit<StoreHeaderFacts, "node">): BoxContext {
  const cost = kdf === null ? null : { n: kdf.N, r: kdf.r, p: kdf.p, salt: kdf.salt };
  return { stt: kind, version: STORE_VERSION, id, kdf: cost };
}

function headerContext(facts: Omit<StoreHeaderFacts, "node">, node: Uint8Array): BoxContext {
  return { ...openFields(facts), node };
}
