/**
 * libp2p with Noise and Yamux, over TCP and over WebSocket.
 *
 * @module
 */
import { type Adapter, type BenchConnection, unasked } from "../adapter.ts";
import { field } from "./duplex.ts";

const PROTOCOL = "/stt-bench/1";
const MANY = 100_000;

interface Stream {
  /** False asks to wait for `onDrain`. */
  send(bytes: Uint8Array): boolean;
  onDrain(): Promise<void>;
  addEventListener(
    type: "message",
    listener: (event: { readonly data: Uint8Array | Iterable<Uint8Array> }) => void,
  ): void;
}

interface Connection {
  newStream(protocol: string, options: unknown): Promise<Stream>;
  close(): Promise<void>;
}

interface Node {
  getMultiaddrs(): { toString(): string }[];
  dial(address: unknown, options: { force: boolean }): Promise<Connection>;
  handle(
    protocol: string,
    handler: (stream: Stream, connection: Connection) => void,
    options: unknown,
  ): Promise<void>;
}

/** A named export of a package. */
async function load<T>(name: string, exported: string): Promise<T> {
  const module = await import(name) as Record<string, unknown>;
  return module[exported] as T;
}

type Part = () => unknown;

async function start(over: "tcp" | "ws", listening: boolean): Promise<Node> {
  const create = await load<(options: unknown) => Promise<Node>>("libp2p", "createLibp2p");
  const noise = await load<Part>("@chainsafe/libp2p-noise", "noise");
  const yamux = await load<Part>("@chainsafe/libp2p-yamux", "yamux");
  const transport = over === "tcp"
    ? await load<Part>("@libp2p/tcp", "tcp")
    : await load<Part>("@libp2p/websockets", "webSockets");
  return await create({
    addresses: { listen: listening ? [`/ip4/127.0.0.1/tcp/0${over === "ws" ? "/ws" : ""}`] : [] },
    transports: [transport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: { denyDialMultiaddr: () => false },
    connectionManager: {
      inboundConnectionThreshold: MANY,
      maxIncomingPendingConnections: MANY,
      maxConnections: MANY,
    },
    connectionMonitor: { enabled: false },
  });
}

class Libp2pConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #stream: Stream;
  readonly #connection: Connection;

  constructor(stream: Stream, connection: Connection) {
    this.#stream = stream;
    this.#connection = connection;
    stream.addEventListener("message", ({ data }) => {
      if (data instanceof Uint8Array) this.ondata(data);
      else for (const bytes of data) this.ondata(bytes);
    });
  }

  send(bytes: Uint8Array): void | Promise<void> {
    if (!this.#stream.send(bytes)) return this.#stream.onDrain();
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** `libp2p-tcp`, `libp2p-ws`. */
export function libp2p(over: "tcp" | "ws"): Adapter {
  /** A node dials an address once: lanes that visit at the same time have a node each. */
  const free: Node[] = [];
  return {
    encrypted: true,
    over: over === "tcp" ? "TCP" : "WebSocket",
    async listen(onConnection) {
      const node = await start(over, true);
      await node.handle(
        PROTOCOL,
        (stream, connection) => onConnection(new Libp2pConnection(stream, connection)),
        { maxInboundStreams: MANY },
      );
      return { multiaddr: String(node.getMultiaddrs()[0]) };
    },
    async connect(address) {
      const parse = await load<(text: string) => unknown>("@multiformats/multiaddr", "multiaddr");
      const node = free.pop() ?? await start(over, false);
      const connection = await node.dial(parse(field(address, "multiaddr")), { force: true });
      const stream = await connection.newStream(PROTOCOL, { maxOutboundStreams: MANY });
      const bench = new Libp2pConnection(stream, connection);
      const close = bench.close.bind(bench);
      bench.close = async () => {
        await close();
        free.push(node);
      };
      return bench;
    },
  };
}
