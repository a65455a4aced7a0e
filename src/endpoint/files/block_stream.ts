/**
 * Blocks and bytes in turn on one stream.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { SttStream } from "../stt_stream.ts";
import { type Block, takeBlock } from "./wire.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** Small chunks that lie ready are handed on together, up to this many bytes. */
const GATHER_BYTES = 65_536;

/** Reads a stream of the file service. */
export class BlockStream {
  readonly stream: SttStream;
  readonly #signal: AbortSignal | undefined;
  #rest: Uint8Array = EMPTY;
  #ended = false;

  constructor(stream: SttStream, signal: AbortSignal | undefined) {
    this.stream = stream;
    this.#signal = signal;
  }

  /** The next block. @throws {SttError} PROTOCOL when it is malformed or the stream ends before it. */
  async block(): Promise<Block> {
    for (;;) {
      const taken = takeBlock(this.#rest);
      if (taken !== undefined) {
        this.#rest = this.#rest.subarray(taken.size);
        return taken.block;
      }
      const chunk = await this.#next();
      if (chunk === null) {
        throw new SttError("PROTOCOL", "cannot decode file block: the stream ended before it");
      }
      // Never more than a block and one chunk: takeBlock refuses what is longer.
      this.#rest = concat(this.#rest, chunk);
    }
  }

  /** The next 1 to `max` bytes, or null at the end of the stream. */
  async bytes(max: number): Promise<Uint8Array | null> {
    if (this.#rest.length === 0) {
      const chunk = await this.#next();
      if (chunk === null) return null;
      this.#rest = this.#gathered(chunk);
    }
    const bytes = this.#rest.subarray(0, max);
    this.#rest = this.#rest.subarray(bytes.length);
    return bytes;
  }

  /** Puts bytes back in front. */
  unread(bytes: Uint8Array): void {
    this.#rest = this.#rest.length === 0 ? bytes : concat(bytes, this.#rest);
  }

  /** @throws {SttError} PROTOCOL when anything follows. */
  async expectEnd(): Promise<void> {
    if (await this.bytes(1) !== null) {
      throw new SttError("PROTOCOL", "cannot take file: bytes follow its last block");
    }
  }

  /** Writes a block, waiting no longer than the signal allows. */
  async write(block: Uint8Array): Promise<void> {
    await this.stream.write(block, {
      own: true,
      ...(this.#signal === undefined ? {} : { signal: this.#signal }),
    });
  }

  /** Over UDP a chunk is a packet: what else lies ready joins it, or each would cost a turn of its own. */
  #gathered(first: Uint8Array): Uint8Array {
    if (first.length >= GATHER_BYTES / 2) return first;
    let chunk = this.stream.tryRead(GATHER_BYTES - first.length);
    if (chunk === undefined || chunk === null) {
      this.#ended = chunk === null;
      return first;
    }
    const bytes = new Uint8Array(GATHER_BYTES);
    bytes.set(first);
    let length = first.length;
    while (chunk !== undefined && chunk !== null) {
      bytes.set(chunk, length);
      length += chunk.length;
      if (length === GATHER_BYTES) break;
      chunk = this.stream.tryRead(GATHER_BYTES - length);
    }
    this.#ended = chunk === null;
    // Whoever keeps the chunk keeps its buffer: never more than four times its size.
    return 4 * length < GATHER_BYTES ? bytes.slice(0, length) : bytes.subarray(0, length);
  }

  async #next(): Promise<Uint8Array | null> {
    if (this.#ended) return null;
    for (;;) {
      const chunk = await this.stream.read(
        this.#signal === undefined ? {} : { signal: this.#signal },
      );
      if (chunk === null) this.#ended = true;
      if (chunk === null || chunk.length > 0) return chunk;
    }
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
