/**
 * A session in memory, run while there is nothing else to do.
 *
 * The runtimes compile what runs, and only what has run. Without this the first packets of a session take milliseconds
 * each, on both sides, and a transfer of some megabytes over a fast path is over before the code is as fast as it gets:
 * `stt` would be some 2 % slower (8 MB, 100 Mbit/s, 50 ms). It is a test of the runtime's cryptography at the same time.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";
import { SttError } from "../errors.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";

const CHUNK_BYTES = 65_536;
const FILL = 0x5a;
/** What arrives meanwhile waits for so long; the first steps, which compile most, take longer. */
const STEP_MS = 2;

/** A transfer between two connections in memory over a path that loses some, done step by step. */
export class MemorySession {
  readonly #pair: DatagramPair = new DatagramPair({ link: { delayMs: 1, loss: 0.05 } });
  #id: number | undefined;
  #sent = 0;
  #received = 0;
  readonly #bytes: number;

  /** @param bytes To move: a multiple of 65536. */
  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Works until `pause` says so, asked after each datagram. True when there is no more to do. */
  step(pause: () => boolean): boolean {
    const over = (): boolean => this.#received === this.#bytes;
    let first = true;
    const moved = this.#pair.run(() => {
      this.#move();
      if (over()) return true;
      // The first look comes before anything has happened.
      if (!first) return pause();
      first = false;
      return false;
    });
    if (!moved) throw this.#failed("it stands still");
    return over();
  }

  #failed(why: string): SttError {
    return new SttError(
      "INTERNAL",
      `cannot run a session in memory: ${why} after ${this.#received} of ${this.#bytes} bytes`,
    );
  }

  #move(): void {
    const { a, b } = this.#pair;
    if (a.state !== "established" || b?.state !== "established") return;
    this.#id ??= a.streams.open(0);
    const id = this.#id;
    if (id === undefined) return;
    while (this.#sent < this.#bytes && a.streams.canWrite(id)) {
      a.streams.write(id, new Uint8Array(CHUNK_BYTES).fill(FILL));
      this.#sent += CHUNK_BYTES;
      if (this.#sent === this.#bytes) a.streams.finish(id);
    }
    while (b.streams.has(id)) {
      const chunk = b.streams.read(id);
      if (chunk === undefined || chunk === null) return;
      if (chunk.some((byte) => byte !== FILL)) throw this.#failed("other bytes arrived");
      this.#received += chunk.length;
    }
  }
}

/**
 * Runs a {@link MemorySession} in small steps.
 *
 * @param now Monotonic milliseconds.
 * @param bytes What that session moves: the more, the faster the code is after it. 512 KiB take some 80 ms.
 * @param delayMs Before the first step.
 * @param onError This runtime cannot run sessions.
 * @return Ends it early; call it when there is something to do. Nothing runs after that.
 */
export function warmUp(
  now: () => number,
  bytes: number,
  delayMs: number,
  onError: (error: unknown) => void,
): () => void {
  let session: MemorySession | undefined;
  const step = (): void => {
    try {
      const started = now();
      session ??= new MemorySession(bytes);
      const done = session.step(() => now() - started >= STEP_MS);
      // Not an immediate: on Deno those that follow each other keep the sockets from being looked at.
      if (done) session = undefined;
      else timer = setTimeout(step, 1);
    } catch (error) {
      onError(error);
    }
  };
  let timer = setTimeout(step, delayMs);
  return () => {
    clearTimeout(timer);
    session = undefined;
  };
}
