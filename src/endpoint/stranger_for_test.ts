import { createSocket, type Socket } from "node:dgram";
import { parseAddress } from "../transport/address.ts";

const HOST = "127.0.0.1";

/** A socket of no peer at all, which counts what it sends and gets. */
export class Stranger {
  readonly answers: Uint8Array[] = [];
  sent = 0;
  readonly #socket: Socket = createSocket("udp4");

  private constructor() {
    this.#socket.on("message", (bytes) => void this.answers.push(new Uint8Array(bytes)));
    // Refused datagrams are lost, like on the way.
    this.#socket.on("error", () => undefined);
  }

  static async open(): Promise<Stranger> {
    const stranger = new Stranger();
    await new Promise<void>((resolve) => stranger.#socket.bind(0, HOST, resolve));
    return stranger;
  }

  /** Bytes of all answers. */
  get received(): number {
    return this.answers.reduce((sum, answer) => sum + answer.length, 0);
  }

  send(bytes: Uint8Array, to: string): Promise<void> {
    this.sent += bytes.length;
    const { port } = parseAddress(to);
    return new Promise((resolve) => this.#socket.send(bytes, port, HOST, () => resolve()));
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#socket.close(() => resolve()));
  }
}
