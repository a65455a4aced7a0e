/**
 * The bytes of a chamber: where each part lies and how it is sealed (SPEC 14.4).
 *
 * @module
 */
import { writeU64 } from "../codec/u64.ts";
import { KEY_BYTES, TAG_BYTES } from "../constants.ts";
import { hkdfExpand } from "../crypto/hkdf.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Secret, wipe } from "../crypto/secret.ts";
import { BOX_OVERHEAD, BOX_SALT_BYTES, type BoxContext, openBox, sealBox } from "./box.ts";
import {
  type ChamberHead,
  decodeHead,
  decodeIndex,
  encodeHead,
  encodeIndex,
  type RecordEntry,
} from "./chamber_index.ts";
import { corrupt } from "./fields.ts";

/** Key of the header in a provider. */
export const CHAMBER_HEADER_KEY: Uint8Array = new Uint8Array([0x01]);

/** First byte of the keys of everything else of a chamber. */
export const CHAMBER_PART_PREFIX = 0x02;

/** Parts of a chamber besides its header. */
export type ChamberPart = "record" | "index" | "head";

const PARTS: readonly ChamberPart[] = ["record", "index", "head"];
const LOCATION_BYTES = 16;
const UTF8: TextEncoder = new TextEncoder();

/** A sealed record and what the index keeps of it. */
export interface SealedRecord {
  readonly bytes: Uint8Array;
  /** The last 16 bytes. */
  readonly tag: Uint8Array;
}

/** Seals, opens and finds the parts of one chamber under one master key. */
export class ChamberCipher {
  readonly #provider: CryptoProvider;
  readonly #id: Uint8Array;
  readonly #node: Uint8Array;
  readonly #keys: ReadonlyMap<ChamberPart, Secret>;
  readonly #locator: Secret;

  /**
   * @param master 32 bytes; not kept, the caller erases them.
   * @param id The chamber's id of 16 bytes.
   * @param node The nodeId that the chamber belongs to, or no bytes.
   */
  constructor(provider: CryptoProvider, master: Uint8Array, id: Uint8Array, node: Uint8Array) {
    const derive = (label: string): Secret =>
      new Secret(hkdfExpand(provider, master, `stt1 chamber ${label}`, KEY_BYTES));
    this.#provider = provider;
    this.#id = id;
    this.#node = node;
    this.#keys = new Map(PARTS.map((part) => [part, derive(part)]));
    this.#locator = derive("location");
  }

  /** Where a part lies. `number` is a record's version, an index's generation, and 0 for the head. */
  locate(part: ChamberPart, number: number): Uint8Array {
    const text = UTF8.encode(part);
    const input = new Uint8Array(text.length + 9);
    input.set(text);
    writeU64(input, text.length + 1, number);
    const mac = this.#provider.hmacSha256(this.#locator.reveal(), input);
    const key = new Uint8Array(1 + LOCATION_BYTES);
    key[0] = CHAMBER_PART_PREFIX;
    key.set(mac.subarray(0, LOCATION_BYTES), 1);
    return key;
  }

  /** @param salt 32 fresh random bytes; by default the provider's. */
  sealRecord(name: string, version: number, value: Uint8Array, salt?: Uint8Array): SealedRecord {
    const bytes = this.#seal("record", this.#recordContext(name, version), value, salt);
    return { bytes, tag: bytes.slice(bytes.length - TAG_BYTES) };
  }

  /**
   * The value of a record.
   *
   * @throws {SttError} STORAGE_CORRUPT when it is not the one that the index names.
   */
  openRecord(name: string, entry: RecordEntry, bytes: Uint8Array | undefined): Uint8Array {
    const what = `record ${JSON.stringify(name)}`;
    if (bytes === undefined) throw corrupt(what, "it is missing");
    const expected = entry.size + BOX_OVERHEAD;
    if (bytes.length !== expected) {
      throw corrupt(what, `${bytes.length} bytes are not the ${expected} that were written`);
    }
    const tag = bytes.subarray(bytes.length - TAG_BYTES);
    if (!this.#provider.equal(tag, entry.tag)) {
      throw corrupt(what, "it is not the one that was written last");
    }
    return this.openRecordAs(name, entry.version, bytes);
  }

  /** {@link ChamberCipher.openRecord} by name and version alone. */
  openRecordAs(name: string, version: number, bytes: Uint8Array): Uint8Array {
    return this.#open(
      `record ${JSON.stringify(name)}`,
      "record",
      this.#recordContext(name, version),
      bytes,
    );
  }

  sealIndex(
    generation: number,
    entries: ReadonlyMap<string, RecordEntry>,
    salt?: Uint8Array,
  ): Uint8Array {
    return this.#sealWiped(
      "index",
      this.#context({ version: generation }),
      encodeIndex(entries),
      salt,
    );
  }

  openIndex(generation: number, bytes: Uint8Array | undefined): Map<string, RecordEntry> {
    const what = "index of the chamber";
    if (bytes === undefined) throw corrupt(what, "it is missing");
    return decodeIndex(this.#open(what, "index", this.#context({ version: generation }), bytes));
  }

  sealHead(head: ChamberHead, salt?: Uint8Array): Uint8Array {
    return this.#sealWiped("head", this.#context({}), encodeHead(head), salt);
  }

  openHead(bytes: Uint8Array | undefined): ChamberHead {
    const what = "head of the chamber";
    if (bytes === undefined) throw corrupt(what, "it is missing");
    return decodeHead(this.#open(what, "head", this.#context({}), bytes));
  }

  /** Erases the keys. */
  destroy(): void {
    for (const key of this.#keys.values()) key.wipe();
    this.#locator.wipe();
  }

  #context(fields: BoxContext): BoxContext {
    return { chamber: this.#id, node: this.#node, ...fields };
  }

  #recordContext(name: string, version: number): BoxContext {
    return this.#context({ name, version });
  }

  #sealWiped(
    part: ChamberPart,
    context: BoxContext,
    plaintext: Uint8Array,
    salt?: Uint8Array,
  ): Uint8Array {
    try {
      return this.#seal(part, context, plaintext, salt);
    } finally {
      wipe(plaintext);
    }
  }

  #seal(
    part: ChamberPart,
    context: BoxContext,
    plaintext: Uint8Array,
    salt: Uint8Array = this.#provider.randomBytes(BOX_SALT_BYTES),
  ): Uint8Array {
    return sealBox(this.#provider, this.#key(part), salt, context, plaintext);
  }

  #open(what: string, part: ChamberPart, context: BoxContext, bytes: Uint8Array): Uint8Array {
    const plaintext = openBox(this.#provider, this.#key(part), context, bytes);
    if (plaintext === undefined) throw corrupt(what, "it does not verify");
    return plaintext;
  }

  #key(part: ChamberPart): Uint8Array {
    return (this.#keys.get(part) as Secret).reveal();
  }
}
