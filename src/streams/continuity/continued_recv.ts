/**
 * What one direction of a stream has received, and how far its application is done with it (SPEC 15.4): it outlasts the
 * sessions that carry it.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { ReceivedWord } from "./continued_send.ts";

/** Who confirms: reading itself, or the application when it has made safe what it read. */
export type ConfirmMode = "read" | "explicit";

/** How far an application is done with a direction. */
export interface Confirmed {
  readonly offset: number;
  /** With its end. */
  readonly ended: boolean;
}

/** Confirmations by reading are told in steps of this many bytes at most. */
const TELL_BYTES = 65_536;

/** Counts; the bytes themselves go from the session straight to the application. */
export class ContinuedRecv {
  readonly #mode: ConfirmMode;
  /** From which on the sender keeps no more unconfirmed bytes. */
  #senderKeeps = Infinity;
  #received: number;
  #confirmed: number;
  #final: number | undefined;
  #ended = false;
  /** Of that, what would outlast a crash: the sender forgets what it is told of. */
  #lasting: Confirmed;
  #told: number;
  #endTold = false;

  /** @param confirmed Where an earlier process had come to. */
  constructor(mode: ConfirmMode, confirmed: number = 0, ended: boolean = false) {
    this.#mode = mode;
    this.#received = confirmed;
    this.#confirmed = confirmed;
    this.#told = confirmed;
    this.#ended = ended;
    this.#lasting = { offset: confirmed, ended };
    if (ended) this.#final = confirmed;
  }

  /** Bytes that the application was given. */
  get received(): number {
    return this.#received;
  }

  /** Bytes that are never given again. */
  get confirmed(): number {
    return this.#confirmed;
  }

  /** The application was given the end. */
  get atEnd(): boolean {
    return this.#final !== undefined;
  }

  /** Everything and the end is confirmed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The sender waits for a confirmation, and only the application can give it. */
  get starved(): boolean {
    return this.#mode === "explicit" && this.#final === undefined &&
      this.#received - this.#confirmed >= this.#senderKeeps;
  }

  /** The word for another session, after which everything counts as told. */
  attach(senderKeeps: number): ReceivedWord {
    this.#senderKeeps = senderKeeps;
    const { offset, ended } = this.#tellAll();
    return { received: this.#received, confirmed: offset, ended };
  }

  /** The application is given `length` bytes more. */
  take(length: number): void {
    if (this.#final !== undefined) {
      throw new SttError("PROTOCOL", `cannot take ${length} bytes behind the end of the stream`);
    }
    this.#received += length;
    if (this.#mode === "read") this.confirm(this.#received);
  }

  /** The application is given the end. */
  end(): void {
    this.#final = this.#received;
    if (this.#mode === "read") this.confirm(this.#received);
  }

  /** {@link ContinuedRecv.note}, where nothing has to be stored. */
  confirm(offset: number): void {
    this.last(this.note(offset));
  }

  /**
   * The application is done with all bytes below `offset`, and with the end if it was given that. The sender is told once
   * that is stored: {@link ContinuedRecv.last} takes what this returns.
   *
   * @throws {SttError} CONFIG for an offset that it was not given, or below one that it confirmed.
   */
  note(offset: number): Confirmed {
    if (!Number.isSafeInteger(offset) || offset < this.#confirmed || offset > this.#received) {
      throw new SttError(
        "CONFIG",
        `cannot confirm stream at ${offset}: not within ${this.#confirmed} to ${this.#received}`,
        { limit: this.#received },
      );
    }
    this.#confirmed = offset;
    if (offset === this.#final) this.#ended = true;
    return { offset, ended: this.#ended };
  }

  /** What was noted is stored. */
  last(noted: Confirmed): void {
    // Two of them may come in any order.
    if (noted.offset >= this.#lasting.offset && !this.#lasting.ended) this.#lasting = noted;
  }

  /** What the sender is to be told now, if anything; it then counts as told. */
  tell(): Confirmed | undefined {
    const step = this.#mode === "explicit" ? 1 : Math.min(TELL_BYTES, this.#senderKeeps / 4);
    const { offset, ended } = this.#lasting;
    const news = offset - this.#told >= step || (ended && !this.#endTold);
    return news ? this.#tellAll() : undefined;
  }

  #tellAll(): Confirmed {
    this.#told = this.#lasting.offset;
    this.#endTold = this.#lasting.ended;
    return this.#lasting;
  }
}
