import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { denoRuntime } from "./deno_types.ts";

/**
 * A TCP socket as a stream whose reading can be stopped from outside.
 *
 * Deno's TLS socket goes on reading from a TCP socket while it is paused, and keeps what it read without any limit; over
 * a stream of ours it gets no more than we read.
 */
export class ReadingGate extends Duplex {
  readonly #socket: Socket;
  #held = false;
  #wanted = false;

  constructor(socket: Socket) {
    super({ allowHalfOpen: true });
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => {
      if (!this.push(chunk)) {
        this.#wanted = false;
        socket.pause();
      }
    });
    socket.on("end", () => this.push(null));
    socket.on("error", (error) => this.destroy(error));
    socket.on("close", () => this.destroy());
  }

  /** Stops reading. */
  hold(): void {
    this.#held = true;
    this.#socket.pause();
  }

  /** Reads again. */
  release(): void {
    this.#held = false;
    if (this.#wanted) this.#socket.resume();
  }

  override _read(): void {
    this.#wanted = true;
    if (!this.#held) this.#socket.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** The gate that TLS needs on this runtime; undefined where TLS sockets pause by themselves. */
export function readingGateFor(socket: Socket): ReadingGate | undefined {
  return denoRuntime() === undefined ? undefined : new ReadingGate(socket);
}
