/**
 * From the transport's bytes to whole frames, with a place to hold what comes while the accept hook decides.
 *
 * @module
 */
import { FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { FrameAssembler } from "../codec/frame_assembler.ts";
import { HANDSHAKE_MAX_BODY } from "../constants.ts";
import { SttError } from "../errors.ts";

/** Frames held while the accept hook decides may take this much more than the initial credit. */
const HELD_EXTRA_BYTES = 65_536;

/** Takes bytes in any chunks and gives out frames. */
export class FrameIntake {
  /** Header of the frame that `next` returned last. */
  readonly header: FrameHeader = new FrameHeader();
  readonly #assembler: FrameAssembler = new FrameAssembler(HANDSHAKE_MAX_BODY);
  readonly #maxHeld: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** What is held came as messages, and frames may not be split over them (SPEC 4). */
  heldMessages = false;

  /** `maxData`: initial credit of this side. */
  constructor(maxData: number) {
    this.#maxHeld = maxData + HELD_EXTRA_BYTES;
  }

  /** Once a session exists, frames may be as large as this side announced; they are opened into memory of their own. */
  set maxBody(maxBody: number) {
    this.#assembler.maxBody = maxBody;
    this.#assembler.reuse = true;
  }

  /** @throws {SttError} `FRAME_*` at the first wrong byte, like {@link FrameIntake.next}. */
  push(bytes: Uint8Array): void {
    this.#assembler.push(bytes);
  }

  /** The next whole frame, good until the next call; its header is parsed into `header`. */
  next(): Uint8Array | undefined {
    const frame = this.#assembler.next();
    if (frame !== undefined) {
      parseFrameHeader(frame, 0, frame.length, this.#assembler.maxBody, this.header);
    }
    return frame;
  }

  /** @throws {SttError} `PROTOCOL` when a frame goes on behind the end of a message (SPEC 4). */
  endOfMessage(): void {
    if (this.#assembler.partial) {
      throw new SttError("PROTOCOL", "cannot take message: a frame is split over two messages");
    }
  }

  /**
   * Keeps bytes for later.
   *
   * @throws {SttError} `FLOW_CONTROL` above the initial credit: the peer may send no more before it is accepted.
   */
  hold(bytes: Uint8Array): void {
    this.#heldBytes += bytes.length;
    if (this.#heldBytes > this.#maxHeld) {
      throw new SttError(
        "FLOW_CONTROL",
        `cannot hold early data: ${this.#heldBytes} bytes before accept exceed ${this.#maxHeld}`,
        { limit: this.#maxHeld },
      );
    }
    this.#held.push(bytes);
  }

  /** What was held, in order; it is forgotten here. */
  release(): Uint8Array[] {
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
