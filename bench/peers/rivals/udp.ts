/**
 * Bare datagrams of `node:dgram`: no order, no repetition, no encryption. What comes back of one request at a time tells
 * what the system and the runtime take; more than that would be lost.
 *
 * @module
 */
import dgram from "node:dgram";
import { type Adapter, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { happened, port } from "./duplex.ts";

const RESEND_MS = 200;

class DatagramConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #socket: dgram.Socket;
  readonly #port: number;
  readonly #end: () => Promise<void>;
  /** What was sent last. */
  last: Uint8Array | undefined;

  constructor(socket: dgram.Socket, to: number, end: () => Promise<void>) {
    this.#socket = socket;
    this.#port = to;
    this.#end = end;
  }

  send(bytes: Uint8Array): void {
    this.last = bytes;
    this.#socket.send(bytes, this.#port, HOST);
  }

  close(): Promise<void> {
    return this.#end();
  }
}

async function bound(): Promise<dgram.Socket> {
  const socket = dgram.createSocket("udp4");
  socket.bind(0, HOST);
  await happened(socket, "listening");
  return socket;
}

/** `udp`. */
export const udpAdapter: Adapter = {
  encrypted: false,
  over: "UDP",
  async listen(onConnection) {
    const socket = await bound();
    const connections = new Map<number, DatagramConnection>();
    socket.on("message", (bytes, from) => {
      let connection = connections.get(from.port);
      if (connection === undefined) {
        connection = new DatagramConnection(socket, from.port, () => Promise.resolve());
        connections.set(from.port, connection);
        onConnection(connection);
      }
      connection.ondata(bytes);
    });
    return { port: socket.address().port };
  },
  async connect(address) {
    const socket = await bound();
    const connection = new DatagramConnection(socket, port(address), () => {
      clearInterval(timer);
      return new Promise((resolve) => socket.close(() => resolve()));
    });
    let received = 0;
    let seen = 0;
    // Even the loopback interface drops a datagram now and then, and nobody else would send it again.
    const timer = setInterval(() => {
      if (received === seen && connection.last !== undefined) connection.send(connection.last);
      seen = received;
    }, RESEND_MS);
    socket.on("message", (bytes) => {
      received++;
      connection.ondata(bytes);
    });
    return connection;
  },
};
