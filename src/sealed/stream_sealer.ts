/**
 * Makes the chunks of a sealed stream (SPEC 14.6).
 *
 * @module
 */
import { TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { wipe } from "../crypto/secret.ts";
import {
  LIVE_PREFIX_BYTES,
  type SealedStreamFacts,
  type SealedStreamKeys,
  writeLivePrefix,
} from "./stream_format.ts";

/** Bytes in, chunks out. Give every chunk that comes out to the reader, in order. */
export class StreamSealer {
  readonly #keys: SealedStreamKeys;
  readonly #live: boolean;
  readonly #chunkBytes: number;
  readonly #prefix: number;
  #buffer: Uint8Array;
  #used = 0;
  #index = 0;
  #ended = false;

  /** Takes the keys over. */
  constructor(keys: SealedStreamKeys, facts: SealedStreamFacts) {
    this.#keys = keys;
    this.#live = facts.live;
    this.#chunkBytes = 2 ** facts.chunkBits;
    this.#prefix = facts.live ? LIVE_PREFIX_BYTES : 0;
    this.#buffer = this.#newBuffer();
  }

  /**
   * Takes bytes and calls back with each chunk that they complete. Of a stream that is not live, a full chunk waits for
   * the byte behind it: only then it is not the last one.
   */
  push(bytes: Uint8Array, emit: (chunk: Uint8Array) => void): void {
    if (this.#ended) throw new SttError("CLOSED", "cannot seal: the stream has ended");
    for (let offset = 0; offset < bytes.length;) {
      if (this.#used === this.#chunkBytes) emit(this.#chunk(false));
      const piece = bytes.subarray(offset, offset + this.#chunkBytes - this.#used);
      this.#buffer.set(piece, this.#prefix + this.#used);
      this.#used += piece.length;
      offset += piece.length;
    }
    if (this.#live && this.#used > 0) emit(this.#chunk(false));
  }

  /** The last chunk: without it, the stream is cut off. */
  end(): Uint8Array {
    if (this.#ended) throw new SttError("CLOSED", "cannot seal: the stream has ended");
    this.#ended = true;
    const chunk = this.#chunk(true);
    this.destroy();
    return chunk;
  }

  /** Erases what waits, and the keys. */
  destroy(): void {
    this.#ended = true;
    wipe(this.#buffer);
    this.#keys.destroy();
  }

  #chunk(last: boolean): Uint8Array {
    const end = this.#prefix + this.#used;
    const chunk = this.#buffer.subarray(0, end + TAG_BYTES);
    if (this.#live) writeLivePrefix(chunk, 0, this.#used, last);
    this.#keys.seal(this.#index++, last, this.#live, chunk, this.#prefix, end);
    this.#used = 0;
    // The chunk belongs to whoever gets it.
    this.#buffer = last ? new Uint8Array(0) : this.#newBuffer();
    return chunk;
  }

  #newBuffer(): Uint8Array {
    return new Uint8Array(this.#prefix + this.#chunkBytes + TAG_BYTES);
  }
}
