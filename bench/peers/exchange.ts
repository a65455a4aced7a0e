/**
 * What the two sides of a bench say to each other over the connection that is measured: the client opens with a header
 * of 16 bytes, which tells how many bytes follow and how they are answered.
 *
 * @module
 */

/** The server swallows all bytes and answers the last with one byte. */
export const SWALLOW = 1;
/** The server answers every `size` bytes with as many. */
export const ANSWER = 2;

/** Bytes of a header. */
export const HEADER_BYTES = 16;

/** The header of `total` bytes. */
export function header(command: number, size: number, total: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, command);
  view.setUint32(4, size);
  view.setFloat64(8, total);
  return bytes;
}

const DONE = new Uint8Array([1]);

/** The server's side of one connection: takes what arrives, in pieces of any size, and answers. */
export class Server {
  readonly #answer: (bytes: Uint8Array) => void;
  readonly #header: Uint8Array = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #command = 0;
  #reply: Uint8Array = DONE;
  /** Bytes that are to come. */
  #left = 0;
  /** Bytes of the request that has come in part. */
  #part = 0;

  /** @param answer Sends bytes back; they never change afterwards. */
  constructor(answer: (bytes: Uint8Array) => void) {
    this.#answer = answer;
  }

  /** Takes bytes from the client. Throws Error for a header that is none. */
  take(bytes: Uint8Array): void {
    let offset = 0;
    while (offset < bytes.length) {
      if (this.#left === 0) {
        offset += this.#takeHeader(bytes, offset);
      } else {
        const taken = Math.min(this.#left, bytes.length - offset);
        this.#left -= taken;
        offset += taken;
        if (this.#command === SWALLOW) {
          if (this.#left === 0) this.#answer(DONE);
        } else {
          this.#part += taken;
          for (; this.#part >= this.#reply.length; this.#part -= this.#reply.length) {
            this.#answer(this.#reply);
          }
        }
      }
    }
  }

  #takeHeader(bytes: Uint8Array, offset: number): number {
    const taken = Math.min(HEADER_BYTES - this.#headerBytes, bytes.length - offset);
    this.#header.set(bytes.subarray(offset, offset + taken), this.#headerBytes);
    this.#headerBytes += taken;
    if (this.#headerBytes < HEADER_BYTES) return taken;
    this.#headerBytes = 0;
    const view = new DataView(this.#header.buffer);
    this.#command = view.getUint8(0);
    const size = view.getUint32(4);
    this.#left = view.getFloat64(8);
    if (this.#command !== SWALLOW && this.#command !== ANSWER) {
      throw new Error(`cannot serve command ${this.#command}`);
    }
    if (this.#reply.length !== size) this.#reply = new Uint8Array(size);
    return taken;
  }
}
