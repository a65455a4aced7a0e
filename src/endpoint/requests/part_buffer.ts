/**
 * Bytes of one direction of a request as they arrive, and the parts that they make up (SPEC 12.9).
 *
 * @module
 */
import { decodeVarint } from "../../codec/varint.ts";
import { SttError } from "../../errors.ts";
import { mayBeBlock, type TakenBlock, takeServiceBlock } from "../service_block.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** A length of up to 2^53 takes so many bytes. */
const MAX_LENGTH_BYTES = 8;

/** What a direction is made of behind the header: items, or the mark that a failure follows. */
export type Part = Uint8Array | "failure";

/** Holds at most one part and one chunk. */
export class PartBuffer {
  #bytes: Uint8Array = EMPTY;
  #start = 0;
  #end = 0;

  /** Bytes that belong to no part yet. */
  get pending(): number {
    return this.#end - this.#start;
  }

  /** Adds what arrived; the array must not change afterwards. */
  push(chunk: Uint8Array): void {
    if (this.pending === 0) {
      this.#bytes = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      return;
    }
    const pending = this.pending;
    if (this.#end + chunk.length > this.#bytes.length) {
      // Twice of what is there: memory follows what arrived, not what a length promises.
      const grown = new Uint8Array(Math.max(2 * pending, pending + chunk.length));
      grown.set(this.#bytes.subarray(this.#start, this.#end));
      this.#bytes = grown;
      this.#start = 0;
      this.#end = pending;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Takes all that is pending. */
  takeAll(): Uint8Array {
    const all = this.#bytes.subarray(this.#start, this.#end);
    this.#bytes = EMPTY;
    this.#start = 0;
    this.#end = 0;
    return all;
  }

  /** Whether a block can begin here; undefined while too few bytes are there. */
  mayBeBlock(): boolean | undefined {
    return mayBeBlock(this.#bytes.subarray(this.#start, this.#end));
  }

  /**
   * The block that begins here; `skip` its size to take it.
   *
   * @returns undefined while bytes are missing.
   * @throws {SttError} PROTOCOL for what is no block.
   */
  block(what: string): TakenBlock | undefined {
    return takeServiceBlock(this.#bytes.subarray(this.#start, this.#end), what);
  }

  /** Takes bytes that are pending. */
  skip(size: number): void {
    this.#start += size;
  }

  /**
   * @returns undefined while bytes are missing.
   * @throws {SttError} PROTOCOL for a malformed length, BUFFER_EXCEEDED for an item above `maxItem`.
   */
  part(maxItem: number): Part | undefined {
    const length = this.#itemLength();
    if (length === undefined) return undefined;
    if (length.value === 0) {
      this.#start += length.size;
      return "failure";
    }
    const size = length.value - 1;
    if (size > maxItem) {
      throw new SttError(
        "BUFFER_EXCEEDED",
        `cannot take item of a request: ${size} bytes exceed ${maxItem}`,
        { limit: maxItem },
      );
    }
    const from = this.#start + length.size;
    if (this.#end - from < size) return undefined;
    const item = this.#bytes.subarray(from, from + size);
    this.#start = from + size;
    // Whoever keeps the item keeps its buffer: never more than four times its size.
    return 4 * size < item.buffer.byteLength ? item.slice() : item;
  }

  #itemLength(): { readonly value: number; readonly size: number } | undefined {
    const head = this.#bytes.subarray(
      this.#start,
      Math.min(this.#end, this.#start + MAX_LENGTH_BYTES),
    );
    if (head.length < MAX_LENGTH_BYTES && head.every((byte) => byte >= 0x80)) return undefined;
    try {
      const { value, size } = decodeVarint(head);
      if (typeof value === "number" && Number.isSafeInteger(value)) return { value, size };
    } catch (cause) {
      throw new SttError("PROTOCOL", "cannot decode request: malformed length of an item", {
        cause,
      });
    }
    throw new SttError("PROTOCOL", "cannot decode request: length of an item is 2^53 or above");
  }
}
