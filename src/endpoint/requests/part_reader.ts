/**
 * Reads the parts of one direction of a request from its stream.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Block, TakenBlock } from "../service_block.ts";
import type { SttStream } from "../stt_stream.ts";
import { type Part, PartBuffer } from "./part_buffer.ts";

/** Takes no more from the stream than the next part needs, so that the writer is slowed down by a slow reader. */
export class PartReader {
  readonly #stream: SttStream;
  readonly #buffer: PartBuffer = new PartBuffer();
  readonly #maxItem: number;
  #ended = false;

  constructor(stream: SttStream, maxItem: number) {
    this.#stream = stream;
    this.#maxItem = maxItem;
  }

  /** The peer has finished this direction and all of it was taken. */
  get ended(): boolean {
    return this.#ended && this.#buffer.pending === 0;
  }

  /** So little has arrived that it may or may not be a block. */
  get undecided(): boolean {
    return this.#buffer.mayBeBlock() === undefined;
  }

  /** The block that begins the direction, or undefined for what can be none. It stays until `skip`. */
  async begin(what: string, signal: () => AbortSignal): Promise<TakenBlock | undefined> {
    for (;;) {
      const may = this.#buffer.mayBeBlock();
      if (may === false) return undefined;
      if (may === true) break;
      if (!await this.#arrived(signal)) return undefined;
    }
    for (;;) {
      const taken = this.#buffer.block(what);
      if (taken !== undefined) return taken;
      if (!await this.#arrived(signal)) throw cutOff(what);
    }
  }

  /** Takes the block that `begin` found. */
  skip(size: number): void {
    this.#buffer.skip(size);
  }

  /** Takes the next block. @throws {SttError} PROTOCOL when it is malformed or the direction ends before it. */
  async block(what: string, signal: AbortSignal): Promise<Block> {
    for (;;) {
      const taken = this.#buffer.block(what);
      if (taken !== undefined) {
        this.#buffer.skip(taken.size);
        return taken.block;
      }
      if (!await this.#fill(signal)) throw cutOff(what);
    }
  }

  /** The next part, or null at the end. @throws {SttError} PROTOCOL, BUFFER_EXCEEDED, or what ended the stream. */
  async part(signal: AbortSignal): Promise<Part | null> {
    for (;;) {
      const part = this.#buffer.part(this.#maxItem);
      if (part !== undefined) return part;
      if (await this.#fill(signal)) continue;
      if (this.#buffer.pending > 0) throw cutOff("item");
      return null;
    }
  }

  /** Gives back to the stream what was read and not taken. */
  unread(): void {
    this.#stream.unread(this.#buffer.takeAll());
  }

  /** Most of the time it is there already, and nobody has to be asked for a signal. */
  async #arrived(signal: () => AbortSignal): Promise<boolean> {
    const chunk = this.#ended ? null : this.#stream.tryRead();
    if (chunk === undefined) return await this.#fill(signal());
    if (chunk === null) this.#ended = true;
    else this.#buffer.push(chunk);
    return chunk !== null;
  }

  /** False at the end. */
  async #fill(signal: AbortSignal): Promise<boolean> {
    if (this.#ended) return false;
    const chunk = await this.#stream.read({ signal });
    if (chunk === null) this.#ended = true;
    else this.#buffer.push(chunk);
    return chunk !== null;
  }
}

function cutOff(what: string): SttError {
  return new SttError("PROTOCOL", `cannot decode request: the stream ended within its ${what}`);
}
