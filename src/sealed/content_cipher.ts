/**
 * The bytes of a content store: addresses, and where each part lies and how it is sealed (SPEC 14.5).
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import { writeU32 } from "../codec/u64.ts";
import { encodeValue, type SttValue } from "../codec/values.ts";
import { KEY_BYTES } from "../constants.ts";
import { hkdfExpand } from "../crypto/hkdf.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Secret } from "../crypto/secret.ts";
import { BOX_SALT_BYTES, type BoxContext, openBox, sealBox } from "./box.ts";
import { corrupt, DictFields, integerOf, readCanonical } from "./fields.ts";

/** Bytes of content in every part but the last. */
export const CONTENT_PART_BYTES = 262_144;

/** Bytes of the random id under which the parts of a content lie. */
export const BLOB_ID_BYTES = 16;

export const CONTENT_HEADER_KEY: Uint8Array = new Uint8Array([0x11]);
export const CONTENT_INDEX_KEY: Uint8Array = new Uint8Array([0x12]);
/** First bytes of the keys of manifests and of parts. */
export const CONTENT_MANIFEST_PREFIX = 0x13;
export const CONTENT_PART_PREFIX = 0x14;

const ADDRESS_BYTES = 32;
const LOCATION_BYTES = 16;
const MAX_ENTRIES = 1_048_576;

/** What is known of a content without reading it. */
export interface ContentEntry {
  /** 32 bytes: the keyed hash of the content. */
  readonly address: Uint8Array;
  readonly blob: Uint8Array;
  /** Bytes. */
  readonly size: number;
  /** Unix milliseconds of the `put`. */
  readonly created: number;
}

/** Number of parts of a content; an empty one has one. */
export function partCount(size: number): number {
  return Math.max(1, Math.ceil(size / CONTENT_PART_BYTES));
}

/** Where a part lies. */
export function locatePart(blob: Uint8Array, index: number): Uint8Array {
  const key = new Uint8Array(1 + BLOB_ID_BYTES + 4);
  key[0] = CONTENT_PART_PREFIX;
  key.set(blob, 1);
  writeU32(key, 1 + BLOB_ID_BYTES, index);
  return key;
}

/** The blob id in the key of a part, as hex. */
export function blobOfPartKey(key: Uint8Array): string {
  return toHex(key.subarray(1, 1 + BLOB_ID_BYTES));
}

type ContentLabel = "address" | "location" | "part" | "manifest" | "index";
const LABELS: readonly ContentLabel[] = ["address", "location", "part", "manifest", "index"];

/** Seals, opens and finds the entries of one content store. */
export class ContentCipher {
  readonly #provider: CryptoProvider;
  readonly #id: Uint8Array;
  readonly #node: Uint8Array;
  readonly #keys: ReadonlyMap<ContentLabel, Secret>;

  /** @param master 32 bytes; not kept, the caller erases them. */
  constructor(provider: CryptoProvider, master: Uint8Array, id: Uint8Array, node: Uint8Array) {
    this.#provider = provider;
    this.#id = id;
    this.#node = node;
    this.#keys = new Map(LABELS.map((label) => [
      label,
      new Secret(hkdfExpand(provider, master, `stt1 content ${label}`, KEY_BYTES)),
    ]));
  }

  /** The address of nothing yet: hand it to {@link ContentCipher.extendAddress} with each part. */
  emptyAddress(): Uint8Array {
    return new Uint8Array(ADDRESS_BYTES);
  }

  /** SPEC 14.5.2: the address after one more part. */
  extendAddress(address: Uint8Array, part: Uint8Array, last: boolean): Uint8Array {
    const mark = new Uint8Array([last ? 1 : 0]);
    return this.#provider.hmacSha256(this.#key("address"), address, mark, part);
  }

  locateManifest(address: Uint8Array): Uint8Array {
    const key = new Uint8Array(1 + LOCATION_BYTES);
    key[0] = CONTENT_MANIFEST_PREFIX;
    const mac = this.#provider.hmacSha256(this.#key("location"), address);
    key.set(mac.subarray(0, LOCATION_BYTES), 1);
    return key;
  }

  sealPart(
    blob: Uint8Array,
    index: number,
    last: boolean,
    part: Uint8Array,
    salt?: Uint8Array,
  ): Uint8Array {
    return this.#seal("part", { blob, index, last }, part, salt);
  }

  openPart(blob: Uint8Array, index: number, last: boolean, bytes: Uint8Array): Uint8Array {
    return this.#open(`part ${index} of a content`, "part", { blob, index, last }, bytes);
  }

  sealManifest(entry: ContentEntry, salt?: Uint8Array): Uint8Array {
    const { address, blob, size, created } = entry;
    const location = this.locateManifest(address);
    return this.#seal(
      "manifest",
      { location },
      encodeValue({ address, blob, created, size }),
      salt,
    );
  }

  /** @param location The key under which it was found. */
  openManifest(location: Uint8Array, bytes: Uint8Array): ContentEntry {
    const what = "manifest of a content";
    const value = readCanonical(what, this.#open(what, "manifest", { location }, bytes));
    const fields = new DictFields(what, value, ["address", "blob", "created", "size"]);
    return {
      address: fields.bytes("address", ADDRESS_BYTES),
      blob: fields.bytes("blob", BLOB_ID_BYTES),
      created: fields.integer("created", 0, Number.MAX_SAFE_INTEGER),
      size: fields.integer("size", 0, Number.MAX_SAFE_INTEGER),
    };
  }

  /** Entries from the one that was not used for longest to the one used last. */
  sealIndex(entries: Iterable<ContentEntry>, salt?: Uint8Array): Uint8Array {
    const items = [...entries].map(({ address, blob, size, created }) =>
      [address, blob, created, size] as SttValue
    );
    return this.#seal("index", {}, encodeValue({ entries: items }), salt);
  }

  openIndex(bytes: Uint8Array): ContentEntry[] {
    const what = "index of the content store";
    const plaintext = this.#open(what, "index", {}, bytes);
    const value = readCanonical(what, plaintext, { maxDepth: 3, maxEntries: MAX_ENTRIES });
    return new DictFields(what, value, ["entries"]).list("entries").map((item) => {
      const [address, blob, created, size] = (Array.isArray(item) ? item : []) as SttValue[];
      const form = Array.isArray(item) && item.length === 4 &&
        address instanceof Uint8Array && address.length === ADDRESS_BYTES &&
        blob instanceof Uint8Array && blob.length === BLOB_ID_BYTES;
      if (!form) throw corrupt(what, "malformed entry");
      return {
        address: address as Uint8Array,
        blob: blob as Uint8Array,
        created: integerOf(what, "created", created, 0, Number.MAX_SAFE_INTEGER),
        size: integerOf(what, "size", size, 0, Number.MAX_SAFE_INTEGER),
      };
    });
  }

  /** Erases the keys. */
  destroy(): void {
    for (const key of this.#keys.values()) key.wipe();
  }

  #seal(
    label: ContentLabel,
    context: BoxContext,
    plaintext: Uint8Array,
    salt: Uint8Array = this.#provider.randomBytes(BOX_SALT_BYTES),
  ): Uint8Array {
    return sealBox(this.#provider, this.#key(label), salt, this.#context(context), plaintext);
  }

  #open(what: string, label: ContentLabel, context: BoxContext, bytes: Uint8Array): Uint8Array {
    const opened = openBox(this.#provider, this.#key(label), this.#context(context), bytes);
    if (opened === undefined) throw corrupt(what, "it does not verify");
    return opened;
  }

  #context(fields: BoxContext): BoxContext {
    return { store: this.#id, node: this.#node, ...fields };
  }

  #key(label: ContentLabel): Uint8Array {
    return (this.#keys.get(label) as Secret).reveal();
  }
}
