/**
 * Small blocks that travel together: a packet for each would cost more than what is in it.
 *
 * @module
 */
import type { SttStream } from "../stt_stream.ts";

const BATCH_BYTES = 65_536;

/** The writing side of a stream, for one writer that waits. */
export class Outbox {
  readonly #stream: SttStream;
  readonly #signal: AbortSignal;
  #batch: Uint8Array = new Uint8Array(BATCH_BYTES);
  #used = 0;

  constructor(stream: SttStream, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  /** Takes the array: it must not change afterwards. Resolves when the next one may come. */
  async add(bytes: Uint8Array): Promise<void> {
    if (this.#used + bytes.length > this.#batch.length) await this.flush();
    if (bytes.length > BATCH_BYTES / 2) {
      await this.flush();
      return await this.#write(bytes);
    }
    this.#batch.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Sends what was gathered. */
  async flush(): Promise<void> {
    if (this.#used === 0) return;
    const bytes = this.#batch.subarray(0, this.#used);
    // The session keeps the buffer until it is sent; a small batch leaves the rest of it for the next one.
    this.#batch = 2 * this.#used < this.#batch.length
      ? this.#batch.subarray(this.#used)
      : new Uint8Array(BATCH_BYTES);
    this.#used = 0;
    await this.#write(bytes);
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#stream.write(bytes, { own: true, signal: this.#signal });
  }
}

/** The same for answers, which nobody waits for: how many there can be is bounded by what they answer. */
export class AnswerQueue {
  readonly #outbox: Outbox;
  readonly #onError: (error: unknown) => void;
  #waiting: Uint8Array[] = [];
  #sending: Promise<void> | undefined;

  constructor(outbox: Outbox, onError: (error: unknown) => void) {
    this.#outbox = outbox;
    this.#onError = onError;
  }

  add(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.#sending ??= this.#send();
  }

  /** Resolves when everything was handed to the session. */
  async drained(): Promise<void> {
    await this.#sending;
  }

  async #send(): Promise<void> {
    try {
      // What is answered in the same turn goes along.
      await Promise.resolve();
      while (this.#waiting.length > 0) {
        const batch = this.#waiting;
        this.#waiting = [];
        for (const bytes of batch) await this.#outbox.add(bytes);
        await this.#outbox.flush();
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#sending = undefined;
    }
  }
}
