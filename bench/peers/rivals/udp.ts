/**
 * Bare datagrams of `node:dgram`: no order, no repetition, no encryption. What comes back of one request at a time tells
 * what the system and the runtime take; more than that would be lost.
 *
 * @module
 */
import dgram from "node:dgram";
import { type Adapter, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { happened, port } from "./duplex.ts";

class DatagramConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #socket: dgram.Socket;
  readonly #port: number;
  readonly #end: () => Promise<void>;

  constructor(socket: dgram.Socket, to: number, end: () => Promise<void>) {
    this.#socket = socket;
    this.#port = to;
    this.#end = end;
  }

  send(bytes: Uint8Array): void {
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
    const connection = new DatagramConnection(
      socket,
      port(address),
      () => new Promise((resolve) => socket.close(() => resolve())),
    );
    socket.on("message", (bytes) => connection.ondata(bytes));
    return connection;
  },
};
