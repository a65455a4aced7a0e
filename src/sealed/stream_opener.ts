/**
 * Reads the chunks of a sealed stream (SPEC 14.6).
 *
 * @module
 */
import { readU32 } from "../codec/u64.ts";
import { TAG_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import {
  LIVE_PREFIX_BYTES,
  type SealedStreamFacts,
  type SealedStreamKeys,
  splitLivePrefix,
} from "./stream_format.ts";

/** Sealed bytes in, in pieces of any size; plaintext out, each chunk of it verified. */
export class StreamOpener {
  readonly #keys: SealedStreamKeys;
  readonly #live: boolean;
  readonly #chunkBytes: number;
  /** What has come of the chunk that is next, at most a chunk and one byte. */
  readonly #buffer: Uint8Array;
  #used = 0;
  #index = 0;
  #lastSeen = false;

  /** Takes the keys over. */
  constructor(keys: SealedStreamKeys, facts: SealedStreamFacts) {
    this.#keys = keys;
    this.#live = facts.live;
    this.#chunkBytes = 2 ** facts.chunkBits;
    this.#buffer = new Uint8Array(LIVE_PREFIX_BYTES + this.#chunkBytes + TAG_BYTES);
  }

  /**
   * Takes bytes and calls back with the plaintext of each chunk that is whole.
   *
   * @throws {SttError} SEALED_CHUNK; the stream cannot be read on.
   */
  push(bytes: Uint8Array, emit: (plaintext: Uint8Array) => void): void {
    for (let offset = 0; offset < bytes.length;) {
      const size = this.#size();
      if (this.#used === size) {
        // Behind a full chunk there is more, so it is not the last one.
        this.#openChunk(0, false, emit);
        continue;
      }
      const piece = bytes.subarray(offset, offset + size - this.#used);
      this.#buffer.set(piece, this.#used);
      this.#used += piece.length;
      offset += piece.length;
      if (this.#live) this.#openWhole(emit);
    }
  }

  /**
   * The end of the input.
   *
   * @throws {SttError} SEALED_TRUNCATED when the last chunk has not come; SEALED_CHUNK.
   */
  end(emit: (plaintext: Uint8Array) => void): void {
    if (this.#live ? !this.#lastSeen || this.#used > 0 : this.#used < TAG_BYTES) throw truncated();
    // A cut between chunks, or within one, makes a chunk the last one that is none.
    if (!this.#live) this.#openChunk(0, true, emit);
    this.destroy();
  }

  /** Erases the keys. */
  destroy(): void {
    this.#keys.destroy();
  }

  /** Bytes of the next chunk as far as they are known. */
  #size(): number {
    if (!this.#live) return this.#chunkBytes + TAG_BYTES;
    if (this.#lastSeen) throw chunkError(this.#index, "bytes follow the last chunk");
    if (this.#used < LIVE_PREFIX_BYTES) return LIVE_PREFIX_BYTES;
    const { length } = splitLivePrefix(readU32(this.#buffer, 0));
    if (length > this.#chunkBytes) {
      throw chunkError(this.#index, `its ${length} bytes are more than ${this.#chunkBytes}`);
    }
    return LIVE_PREFIX_BYTES + length + TAG_BYTES;
  }

  #openWhole(emit: (plaintext: Uint8Array) => void): void {
    if (this.#used < LIVE_PREFIX_BYTES || this.#used < this.#size()) return;
    const { last } = splitLivePrefix(readU32(this.#buffer, 0));
    this.#openChunk(LIVE_PREFIX_BYTES, last, emit);
    this.#lastSeen = last;
  }

  #openChunk(start: number, last: boolean, emit: (plaintext: Uint8Array) => void): void {
    const sealed = this.#buffer.subarray(start, this.#used);
    const plaintext = this.#keys.open(this.#index, last, this.#live, sealed);
    if (plaintext === undefined) {
      // A full chunk at the end of the input is either damaged, or not the last one.
      const cut = !this.#live && last &&
        this.#keys.open(this.#index, false, false, sealed) !== undefined;
      if (cut) throw truncated();
      throw chunkError(this.#index, "damaged, out of place, or cut off");
    }
    // One form for one content: a chunk without bytes is a whole stream, or the end of a live one.
    if (plaintext.length === 0 && !(last && (this.#live || this.#index === 0))) {
      throw chunkError(this.#index, "it is empty");
    }
    this.#index++;
    this.#used = 0;
    if (plaintext.length > 0) emit(plaintext);
  }
}

function truncated(): SttError {
  return new SttError("SEALED_TRUNCATED", "cannot open sealed stream: it ends early");
}

function chunkError(index: number, reason: string): SttError {
  return new SttError("SEALED_CHUNK", `cannot open chunk ${index} of sealed stream: ${reason}`);
}
