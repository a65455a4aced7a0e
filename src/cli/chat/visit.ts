/**
 * A dialler's part in a chat: sessions with one room, and lines that wait for one (SPEC 12.8).
 *
 * @module
 */
import type { Peer } from "../../endpoint/peer.ts";
import type { SttStream } from "../../endpoint/stt_stream.ts";
import { SttError } from "../../errors.ts";
import { type ChatLine, decodeLine, encodeJoin, piecesOf } from "./wire.ts";

/** Lines that wait for a session at most; later ones are refused. */
export const OUTBOX_LINES = 256;

/** Lines that were typed and not yet sent. */
export class UnsentLines {
  readonly #pieces: Uint8Array[] = [];
  #ended = false;
  #watchers: (() => void)[] = [];

  get waiting(): number {
    return this.#pieces.length;
  }

  /** No more lines come. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Adds a line; false when too many wait. */
  add(text: string): boolean {
    if (this.#pieces.length >= OUTBOX_LINES) return false;
    this.#pieces.push(...piecesOf(text));
    this.#changed();
    return true;
  }

  end(): void {
    this.#ended = true;
    this.#changed();
  }

  /** Waits until something is there (true), or nothing will come any more, or the signal is aborted (false). */
  async ready(signal: AbortSignal): Promise<boolean> {
    while (!signal.aborted && this.#pieces.length === 0 && !this.#ended) await this.#change(signal);
    return !signal.aborted && this.#pieces.length > 0;
  }

  /** Waits until a line may be added. */
  async room(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.#pieces.length >= OUTBOX_LINES) await this.#change(signal);
  }

  /** Writes what waits; what was not written stays. */
  async flush(stream: SttStream, signal: AbortSignal): Promise<void> {
    for (;;) {
      const piece = this.#pieces[0];
      if (piece === undefined) return;
      const more = stream.tryWrite(piece);
      this.#pieces.shift();
      this.#changed();
      if (!more) await stream.ready({ signal });
    }
  }

  #changed(): void {
    const watchers = this.#watchers;
    this.#watchers = [];
    for (const wake of watchers) wake();
  }

  #change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        signal.removeEventListener("abort", wake);
        resolve();
      };
      this.#watchers.push(wake);
      signal.addEventListener("abort", wake);
    });
  }
}

/**
 * Joins the room of one session and stays until the outbox has ended, or the room does. Throws what ended the session.
 *
 * @param name The name wished for.
 * @param show Called for each line of the others.
 */
export async function visitRoom(
  peer: Peer,
  name: string,
  outbox: UnsentLines,
  show: (line: ChatLine) => void,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  const stream = await peer.openStream({ mode: "messages", signal });
  await stream.write(encodeJoin(name), { signal });
  const reading = readAll(stream, show).finally(() => over.abort());
  reading.catch(() => undefined);
  try {
    while (await outbox.ready(either)) await outbox.flush(stream, either);
    signal.throwIfAborted();
    if (!over.signal.aborted) {
      // The room ends its side behind ours: then it has every line.
      await stream.end({ signal: either });
    }
  } catch (error) {
    signal.throwIfAborted();
    // Why the room is gone, the reader knows.
    if (!over.signal.aborted) throw error;
  }
  await unlessAborted(reading, signal);
}

async function unlessAborted(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    signal.addEventListener("abort", onAbort);
  });
  try {
    signal.throwIfAborted();
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

async function readAll(stream: SttStream, show: (line: ChatLine) => void): Promise<void> {
  for (;;) {
    const message = await stream.read();
    if (message === null) return;
    show(decodeLine(message));
  }
}

/** Whether the session itself is over: whoever dials again tells why. */
export function isSessionEnd(error: unknown, peer: Peer): boolean {
  return error instanceof SttError && peer.stats().state !== "established";
}
