/**
 * Messages on a stream: a minimal varint length, then the bytes (SPEC 8).
 *
 * @module
 */
import { SttError } from "../errors.ts";

const MAX_PREFIX_BYTES = 8;

/** Reads a length prefix byte by byte, because it may lie across frames. */
export class LengthPrefix {
  #value = 0;
  #scale = 1;
  #bytes = 0;

  /** Bytes taken since the last complete prefix. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes one byte and returns the length when it was the last, else undefined.
   *
   * @throws {SttError} `PROTOCOL` for a prefix that is not minimal or not below 2^53
   */
  push(byte: number): number | undefined {
    this.#value += (byte & 0x7f) * this.#scale;
    this.#scale *= 128;
    this.#bytes++;
    if (byte >= 0x80) {
      if (this.#bytes === MAX_PREFIX_BYTES) {
        throw new SttError("PROTOCOL", "cannot read message: its length is not below 2^53");
      }
      return undefined;
    }
    if (byte === 0 && this.#bytes > 1) {
      throw new SttError("PROTOCOL", "cannot read message: its length is not minimal");
    }
    const value = this.#value;
    if (value > Number.MAX_SAFE_INTEGER) {
      throw new SttError("PROTOCOL", "cannot read message: its length is not below 2^53");
    }
    this.reset();
    return value;
  }

  reset(): void {
    this.#value = 0;
    this.#scale = 1;
    this.#bytes = 0;
  }
}

/** Follows the bytes of an ordered stream as they arrive and counts the messages that are whole. */
export class MessageScanner {
  readonly #maxSize: number;
  readonly #prefix: LengthPrefix = new LengthPrefix();
  #left = 0;
  /** Whole messages seen and not yet taken. */
  complete = 0;
  /** Set to the size of the first message above the limit; nothing behind it is looked at. */
  tooLarge: number | undefined;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** True when the bytes so far end inside a message. */
  get inside(): boolean {
    return this.#left > 0 || this.#prefix.bytes > 0;
  }

  scan(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length && this.tooLarge === undefined) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        this.#left -= step;
        at += step;
        if (this.#left === 0) this.complete++;
        continue;
      }
      const size = this.#prefix.push(bytes[at++]!);
      if (size === undefined) continue;
      if (size > this.#maxSize) this.tooLarge = size;
      else if (size === 0) this.complete++;
      else this.#left = size;
    }
  }
}
