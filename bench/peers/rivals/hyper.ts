/**
 * `@hyperswarm/secret-stream` (Noise XX and libsodium's secretstream) over TCP, and over the reliable UDP of
 * `udx-native`.
 *
 * @module
 */
import net from "node:net";
import { type Adapter, HOST } from "../adapter.ts";
import { bound, DuplexConnection, type DuplexLike, happened, port } from "./duplex.ts";

interface Emitter {
  once(event: string, listener: (fact: unknown) => void): unknown;
}

interface SecretStreamClass {
  new (initiator: boolean, raw: unknown, options: { keyPair: unknown }): DuplexLike & Emitter;
  keyPair(): unknown;
}

interface UdxSocket {
  bind(port: number, host: string): void;
  address(): { readonly port: number };
  trySend(bytes: Uint8Array, port: number, host: string): boolean;
  on(
    event: "message",
    listener: (bytes: Uint8Array, from: { readonly port: number }) => void,
  ): unknown;
}

interface UdxStream {
  connect(socket: UdxSocket, remoteId: number, port: number, host: string): void;
}

type UdxClass = new () => {
  createSocket(): UdxSocket;
  createStream(id: number): UdxStream;
};

async function secretStream(): Promise<SecretStreamClass> {
  const name = "@hyperswarm/secret-stream";
  const { default: SecretStream } = await import(name) as { default: SecretStreamClass };
  return SecretStream;
}

async function udxSocket(): Promise<{ udx: InstanceType<UdxClass>; socket: UdxSocket }> {
  const name = "udx-native";
  const { default: Udx } = await import(name) as { default: UdxClass };
  const udx = new Udx();
  const socket = udx.createSocket();
  socket.bind(0, HOST);
  return { udx, socket };
}

/** `hyper-tcp`. */
export function hyperTcp(): Adapter {
  let keyPair: unknown;
  return {
    encrypted: true,
    over: "TCP",
    async listen(onConnection) {
      const SecretStream = await secretStream();
      keyPair = SecretStream.keyPair();
      const server = net.createServer({ noDelay: true }, (socket) => {
        onConnection(new DuplexConnection(new SecretStream(false, socket, { keyPair })));
      });
      return { port: await bound(server) };
    },
    async connect(address) {
      const SecretStream = await secretStream();
      keyPair ??= SecretStream.keyPair();
      const socket = net.connect({ host: HOST, port: port(address), noDelay: true });
      const stream = new SecretStream(true, socket, { keyPair });
      await happened(stream, "connect");
      return new DuplexConnection(stream);
    },
  };
}

/** Streams have numbers that both sides must know; the client asks for the server's in a datagram of its own. */
function numbers(...values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

function numberAt(bytes: Uint8Array, index: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(4 * index, true);
}

/** `hyper-udx`. */
export function hyperUdx(): Adapter {
  let client: ReturnType<typeof startClient> | undefined;

  async function startClient() {
    const SecretStream = await secretStream();
    const { udx, socket } = await udxSocket();
    const waiting = new Map<number, (remoteId: number) => void>();
    socket.on("message", (bytes) => {
      const id = numberAt(bytes, 0);
      waiting.get(id)?.(numberAt(bytes, 1));
      waiting.delete(id);
    });
    return { SecretStream, udx, socket, waiting, keyPair: SecretStream.keyPair(), nextId: 1 };
  }

  return {
    encrypted: true,
    over: "UDP",
    async listen(onConnection) {
      const SecretStream = await secretStream();
      const { udx, socket } = await udxSocket();
      const keyPair = SecretStream.keyPair();
      let nextId = 1;
      socket.on("message", (bytes, from) => {
        const remoteId = numberAt(bytes, 0);
        const id = nextId++;
        const stream = udx.createStream(id);
        stream.connect(socket, remoteId, from.port, HOST);
        onConnection(new DuplexConnection(new SecretStream(false, stream, { keyPair })));
        socket.trySend(numbers(remoteId, id), from.port, HOST);
      });
      return { port: socket.address().port };
    },
    async connect(address) {
      client ??= startClient();
      const state = await client;
      const id = state.nextId++;
      const stream = state.udx.createStream(id);
      const remoteId = await new Promise<number>((resolve) => {
        state.waiting.set(id, resolve);
        state.socket.trySend(numbers(id), port(address), HOST);
      });
      stream.connect(state.socket, remoteId, port(address), HOST);
      const secret = new state.SecretStream(true, stream, { keyPair: state.keyPair });
      await happened(secret, "connect");
      return new DuplexConnection(secret);
    },
  };
}
