/**
 * One TCP connection carried by one stream: bytes, the end of each direction, resets, and how fast the other side reads.
 *
 * @module
 */
import type { Socket } from "node:net";
import type { BlockStream } from "../../endpoint/files/block_stream.ts";
import { SttError } from "../../errors.ts";
import { FORWARD_REFUSALS, plainError } from "./wire.ts";

const CHUNK_BYTES = 65_536;
/** A piece that fills its buffer is given away; a small one would keep a large buffer. */
const OWN_BYTES = 16_384;

/** Carries from the moment that it is made in the direction of the stream, and back once `begin` is called. */
export class Carrier {
  /** Settles when both directions have ended; rejects with what broke the connection. */
  readonly done: Promise<void>;
  readonly #socket: Socket;
  readonly #blocks: BlockStream;
  #resolve: () => void = () => undefined;
  #reject: (error: SttError) => void = () => undefined;
  /** The program has ended its direction. */
  #ended = false;
  /** And the peer has all of it. */
  #sent = false;
  #received = false;
  #over = false;

  constructor(socket: Socket, blocks: BlockStream) {
    this.#socket = socket;
    this.#blocks = blocks;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.done.catch(() => undefined);
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#onData(chunk));
    socket.on("end", () => this.#onEnd());
    socket.on("error", (cause) => {
      this.fail(new SttError("STREAM_RESET", `the connection failed: ${cause.message}`, { cause }));
    });
    socket.on("close", () => {
      // With both ends seen, what is left is the stream's to deliver.
      if (!this.#ended || !this.#received) {
        this.fail(new SttError("STREAM_RESET", "the connection was closed"));
      }
    });
    // Also tells when the other side reads no more.
    blocks.stream.finished.then(() => {
      this.#sent = true;
      this.#settle();
    }, (error: unknown) => this.fail(error));
    socket.resume();
  }

  /** Carries what comes from the stream. */
  begin(): void {
    this.#download().catch((error: unknown) => this.fail(error));
  }

  /** Gives up both directions, on both sides. */
  fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { stream } = this.#blocks;
    stream.reset(FORWARD_REFUSALS.reset.wire);
    stream.stop(FORWARD_REFUSALS.reset.wire);
    resetSocket(this.#socket);
    this.#reject(plainError(error));
  }

  #onData(chunk: Uint8Array): void {
    if (this.#over) return;
    const { stream } = this.#blocks;
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    try {
      if (stream.tryWrite(bytes, bytes.length >= OWN_BYTES)) return;
    } catch (error) {
      return this.fail(error);
    }
    // The kernel's buffer fills, and the program behind it waits.
    this.#socket.pause();
    stream.ready().then(() => this.#socket.resume(), (error: unknown) => this.fail(error));
  }

  #onEnd(): void {
    if (this.#over) return;
    this.#ended = true;
    // How it comes out, `finished` tells.
    this.#blocks.stream.end().catch(() => undefined);
  }

  async #download(): Promise<void> {
    const socket = this.#socket;
    for (;;) {
      const bytes = await this.#blocks.bytes(CHUNK_BYTES);
      if (this.#over) return;
      if (bytes === null) break;
      if (!socket.write(bytes)) await drained(socket);
    }
    socket.end();
    this.#received = true;
    this.#settle();
  }

  #settle(): void {
    if (!this.#sent || !this.#received || this.#over) return;
    this.#over = true;
    this.#resolve();
  }
}

/** Ends a connection so that its program sees that it did not end well. */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return;
  // Errors of a connection that is given up are nobody's.
  socket.on("error", () => undefined);
  // Node cannot reset a socket whose direction it has shut: that one would stay open for good.
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}

/** Resolves when the socket takes more, or is gone. */
function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.on("drain", done);
    socket.on("close", done);
    if (socket.destroyed) done();
  });
}
