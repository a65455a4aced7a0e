import type { SttError } from "../errors.ts";
import type { TransportConnection, TransportSink } from "./transport.ts";

/** A sink for the tests beside it: keeps what arrives, and lets a test wait for it. */
export class CollectingSink implements TransportSink {
  readonly chunks: Uint8Array[] = [];
  bytes = 0;
  drains = 0;
  ends = 0;
  error: SttError | undefined;
  onData: ((bytes: Uint8Array) => void) | undefined;
  onDrain: (() => void) | undefined;
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #waiting: { bytes: number; resolve: () => void }[] = [];

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
  }

  data(bytes: Uint8Array): void {
    this.chunks.push(bytes);
    this.bytes += bytes.length;
    this.onData?.(bytes);
    this.#waiting = this.#waiting.filter(({ bytes: wanted, resolve }) => {
      if (this.bytes < wanted) return true;
      resolve();
      return false;
    });
  }

  drain(): void {
    this.drains++;
    this.onDrain?.();
  }

  end(error?: SttError): void {
    this.ends++;
    this.error = error;
    this.#resolveEnded();
  }

  received(bytes: number): Promise<void> {
    if (this.bytes >= bytes) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ bytes, resolve }));
  }

  contents(): Uint8Array {
    const all = new Uint8Array(this.bytes);
    let offset = 0;
    for (const chunk of this.chunks) {
      all.set(chunk, offset);
      offset += chunk.length;
    }
    return all;
  }
}

/** Bytes that differ at every offset of a chunk and between chunks. */
export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Sends chunks while the connection takes them, goes on at `drain`; calls `progress` with the most that was queued. */
export function pump(
  connection: TransportConnection,
  sink: CollectingSink,
  next: () => Uint8Array | undefined,
): Promise<{ mostQueued: number; waits: number }> {
  return new Promise((resolve) => {
    let mostQueued = 0;
    let waits = 0;
    const run = (): void => {
      for (;;) {
        const bytes = next();
        if (bytes === undefined) {
          resolve({ mostQueued, waits });
          return;
        }
        const more = connection.send(bytes);
        mostQueued = Math.max(mostQueued, connection.queuedBytes);
        if (!more) {
          waits++;
          return;
        }
      }
    };
    sink.onDrain = run;
    run();
  });
}
