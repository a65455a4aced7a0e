import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { CollectingSink } from "./sink_for_test.ts";
import type {
  ListenTransportOptions,
  TransportConnection,
  TransportListener,
} from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";

const LOCAL = "ws://127.0.0.1:0/stt";

/** A listener and what connected to it. */
export interface Listening {
  readonly listener: TransportListener;
  readonly port: number;
  readonly connections: TransportConnection[];
  /** The sinks of connections in the order in which they came; waits for the next one. */
  accepted(): Promise<CollectingSink>;
  close(): Promise<void>;
}

/** Listens, and collects what connections receive. */
export async function listening(
  options: ListenTransportOptions = {},
  address: string = LOCAL,
): Promise<Listening> {
  const connections: TransportConnection[] = [];
  const sinks: CollectingSink[] = [];
  const waiting: ((sink: CollectingSink) => void)[] = [];
  const listener = await webSocketTransport.listen(address, (connection) => {
    const sink = new CollectingSink();
    connections.push(connection);
    const wake = waiting.shift();
    if (wake === undefined) sinks.push(sink);
    else wake(sink);
    connection.start(sink);
  }, options);
  return {
    listener,
    port: Number(/:(\d+)\//.exec(listener.address)![1]),
    connections,
    accepted: () => {
      const sink = sinks.shift();
      return sink === undefined
        ? new Promise((resolve) => waiting.push(resolve))
        : Promise.resolve(sink);
    },
    close: async () => {
      for (const connection of connections) connection.abort();
      await listener.close();
    },
  };
}

/** A raw client: sends text, collects what comes until the server closes. */
export class RawClient {
  readonly socket: Socket;
  received = "";
  readonly closed: Promise<void>;
  #waiting: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("error", () => socket.destroy());
    socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  static to(port: number): RawClient {
    return new RawClient(connect(port, "127.0.0.1"));
  }

  async until(text: string): Promise<void> {
    while (!this.received.includes(text)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

/** A good upgrade request with some headers changed, or taken out. */
export function upgradeRequest(
  changes: Record<string, string | undefined> = {},
  line?: string,
): string {
  const headers: Record<string, string | undefined> = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...changes,
  };
  const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
  return `${line ?? "GET /stt HTTP/1.1"}\r\n${
    lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")
  }\r\n`;
}

/** Everything that the server sends until it closes. */
export async function answerTo(port: number, request: string): Promise<string> {
  const client = RawClient.to(port);
  client.socket.write(request);
  await client.closed;
  return client.received;
}

/** A masked frame as a client sends it, with a mask of zeros. */
export function clientFrame(
  first: number,
  payload: Uint8Array,
  announced: number = payload.length,
): Uint8Array {
  const header = announced < 126
    ? [first, 0x80 | announced]
    : [first, 0xff, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (announced >>> shift) & 255)];
  return Uint8Array.from([...header, 0, 0, 0, 0, ...payload]);
}

/** A raw client that has upgraded. */
export async function upgraded(
  port: number,
  changes: Record<string, string> = {},
): Promise<RawClient> {
  const client = RawClient.to(port);
  client.socket.write(upgradeRequest(changes));
  await client.until("\r\n\r\n");
  assert.match(client.received, /^HTTP\/1\.1 101 /);
  return client;
}
