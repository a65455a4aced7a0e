/**
 * Headers of stores, written and opened with what the user gave.
 *
 * @module
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { KDF_SALT_BYTES } from "../sealed/scrypt_cost.ts";
import {
  HEADER_SALT_BYTES,
  openStoreHeader,
  parseStoreHeader,
  sealStoreHeader,
  STORE_ID_BYTES,
  type StoreKind,
} from "../sealed/store_header.ts";
import { costOf, secretBytes, type StoreSecret } from "./store_secret.ts";

/** Whose store it is. */
export interface StoreOwner {
  readonly crypto: CryptoProvider;
  readonly kind: StoreKind;
  /** A nodeId, or no bytes. */
  readonly node: Uint8Array;
}

/** An opened header. The caller erases `master`. */
export interface StoreKey {
  readonly id: Uint8Array;
  readonly master: Uint8Array;
}

/** A new header with a fresh master key, and with a fresh id unless one is given. */
export async function newStoreKey(
  owner: StoreOwner,
  secret: StoreSecret,
  id?: Uint8Array,
): Promise<StoreKey & { readonly header: Uint8Array }> {
  const { crypto, kind, node } = owner;
  const cost = costOf(secret);
  const kdf = cost === null ? null : { ...cost, salt: crypto.randomBytes(KDF_SALT_BYTES) };
  const bytes = await secretBytes(crypto, secret, kdf, wrongKind(kind));
  try {
    const master = crypto.randomBytes(32);
    const facts = { kind, id: id ?? crypto.randomBytes(STORE_ID_BYTES), kdf, node };
    const salt = crypto.randomBytes(HEADER_SALT_BYTES);
    return { id: facts.id, master, header: sealStoreHeader(crypto, facts, bytes, salt, master) };
  } finally {
    wipe(bytes);
  }
}

/** @throws {SttError} STORAGE_KEY, STORAGE_CORRUPT, UNSUPPORTED, SEED. */
export async function openStoreKey(
  owner: StoreOwner,
  secret: StoreSecret,
  bytes: Uint8Array,
): Promise<StoreKey> {
  const header = parseStoreHeader(owner.kind, bytes);
  const key = await secretBytes(owner.crypto, secret, header.kdf, wrongKind(owner.kind));
  try {
    const master = openStoreHeader(owner.crypto, header, owner.node, key);
    if (master === undefined) {
      throw wrongKind(owner.kind)("another secret, another node, or a header that was changed");
    }
    return { id: header.id, master };
  } finally {
    wipe(key);
  }
}

function wrongKind(kind: StoreKind): (text: string) => SttError {
  return (text) => new SttError("STORAGE_KEY", `cannot open ${kind} store: ${text}`);
}

/** A nodeId or nothing. @throws {SttError} CONFIG. */
export function nodeBytes(nodeId: Uint8Array | undefined): Uint8Array {
  if (nodeId === undefined) return new Uint8Array(0);
  if (nodeId instanceof Uint8Array && nodeId.length === 32) return new Uint8Array(nodeId);
  throw new SttError("CONFIG", "cannot use nodeId of the store: it is not 32 bytes");
}
