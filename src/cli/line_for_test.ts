/**
 * A line between two processes that stops in the middle of a transfer.
 *
 * @module
 */
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** Where a line stops: enough to go on with, and far from the end of files of 9 MB. */
export const PART = 4_000_000;

/** A TCP line between sender and listener that stops in the middle of a transfer until it is let go. */
export class Line {
  readonly #server: Server;
  readonly #sockets: Set<Socket> = new Set();
  #limit: number;
  #passed = 0;

  private constructor(target: URL, limit: number) {
    this.#limit = limit;
    this.#server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
      }
      far.on("data", (chunk) => near.write(chunk)).on("close", () => near.destroy());
      near.on("data", (chunk) => {
        this.#passed += chunk.length;
        far.write(chunk);
        // Both processes live and nothing moves: whatever happens now happens in mid-transfer.
        if (this.#passed > this.#limit) near.pause();
      }).on("close", () => far.destroy());
    });
  }

  static async open(address: string, limit: number = PART): Promise<Line> {
    const line = new Line(new URL(address.replace(/^tcp/, "http")), limit);
    await new Promise<void>((resolve) => line.#server.listen(0, "127.0.0.1", resolve));
    return line;
  }

  /** Closed behind `act`. */
  static async within<T>(address: string, act: (line: Line) => Promise<T>): Promise<T> {
    const line = await Line.open(address);
    try {
      return await act(line);
    } finally {
      await line.close();
    }
  }

  get address(): string {
    return `tcp://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Lets everything pass from now on. */
  release(): void {
    this.#limit = Infinity;
    for (const socket of this.#sockets) socket.resume();
  }

  /** RST to both sides, as from a router that forgot them. */
  reset(): void {
    this.#limit = Infinity;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
