/**
 * One direction of a stream, as models of streams and sessions know it.
 *
 * @module
 */
import assert from "node:assert/strict";
import { KIND_BYTES, KIND_UNORDERED } from "../constants.ts";

/** What was written, what was read, and how it ended. */
export class HalfModel {
  readonly kind: number;
  /** Bytes of the application, without lengths of messages. */
  written = 0;
  read = 0;
  /** Messages that were written and not read. */
  readonly unread: Uint8Array[] = [];
  /** Its sender writes no more. */
  finished = false;
  /** Reset by its sender, or stopped by its reader: what arrives is a part. */
  broken = false;
  /** Its reader saw the end, a reset, or wants no more. */
  ended = false;
  readonly #salt: number;

  /** Halves with different salts carry different bytes. */
  constructor(kind: number, salt: number) {
    this.kind = kind;
    this.#salt = salt;
  }

  /** The next bytes, or the next message, to write. */
  next(size: number): Uint8Array {
    return this.#content(this.written, size);
  }

  /** They were taken. */
  wrote(bytes: Uint8Array): void {
    this.written += bytes.length;
    if (this.kind !== KIND_BYTES) this.unread.push(bytes);
  }

  /** Bytes arrive in order, messages whole and in order unless they are unordered; each once. */
  take(item: Uint8Array): void {
    this.read += item.length;
    if (this.kind === KIND_BYTES) {
      assert.deepEqual(item, this.#content(this.read - item.length, item.length));
      return;
    }
    const same = (one: Uint8Array): boolean =>
      one.length === item.length && one.every((byte, at) => byte === item[at]);
    const index = this.unread.findIndex(same);
    assert.ok(index === 0 || (index > 0 && this.kind === KIND_UNORDERED), `message ${index}`);
    this.unread.splice(index, 1);
  }

  /** All that was written was read. */
  get whole(): boolean {
    return this.read === this.written && this.unread.length === 0;
  }

  #content(offset: number, size: number): Uint8Array {
    return Uint8Array.from(
      { length: size },
      (_, at) => ((offset + at) * 29 + this.#salt * 11 + (offset + at >> 8)) & 255,
    );
  }
}
