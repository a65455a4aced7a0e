import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { formatAddress, parseAddress } from "../transport/address.ts";

const HOST = "127.0.0.1";

async function open(onMessage: (bytes: Uint8Array, port: number) => void): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", (bytes, { port }) => onMessage(new Uint8Array(bytes), port));
  // Refused datagrams are lost, like on the way.
  socket.on("error", () => undefined);
  await new Promise<void>((resolve) => socket.bind(0, HOST, resolve));
  return socket;
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}

/** A NAT between one client and one server: each sees the proxy, under an address that may change. */
export class NatProxy {
  /** Bytes from and to the socket that copies datagrams. */
  readonly copier: { sent: number; received: number } = { sent: 0, received: 0 };
  /** A copy of each of the client's datagrams reaches the server first, from elsewhere. */
  copies = false;
  #server: number;
  #client = 0;
  #inside: Socket | undefined;
  #outside: Socket | undefined;
  #copier: Socket | undefined;

  constructor(listener: string) {
    this.#server = parseAddress(listener).port;
  }

  /** What the client sends goes to another listener from now on. */
  redirect(listener: string): void {
    this.#server = parseAddress(listener).port;
  }

  async start(): Promise<void> {
    await this.rebindInside();
    await this.rebindOutside();
    this.#copier = await open((bytes) => {
      this.copier.received += bytes.length;
    });
  }

  /** What the client dials. */
  get address(): string {
    return formatAddress({ scheme: "udp", host: HOST, port: this.#inside!.address().port });
  }

  /** What the server sees. */
  get outsideAddress(): string {
    return formatAddress({ scheme: "udp", host: HOST, port: this.#outside!.address().port });
  }

  /** The server seems to be at another address; the old one is dead. */
  async rebindInside(): Promise<void> {
    const old = this.#inside;
    this.#inside = await open((bytes, port) => {
      this.#client = port;
      this.#toServer(bytes);
    });
    if (old !== undefined) await closed(old);
  }

  /** The client seems to be at another address; the old one is dead. */
  async rebindOutside(): Promise<void> {
    const old = this.#outside;
    this.#outside = await open((bytes) => {
      if (this.#client > 0) this.#inside?.send(bytes, this.#client, HOST);
    });
    if (old !== undefined) await closed(old);
  }

  async close(): Promise<void> {
    for (const socket of [this.#inside, this.#outside, this.#copier]) {
      if (socket !== undefined) await closed(socket);
    }
  }

  #toServer(bytes: Uint8Array): void {
    if (!this.copies) {
      this.#outside?.send(bytes, this.#server, HOST);
      return;
    }
    this.copier.sent += bytes.length;
    // The original leaves when the copy is in the server's queue.
    this.#copier?.send(Buffer.from(bytes), this.#server, HOST, () => {
      this.#outside?.send(bytes, this.#server, HOST);
    });
  }
}
