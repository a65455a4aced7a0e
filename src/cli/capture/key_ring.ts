/**
 * Keys out of a key log, and frames opened with them.
 *
 * @module
 */
import { FrameHeader, parseFrameHeader } from "../../codec/frame.ts";
import { toHex } from "../../codec/hex.ts";
import { readVarintNumber } from "../../codec/varint.ts";
import { FRAME_MAX_BODY } from "../../constants.ts";
import type { AeadKey, CryptoProvider } from "../../crypto/provider.ts";
import { aeadOfSuite } from "../../session/epoch_keys.ts";
import { type KeyLogEntry, parseKeyLogLine } from "../../session/key_log.ts";

/** A key log of more keys than this is none that a person looks at. */
const MAX_KEYS = 200_000;

interface RingKey {
  readonly entry: KeyLogEntry;
  /** From the first use on. */
  aead: AeadKey | undefined;
}

/** A frame that was opened. */
export interface OpenedFrame {
  readonly direction: "i2r" | "r2i";
  readonly payload: Uint8Array;
}

/** The keys of a key log, by session and epoch. */
export class KeyRing {
  /** Keys on the ring. */
  size = 0;
  readonly #provider: CryptoProvider;
  readonly #keys: Map<string, RingKey[]> = new Map();
  readonly #header: FrameHeader = new FrameHeader();

  /** `text`: lines of a key log; others are passed over. */
  constructor(provider: CryptoProvider, text: string) {
    this.#provider = provider;
    for (const line of text.split("\n")) {
      const entry = parseKeyLogLine(line);
      if (entry !== undefined && this.size < MAX_KEYS) this.#add(entry);
    }
  }

  #add(entry: KeyLogEntry): void {
    const name = `${toHex(entry.sessionId)} ${entry.epoch}`;
    const keys = this.#keys.get(name) ?? [];
    // Both sides may have logged to the same file.
    const others = keys.filter((key) => key.entry.direction !== entry.direction);
    this.size += others.length === keys.length ? 1 : 0;
    this.#keys.set(name, [...others, { entry, aead: undefined }]);
  }

  /** The plaintext of one whole frame; undefined without its key, or when its tag does not verify. Never throws. */
  open(frame: Uint8Array): OpenedFrame | undefined {
    const header = this.#header;
    try {
      parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, header);
      const { metadataStart, metadataEnd } = header;
      const epoch = readVarintNumber(frame, metadataStart, metadataEnd);
      for (const key of this.#keys.get(`${toHex(header.sessionId)} ${epoch}`) ?? []) {
        key.aead ??= this.#provider.aead(aeadOfSuite(key.entry.suite), key.entry.key);
        const nonce = nonceOf(key.entry.iv, header.sequence);
        const payload = key.aead.open(nonce, header.associatedData, header.payload);
        if (payload !== undefined) return { direction: key.entry.direction, payload };
      }
    } catch {
      return undefined;
    }
    return undefined;
  }
}

/** SPEC 7: iv XOR sequence, big-endian and left-padded. */
function nonceOf(iv: Uint8Array, sequence: number): Uint8Array {
  const nonce = iv.slice();
  const view = new DataView(nonce.buffer);
  view.setUint32(4, view.getUint32(4) ^ Math.floor(sequence / 4_294_967_296));
  view.setUint32(8, view.getUint32(8) ^ sequence % 4_294_967_296);
  return nonce;
}
