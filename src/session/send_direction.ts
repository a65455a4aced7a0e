import { FRAME_HANDSHAKE, TAG_BYTES } from "../constants.ts";
import { writeHeaderBefore } from "../codec/frame.ts";
import { SttError } from "../errors.ts";
import type { EpochKeys } from "./epoch_keys.ts";

const SEQUENCE_MAX = Number.MAX_SAFE_INTEGER;

/** Seals the frames of one direction: keys of the present epoch and one sequence counter over all epochs (SPEC 7). */
export class SendDirection {
  /** Sequence the next frame takes, 0 to 2^53-1; past that nothing seals. */
  nextSequence = 0;
  /** Where the frame sealed last begins and ends in its buffer. */
  frameStart = 0;
  frameEnd = 0;
  readonly #sessionId: Uint8Array;
  #keys: EpochKeys;

  constructor(sessionId: Uint8Array, keys: EpochKeys) {
    this.#sessionId = sessionId;
    this.#keys = keys;
  }

  /** Epoch of the keys in use. */
  get epoch(): number {
    return this.#keys.epoch;
  }

  /** Encrypts the payload in place, with the header before it and the tag behind it. */
  seal(
    buffer: Uint8Array,
    payloadStart: number,
    payloadEnd: number,
    type: number,
    flags: number,
    streamId: number,
    timestamp: number,
  ): void {
    if (type === FRAME_HANDSHAKE) {
      throw new SttError("INTERNAL", "cannot seal frame: HANDSHAKE frames are never protected");
    }
    if (payloadEnd < payloadStart || payloadEnd + TAG_BYTES > buffer.length) {
      throw new SttError(
        "INTERNAL",
        `cannot seal frame: payload ${payloadStart} to ${payloadEnd} and a tag do not fit into ${buffer.length} bytes`,
        { limit: buffer.length },
      );
    }
    // SPEC 7: a repeated nonce would reveal plaintext; counting stops before numbers stop being exact.
    const sequence = this.nextSequence;
    if (sequence > SEQUENCE_MAX) {
      throw new SttError("AEAD_LIMIT", "cannot seal frame: all sequences below 2^53 are used", {
        limit: SEQUENCE_MAX,
      });
    }
    const start = writeHeaderBefore(
      buffer,
      payloadStart,
      payloadEnd - payloadStart + TAG_BYTES,
      type,
      flags,
      this.#sessionId,
      sequence,
      timestamp,
      streamId,
      this.#keys.epoch,
    );
    this.nextSequence = sequence + 1;
    const header = buffer.subarray(start, payloadStart);
    this.#keys.seal(sequence, header, buffer, payloadStart, payloadEnd);
    this.frameStart = start;
    this.frameEnd = payloadEnd + TAG_BYTES;
  }

  /** Moves to the next epoch; the old key is dropped. */
  advance(): void {
    const next = this.#keys.takeNext();
    this.#keys.destroy();
    this.#keys = next;
  }

  /** Drops the keys. */
  wipe(): void {
    this.#keys.destroy();
  }
}
