/**
 * QUIC of Deno (`--unstable-net`): one bidirectional stream.
 *
 * @module
 */
import { type Adapter, type BenchConnection, HOST, unasked } from "../adapter.ts";
import { makeCertificate } from "./certificate.ts";
import { field, port } from "./duplex.ts";

const ALPN = ["stt-bench"];

class QuicConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #connection: Deno.QuicConn;
  readonly #stream: Deno.QuicBidirectionalStream;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(connection: Deno.QuicConn, stream: Deno.QuicBidirectionalStream) {
    this.#connection = connection;
    this.#stream = stream;
    this.#writer = stream.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array>;
  }

  start(): void {
    // A connection that the other side closes ends the reading with an error.
    this.#read().catch(() => undefined);
  }

  async #read(): Promise<void> {
    for await (const bytes of this.#stream.readable) this.ondata(bytes);
  }

  send(bytes: Uint8Array): void | Promise<void> {
    const written = this.#writer.write(bytes);
    written.catch(() => undefined);
    if ((this.#writer.desiredSize ?? 1) <= 0) return written;
  }

  close(): Promise<void> {
    this.#connection.close({ closeCode: 0, reason: "" });
    return Promise.resolve();
  }
}

async function serve(
  incoming: Deno.QuicIncoming,
  onConnection: (connection: BenchConnection) => void,
): Promise<void> {
  const connection = await incoming.accept();
  for await (const stream of connection.incomingBidirectionalStreams) {
    const bench = new QuicConnection(connection, stream);
    onConnection(bench);
    bench.start();
  }
}

/** `deno-quic`. */
export function denoQuic(): Adapter {
  let endpoint: Deno.QuicEndpoint | undefined;
  return {
    encrypted: true,
    over: "UDP",
    listen(onConnection) {
      const own = new Deno.QuicEndpoint({ hostname: HOST, port: 0 });
      const certificate = makeCertificate();
      const listener = own.listen({ ...certificate, alpnProtocols: ALPN });
      void (async () => {
        for await (const incoming of listener) {
          // A connection that the client closes ends its loop with an error.
          serve(incoming, onConnection).catch(() => undefined);
        }
      })();
      return Promise.resolve({ port: own.addr.port, ca: certificate.cert });
    },
    async connect(address) {
      endpoint ??= new Deno.QuicEndpoint({ hostname: HOST, port: 0 });
      const connection = await Deno.connectQuic({
        hostname: HOST,
        serverName: "localhost",
        port: port(address),
        alpnProtocols: ALPN,
        caCerts: [field(address, "ca")],
        endpoint,
      });
      const bench = new QuicConnection(connection, await connection.createBidirectionalStream());
      bench.start();
      return bench;
    },
  };
}
