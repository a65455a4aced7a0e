/**
 * What one direction of a stream has sent and the other side has not confirmed (SPEC 15.4): it outlasts the sessions
 * that carry it.
 *
 * @module
 */
import { SttError } from "../../errors.ts";

/** What a receiver says of its direction when a stream goes on over another session. */
export interface ReceivedWord {
  /** Bytes from here on are wanted. */
  readonly received: number;
  /** Bytes below are never asked for again; at most `received`. */
  readonly confirmed: number;
  /** The end was confirmed as well: nothing is wanted. */
  readonly ended: boolean;
}

/**
 * Bytes from the confirmed offset on, and a place in them up to which the session of the moment has been given them. After
 * a crash the bytes are gone: the application writes them again from the offset that the receiver confirmed, and what the
 * receiver has beyond it is not sent twice.
 */
export class ContinuedSend {
  readonly #limit: number;
  /** From `#base` to `#written`, when that is beyond, in pieces that never change. */
  readonly #pieces: Uint8Array[] = [];
  #base = 0;
  #written = 0;
  /** What the receiver has of what an earlier process sent: may be beyond `#written` until that is written again. */
  #ahead = -1;
  /** Where the session goes on; undefined without one. */
  #next: number | undefined;
  /** What the receiver confirmed before this side knew where the session goes on: another stream of it was faster. */
  #early: { readonly offset: number; readonly ended: boolean } | undefined;
  /** After a crash nothing is known until the receiver has spoken. */
  #lost: boolean;
  /** As much as a receiver can have: what sessions were given, ever. */
  #given = 0;
  #endGiven = false;
  #ended = false;
  #endSent = false;
  #finished = false;

  /**
   * @param limit Unconfirmed bytes from which on {@link ContinuedSend.full} asks to wait.
   * @param lost True where the process that sent before is gone.
   */
  constructor(limit: number, lost: boolean = false) {
    this.#limit = limit;
    this.#lost = lost;
  }

  /** Offset at which the next write goes on: after a crash what the receiver confirmed. */
  get written(): number {
    return this.#written;
  }

  /** Bytes below are confirmed. */
  get confirmed(): number {
    return this.#base;
  }

  /** The lowest offset that can still be sent; 0 after a crash, as the application may have all of it. */
  get kept(): number {
    return this.#lost ? 0 : this.#base;
  }

  /** Bytes held in memory. */
  get held(): number {
    return Math.max(0, this.#written - this.#base);
  }

  /** The application has to wait for a confirmation. */
  get full(): boolean {
    return this.held >= this.#limit;
  }

  /** After a crash, until the receiver has told where to go on. */
  get waitsForReceiver(): boolean {
    return this.#lost;
  }

  /** Everything and the end is confirmed. */
  get finished(): boolean {
    return this.#finished;
  }

  /** `finish` was called. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Takes bytes over, which must not change any more. @throws {SttError} CONFIG behind the end or before the place is known. */
  write(bytes: Uint8Array): void {
    this.#checkPlace("write");
    if (this.#ended) throw new SttError("CONFIG", "cannot write to stream: it was ended");
    const before = Math.max(0, this.#base - this.#written);
    this.#written += bytes.length;
    if (bytes.length > before) this.#pieces.push(bytes.subarray(before));
  }

  /** @throws {SttError} CONFIG when the receiver has more than was written: these are not the bytes of before the crash. */
  finish(): void {
    this.#checkPlace("end");
    if (this.#ahead > this.#written) {
      throw new SttError(
        "CONFIG",
        `cannot end stream at ${this.#written}: the receiver has ${this.#ahead} bytes of it`,
      );
    }
    this.#ended = true;
  }

  /** There is nothing to send, ever: the stream goes one way, and not this one. */
  close(): void {
    this.#lost = false;
    this.#ended = true;
    this.#endGiven = true;
    this.#finished = true;
  }

  /**
   * A session carries the stream from now on.
   *
   * @throws {SttError} SESSION when the receiver wants what is gone; PROTOCOL when it cannot have what it says.
   */
  attach({ received, confirmed, ended }: ReceivedWord): void {
    if (received < confirmed) throw impossible(`received ${received} below confirmed ${confirmed}`);
    if (this.#lost) {
      this.#lost = false;
      this.#base = confirmed;
      this.#written = confirmed;
      this.#ahead = received;
      this.#given = received;
    } else if (received > this.#given) {
      throw impossible(`received ${received} of ${this.#given} bytes`);
    }
    if (received < this.#base) {
      throw new SttError(
        "SESSION",
        `cannot go on at ${received}: bytes below ${this.#base} are gone`,
      );
    }
    this.#next = received;
    this.#endSent = false;
    this.confirm(confirmed, ended);
    const early = this.#early;
    this.#early = undefined;
    if (early !== undefined) this.confirm(early.offset, early.ended);
  }

  /** The session is gone; what it carried and nobody confirmed counts as not sent. */
  detach(): void {
    this.#next = undefined;
    // The receiver's word for the next session holds it.
    this.#early = undefined;
  }

  /**
   * The receiver never asks for bytes below `offset` again. Before {@link ContinuedSend.attach} it is noted, and judged
   * then.
   *
   * @throws {SttError} PROTOCOL for more than this session was given, or an end that no session was.
   */
  confirm(offset: number, ended: boolean): void {
    const next = this.#next;
    if (next === undefined) {
      const { offset: before = 0, ended: over = false } = this.#early ?? {};
      this.#early = { offset: Math.max(offset, before), ended: ended || over };
      return;
    }
    if (offset > next) throw impossible(`confirmed ${offset} of ${next} bytes`);
    // After a crash the application may not have come to the end again yet.
    const atEnd = (this.#endGiven && offset === this.#written) || offset === this.#ahead;
    if (ended && !atEnd) throw impossible(`end confirmed at ${offset}`);
    let drop = offset - this.#base;
    while (drop > 0) {
      const [piece] = this.#pieces;
      if (piece === undefined) break;
      if (piece.length <= drop) this.#pieces.shift();
      else this.#pieces[0] = piece.subarray(drop);
      drop -= piece.length;
    }
    this.#base = Math.max(this.#base, offset);
    if (ended) this.#finished = true;
  }

  /** The next bytes for the session, at most `max`; "end" once behind the last of them; undefined when it has all. */
  take(max: number): Uint8Array | "end" | undefined {
    const next = this.#next;
    if (next === undefined) return undefined;
    if (next < this.#written && !this.#finished) {
      const bytes = this.#at(next, max);
      this.#next = next + bytes.length;
      this.#given = Math.max(this.#given, this.#next);
      return bytes;
    }
    const over = this.#finished || (this.#ended && next <= this.#written);
    if (!over || this.#endSent) return undefined;
    this.#endSent = true;
    this.#endGiven = true;
    return "end";
  }

  #checkPlace(what: string): void {
    if (!this.#lost) return;
    throw new SttError("CONFIG", `cannot ${what} stream: where to go on is not known yet`);
  }

  #at(offset: number, max: number): Uint8Array {
    let start = this.#base;
    for (const piece of this.#pieces) {
      if (offset < start + piece.length) {
        return piece.subarray(offset - start, offset - start + max);
      }
      start += piece.length;
    }
    throw new SttError("INTERNAL", `cannot send from ${offset}: only ${start} bytes are there`);
  }
}

function impossible(what: string): SttError {
  return new SttError("PROTOCOL", `cannot go on with stream: the receiver says ${what}`);
}
