/**
 * `zeromq` with CURVE: a Router with any number of Dealers.
 *
 * @module
 */
import { type Adapter, type Address, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { field } from "./duplex.ts";

interface ZmqSocket {
  connect(address: string): void;
  bind(address: string): Promise<void>;
  send(parts: readonly Uint8Array[]): Promise<void>;
  close(): void;
  readonly lastEndpoint: string;
  [Symbol.asyncIterator](): AsyncIterator<readonly Uint8Array[]>;
}

interface ZmqPackage {
  readonly Router: new (options: Readonly<Record<string, unknown>>) => ZmqSocket;
  readonly Dealer: new (options: Readonly<Record<string, unknown>>) => ZmqSocket;
  curveKeyPair(): { readonly publicKey: string; readonly secretKey: string };
}

/** Bytes that may wait for the library before the sender is asked to wait. */
const HIGH_WATER_BYTES = 1_048_576;

async function zeromq(): Promise<ZmqPackage> {
  const name = "zeromq";
  const found = await import(name) as ZmqPackage & { readonly default?: ZmqPackage };
  return found.default ?? found;
}

/** The library takes one message at a time. */
class Sender {
  readonly #socket: ZmqSocket;
  readonly #queue: (readonly Uint8Array[])[] = [];
  #bytes = 0;
  #running: Promise<void> | undefined;

  constructor(socket: ZmqSocket) {
    this.#socket = socket;
  }

  /** Asks the sender to wait when much is queued. */
  push(parts: readonly Uint8Array[]): void | Promise<void> {
    this.#queue.push(parts);
    for (const { length } of parts) this.#bytes += length;
    this.#running ??= this.#run();
    if (this.#bytes > HIGH_WATER_BYTES) return this.#running;
  }

  async #run(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      await this.#socket.send(next);
      for (const { length } of next) this.#bytes -= length;
    }
    this.#running = undefined;
  }
}

class ZmqConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #send: (bytes: Uint8Array) => void | Promise<void>;
  readonly #close: () => void;

  constructor(send: (bytes: Uint8Array) => void | Promise<void>, close: () => void) {
    this.#send = send;
    this.#close = close;
  }

  send(bytes: Uint8Array): void | Promise<void> {
    return this.#send(bytes);
  }

  close(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}

/** `zeromq-curve`. */
export const zeromqAdapter: Adapter = {
  encrypted: true,
  over: "TCP",
  async listen(onConnection): Promise<Address> {
    const zmq = await zeromq();
    const keys = zmq.curveKeyPair();
    const router = new zmq.Router({
      curveServer: true,
      curvePublicKey: keys.publicKey,
      curveSecretKey: keys.secretKey,
    });
    await router.bind(`tcp://${HOST}:*`);
    const sender = new Sender(router);
    const connections = new Map<string, ZmqConnection>();
    void (async () => {
      for await (const [from, bytes] of router) {
        if (from === undefined || bytes === undefined) continue;
        const id = from.join();
        let connection = connections.get(id);
        if (connection === undefined) {
          connection = new ZmqConnection(
            (reply) => sender.push([from, reply]),
            () => void connections.delete(id),
          );
          connections.set(id, connection);
          onConnection(connection);
        }
        connection.ondata(bytes);
      }
    })();
    return { endpoint: router.lastEndpoint, key: keys.publicKey };
  },
  async connect(address): Promise<BenchConnection> {
    const zmq = await zeromq();
    const keys = zmq.curveKeyPair();
    const dealer = new zmq.Dealer({
      curveServerKey: field(address, "key"),
      curvePublicKey: keys.publicKey,
      curveSecretKey: keys.secretKey,
      linger: 0,
    });
    dealer.connect(field(address, "endpoint"));
    const sender = new Sender(dealer);
    const connection = new ZmqConnection(
      (bytes) => sender.push([bytes]),
      () => dealer.close(),
    );
    void (async () => {
      for await (const [bytes] of dealer) if (bytes !== undefined) connection.ondata(bytes);
    })();
    return connection;
  },
};
