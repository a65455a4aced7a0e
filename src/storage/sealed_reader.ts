/**
 * Random access to a sealed stream at rest (SPEC 14.6).
 *
 * @module
 */
import { TAG_BYTES } from "../constants.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { SttError } from "../errors.ts";
import {
  parseSealedHeader,
  SEALED_HEADER_MAX_BYTES,
  type SealedStreamKeys,
} from "../sealed/stream_format.ts";
import { openKeys, type SealSecret } from "./seal_stream.ts";

/** Bytes that can be read at any place: a file, a blob, a range of a web resource. */
export interface SealedSource {
  /** Bytes in all. */
  readonly size: number;
  /** Bytes from `offset` on: `length` of them, or fewer at the end. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/**
 * Reads a sealed stream at any place, without reading what is before it. Its size is authenticated when it is opened.
 *
 * @example
 * ```ts
 * import { generateSeed } from "@seigr/stt";
 * import { SealedReader, sealStream } from "@seigr/stt/storage";
 *
 * const secret = generateSeed();
 * const stream = new Blob(["x".repeat(100_000), "the end"]).stream();
 * const sealed = await new Response(stream.pipeThrough(sealStream({ secret }))).blob();
 * const reader = await SealedReader.open({
 *   size: sealed.size,
 *   read: async (offset, length) =>
 *     new Uint8Array(await sealed.slice(offset, offset + length).arrayBuffer()),
 * }, { secret });
 * console.log(reader.size); // 100007
 * console.log(new TextDecoder().decode(await reader.read(100_000, 7))); // the end
 * reader.close();
 * ```
 */
export class SealedReader {
  readonly #source: SealedSource;
  readonly #keys: SealedStreamKeys;
  /** Bytes in front of the first chunk. */
  readonly #start: number;
  readonly #chunkBytes: number;
  readonly #chunks: number;
  /** Bytes of plaintext. */
  readonly size: number;

  private constructor(
    source: SealedSource,
    keys: SealedStreamKeys,
    start: number,
    chunkBytes: number,
  ) {
    const sealedBytes = source.size - start;
    this.#source = source;
    this.#keys = keys;
    this.#start = start;
    this.#chunkBytes = chunkBytes;
    this.#chunks = Math.max(1, Math.ceil(sealedBytes / (chunkBytes + TAG_BYTES)));
    this.size = sealedBytes - this.#chunks * TAG_BYTES;
  }

  /**
   * Reads the header and verifies the last chunk, and with it the size.
   *
   * @throws {SttError} SEALED_KEY, SEALED_FORMAT, SEALED_CHUNK, SEALED_TRUNCATED; UNSUPPORTED for a live stream.
   */
  static async open(source: SealedSource, options: SealSecret): Promise<SealedReader> {
    const crypto = options.crypto ?? nodeProvider();
    const header = parseSealedHeader(await source.read(0, SEALED_HEADER_MAX_BYTES));
    if (header === undefined) {
      throw new SttError("SEALED_TRUNCATED", "cannot open sealed stream: it ends in its header");
    }
    if (header.live) {
      throw new SttError("UNSUPPORTED", "cannot read sealed stream at any place: it is a live one");
    }
    const keys = await openKeys(options, crypto, header);
    const start = header.bytes.length + header.mac.length;
    const reader = new SealedReader(source, keys, start, 2 ** header.chunkBits);
    try {
      if (reader.size < 0) {
        throw new SttError("SEALED_TRUNCATED", "cannot open sealed stream: it ends early");
      }
      await reader.#chunk(reader.#chunks - 1);
      return reader;
    } catch (error) {
      keys.destroy();
      throw error;
    }
  }

  /**
   * Plaintext from `offset` on: `length` bytes, or fewer at the end.
   *
   * @throws {SttError} SEALED_CHUNK for a chunk that does not verify.
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (
      !Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 0
    ) {
      throw new SttError("CONFIG", `cannot read ${length} bytes at ${offset}`);
    }
    const end = Math.min(this.size, offset + length);
    if (end <= offset) return new Uint8Array(0);
    const bytes = new Uint8Array(end - offset);
    const first = Math.floor(offset / this.#chunkBytes);
    for (let index = first; index * this.#chunkBytes < end; index++) {
      const from = index * this.#chunkBytes;
      const chunk = await this.#chunk(index);
      const piece = chunk.subarray(Math.max(0, offset - from), Math.min(chunk.length, end - from));
      bytes.set(piece, Math.max(0, from - offset));
    }
    return bytes;
  }

  /** Erases the keys. */
  close(): void {
    this.#keys.destroy();
  }

  async #chunk(index: number): Promise<Uint8Array> {
    const sealedBytes = this.#chunkBytes + TAG_BYTES;
    const offset = this.#start + index * sealedBytes;
    const sealed = await this.#source.read(
      offset,
      Math.min(sealedBytes, this.#source.size - offset),
    );
    const last = index === this.#chunks - 1;
    const plaintext = this.#keys.open(index, last, false, sealed);
    // SPEC 14.6.4: only a whole stream of no bytes has a chunk without bytes.
    if (plaintext !== undefined && (plaintext.length > 0 || index === 0)) return plaintext;
    throw new SttError(
      "SEALED_CHUNK",
      `cannot open chunk ${index} of sealed stream: damaged, out of place, or cut off`,
    );
  }
}
