/**
 * Plain WebSocket of the runtime: Deno's server and the built-in client.
 *
 * @module
 */
import { type Adapter, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { port } from "./duplex.ts";

const HIGH_WATER_BYTES = 1_048_576;

class NativeConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #socket: WebSocket;
  readonly #closed: Promise<void>;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => this.ondata(new Uint8Array(data as ArrayBuffer));
    this.#closed = new Promise((resolve) => socket.onclose = () => resolve());
  }

  send(bytes: Uint8Array): void | Promise<void> {
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
    if (this.#socket.bufferedAmount > HIGH_WATER_BYTES) return this.#drained();
  }

  async #drained(): Promise<void> {
    // The interface has no event for it.
    while (this.#socket.bufferedAmount > HIGH_WATER_BYTES / 2) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  close(): Promise<void> {
    this.#socket.close();
    return this.#closed;
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve();
    socket.onerror = () => reject(new Error("the WebSocket does not open"));
  });
}

/** `deno-ws`. */
export const nativeWebSocketAdapter: Adapter = {
  encrypted: false,
  over: "WebSocket",
  listen(onConnection) {
    const server = Deno.serve({ hostname: HOST, port: 0, onListen: () => undefined }, (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      onConnection(new NativeConnection(socket));
      return response;
    });
    return Promise.resolve({ port: server.addr.port });
  },
  async connect(address) {
    const socket = new WebSocket(`ws://${HOST}:${port(address)}`);
    const connection = new NativeConnection(socket);
    await opened(socket);
    return connection;
  },
};
