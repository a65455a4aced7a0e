import { SttError } from "../errors.ts";
import { scanBodyLength, scanMetadataLength } from "./frame_layout.ts";
import { varintSize } from "./varint.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
const FIRST_BUFFER_BYTES = 1024;

/**
 * Cuts a byte stream into frames (SPEC 3). Chunks may be of any size and split anywhere.
 *
 * After each {@link FrameAssembler.push}, call {@link FrameAssembler.next} until it returns undefined. The assembler
 * then holds at most the one frame that the chunk left unfinished, in memory that grows with the bytes that came, not
 * with the length that they claim. The first wrong byte is refused, for good.
 *
 * Offsets in errors count from the first byte ever pushed.
 *
 * @example
 * ```ts
 * import { encodeFrame, FrameAssembler } from "@seigr/stt/codec";
 * import assert from "node:assert/strict";
 * const empty = new Uint8Array(0);
 * const bytes = encodeFrame({
 *   type: 1, flags: 0, sessionId: new Uint8Array(8), sequence: 0, timestamp: 0, streamId: 0,
 *   metadata: empty, payload: empty,
 * });
 * const assembler = new FrameAssembler(65536);
 * assembler.push(bytes.subarray(0, 10));
 * assert.equal(assembler.next(), undefined);
 * assembler.push(bytes.subarray(10));
 * assert.deepEqual(assembler.next(), bytes);
 * ```
 */
export class FrameAssembler {
  /** Largest body taken, in bytes. A change holds from the next frame whose length is read. */
  maxBody: number;
  /**
   * True: a frame is good until the next call of `next` only, and the memory of one that was put together from several
   * chunks serves the next such frame. Default false: frames stay as they are.
   */
  reuse: boolean = false;
  #chunk: Uint8Array = EMPTY;
  #position = 0;
  /** Beginning of a frame that earlier chunks left unfinished. */
  #held: Uint8Array = EMPTY;
  #heldLength = 0;
  /** Size of the held frame, or 0 while unknown. */
  #heldTotal = 0;
  #metadataChecked = false;
  /** Bytes of the stream before the frame in work. */
  #streamOffset = 0;
  #failure: SttError | undefined;

  /** Starts at the first byte of a stream; `maxBody` is in bytes. */
  constructor(maxBody: number) {
    this.maxBody = maxBody;
  }

  /** Bytes taken in and not yet returned as frames. */
  get bufferedBytes(): number {
    return this.#heldLength + this.#chunk.length - this.#position;
  }

  /** True when bytes of an unfinished frame are held: a stream that ends now was cut. */
  get partial(): boolean {
    return this.bufferedBytes > 0;
  }

  /**
   * Takes the next chunk. Frames that lie inside it come back as views of it, so its owner must not overwrite it.
   *
   * @throws {SttError} the error of an earlier refusal; `INTERNAL` when frames of the previous chunk were not taken.
   */
  push(chunk: Uint8Array): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#position < this.#chunk.length) {
      throw new SttError("INTERNAL", "cannot push chunk: next() has not returned undefined yet");
    }
    this.#chunk = chunk;
    this.#position = 0;
  }

  /**
   * One whole frame, or undefined when more bytes are needed.
   *
   * @throws {SttError} `FRAME_MAGIC`, `FRAME_LENGTH`, `FRAME_TOO_SMALL`, `FRAME_TOO_LARGE`, `FRAME_METADATA_LENGTH` or
   * `FRAME_METADATA_OVERRUN`; every later call throws the same error.
   */
  next(): Uint8Array | undefined {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      return this.#heldLength > 0 ? this.#continueHeld() : this.#nextInChunk();
    } catch (error) {
      if (error instanceof SttError) {
        this.#failure = error;
        this.#chunk = EMPTY;
        this.#position = 0;
        this.#dropHeld();
      }
      throw error;
    }
  }

  #nextInChunk(): Uint8Array | undefined {
    const chunk = this.#chunk;
    const start = this.#position;
    const end = chunk.length;
    const origin = start - this.#streamOffset;
    const length = scanBodyLength(chunk, start, end, this.maxBody, origin);
    if (length >= 0) {
      const bodyStart = start + 2 + varintSize(length);
      const frameEnd = bodyStart + length;
      const metadata = scanMetadataLength(chunk, bodyStart, frameEnd, end, origin);
      this.#heldTotal = frameEnd - start;
      this.#metadataChecked = metadata >= 0;
      if (frameEnd <= end) return this.#takeFromChunk(start, frameEnd);
    }
    if (start < end) this.#hold(end - start);
    this.#chunk = EMPTY;
    this.#position = 0;
    return undefined;
  }

  #takeFromChunk(start: number, end: number): Uint8Array {
    const chunk = this.#chunk;
    this.#streamOffset += end - start;
    this.#heldTotal = 0;
    this.#metadataChecked = false;
    this.#position = end;
    if (end === chunk.length) {
      this.#chunk = EMPTY;
      this.#position = 0;
      // The stream may rest now: no memory is kept for frames that may never come.
      this.#held = EMPTY;
    }
    return start === 0 && end === chunk.length ? chunk : chunk.subarray(start, end);
  }

  #continueHeld(): Uint8Array | undefined {
    while (this.#heldTotal === 0) {
      if (this.#position === this.#chunk.length) return undefined;
      this.#hold(1);
      const length = scanBodyLength(
        this.#held,
        0,
        this.#heldLength,
        this.maxBody,
        -this.#streamOffset,
      );
      if (length >= 0) this.#heldTotal = 2 + varintSize(length) + length;
    }
    this.#hold(Math.min(this.#heldTotal - this.#heldLength, this.#chunk.length - this.#position));
    if (!this.#metadataChecked) this.#checkHeldMetadata();
    if (this.#heldLength < this.#heldTotal) return undefined;
    const held = this.#held;
    const total = this.#heldTotal;
    this.#streamOffset += total;
    this.#dropHeld();
    if (this.reuse && this.#position < this.#chunk.length) this.#held = held;
    return held.length === total ? held : held.subarray(0, total);
  }

  #checkHeldMetadata(): void {
    const bodyLength = scanBodyLength(this.#held, 0, this.#heldLength, this.#heldTotal, 0);
    const metadata = scanMetadataLength(
      this.#held,
      this.#heldTotal - bodyLength,
      this.#heldTotal,
      this.#heldLength,
      -this.#streamOffset,
    );
    this.#metadataChecked = metadata >= 0;
  }

  /** Moves `count` bytes of the chunk behind the held ones. */
  #hold(count: number): void {
    const needed = this.#heldLength + count;
    if (needed > this.#held.length) {
      // Four times what came bounds the memory a liar can take; most real frames then need one allocation.
      const wanted = Math.max(needed * 4, FIRST_BUFFER_BYTES);
      const capacity = this.#heldTotal > 0 ? Math.min(wanted, this.#heldTotal) : wanted;
      const grown = new Uint8Array(capacity);
      grown.set(this.#held.subarray(0, this.#heldLength));
      this.#held = grown;
    }
    this.#held.set(
      this.#chunk.subarray(this.#position, this.#position + count),
      this.#heldLength,
    );
    this.#heldLength = needed;
    this.#position += count;
    if (this.#position === this.#chunk.length) {
      this.#chunk = EMPTY;
      this.#position = 0;
    }
  }

  #dropHeld(): void {
    this.#held = EMPTY;
    this.#heldLength = 0;
    this.#heldTotal = 0;
    this.#metadataChecked = false;
  }
}
