/**
 * WebSocket of the package `ws`, plain and over TLS: one binary message a write.
 *
 * @module
 */
import http from "node:http";
import https from "node:https";
import { type Adapter, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { type Certificate, makeCertificate } from "./certificate.ts";
import { bound, field, happened, port } from "./duplex.ts";

/** `ws` has no limit of its own for what waits to be sent; above this a sender waits for the write to be done. */
const HIGH_WATER_BYTES = 1_048_576;

interface WebSocketLike {
  readonly bufferedAmount: number;
  send(bytes: Uint8Array, done?: () => void): void;
  close(): void;
  on(event: "message", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "close", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
  once(event: string, listener: (fact: unknown) => void): unknown;
}

interface WsModule {
  readonly WebSocket: new (url: string, options: unknown) => WebSocketLike;
  readonly WebSocketServer: new (options: { readonly server: http.Server }) => {
    on(event: "connection", listener: (socket: WebSocketLike) => void): void;
  };
}

async function load(): Promise<WsModule> {
  const name = "ws";
  return await import(name) as WsModule;
}

class WebSocketConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #socket: WebSocketLike;
  readonly #closed: Promise<void>;

  constructor(socket: WebSocketLike) {
    this.#socket = socket;
    socket.on("message", (bytes) => this.ondata(bytes));
    socket.on("error", () => undefined);
    this.#closed = new Promise((resolve) => socket.on("close", resolve));
  }

  send(bytes: Uint8Array): void | Promise<void> {
    const socket = this.#socket;
    if (socket.bufferedAmount < HIGH_WATER_BYTES) return socket.send(bytes);
    return new Promise((resolve) => socket.send(bytes, resolve));
  }

  close(): Promise<void> {
    this.#socket.close();
    return this.#closed;
  }
}

function adapter(secure: boolean): Adapter {
  return {
    encrypted: secure,
    over: "WebSocket",
    async listen(onConnection) {
      const { WebSocketServer } = await load();
      let certificate: Certificate | undefined;
      let server: http.Server;
      if (secure) {
        certificate = makeCertificate();
        server = https.createServer({ ...certificate });
      } else {
        server = http.createServer();
      }
      new WebSocketServer({ server }).on(
        "connection",
        (socket) => onConnection(new WebSocketConnection(socket)),
      );
      return { port: await bound(server), ca: certificate?.cert ?? "" };
    },
    async connect(address) {
      const { WebSocket } = await load();
      const options = secure ? { ca: field(address, "ca") } : {};
      const socket = new WebSocket(`${secure ? "wss" : "ws"}://${HOST}:${port(address)}`, options);
      await happened(socket, "open");
      return new WebSocketConnection(socket);
    },
  };
}

/** `ws`. */
export const wsAdapter: Adapter = adapter(false);

/** `wss`. */
export const wssAdapter: Adapter = adapter(true);
