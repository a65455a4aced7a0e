/**
 * The protocol of this repository over each of its transports.
 *
 * @module
 */
import { connect, listen, type Peer, SttError, type SttStream } from "../../mod.ts";
import type { Adapter, Address, BenchConnection } from "./adapter.ts";
import { HOST, unasked } from "./adapter.ts";

/** Options of an endpoint that the benches vary. */
export interface OurOptions {
  readonly congestion?: "bbr" | "cubic" | "newreno";
  readonly pathMtu?: number;
}

const SEED = new Uint8Array(32).fill(7);

class OurConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #peer: Peer;
  readonly #stream: SttStream;

  constructor(peer: Peer, stream: SttStream) {
    this.#peer = peer;
    this.#stream = stream;
  }

  send(bytes: Uint8Array): void | Promise<void> {
    if (!this.#stream.tryWrite(bytes, true)) return this.#stream.ready();
  }

  async close(): Promise<void> {
    await this.#peer.close();
  }

  stats(): unknown {
    return this.#peer.stats();
  }

  /** Reads to the end of the stream or of the session. What has come already goes to `ondata` at once. */
  start(): void {
    this.#read().catch((error: unknown) => reportUnlessClosed(this.#peer, error));
  }

  async #read(): Promise<void> {
    for (;;) {
      const chunk = this.#stream.tryRead() ?? await this.#stream.read();
      if (chunk === null) return;
      this.ondata(chunk);
    }
  }
}

async function reportUnlessClosed(peer: Peer, error: unknown): Promise<void> {
  // A session that the client closes ends the reading of the stream with an error.
  if (error instanceof SttError && (await peer.closed).error === undefined) return;
  console.error(error);
}

/** An adapter for `address`, the same on both sides but for the port. */
export function ours(
  address: string,
  over: string,
  options: OurOptions = {},
  native = false,
): Adapter {
  return {
    encrypted: true,
    over,
    async listen(onConnection): Promise<Address> {
      const listener = await listen(address, {
        seed: SEED,
        ...options,
        handshakeRate: Infinity,
        halfOpenPerAddress: 1024,
        ...(native ? { transport: { native } } : {}),
      });
      void (async () => {
        for await (const peer of listener) {
          void (async () => {
            for await (const stream of peer.streams()) {
              const connection = new OurConnection(peer, stream);
              onConnection(connection);
              connection.start();
            }
          })().catch((error: unknown) => reportUnlessClosed(peer, error));
        }
      })();
      return listener.address;
    },
    async connect(to): Promise<BenchConnection> {
      return await new Promise<BenchConnection>((resolve, reject) => {
        // The listener is authenticated when AUTH_PROOF leaves: the first request goes with it (SPEC 6.3.5).
        const early = async (peer: Peer): Promise<void> => {
          const connection = new OurConnection(peer, await peer.openStream());
          connection.start();
          resolve(connection);
        };
        connect(String(to), { seed: SEED, ...options, early }).catch(reject);
      });
    },
  };
}

/** The adapters by name. */
export function ourAdapters(options: OurOptions = {}): Record<string, Adapter> {
  return {
    "ours-udp": ours(`udp://${HOST}:0`, "UDP", options),
    // As over a network: what else loopback would carry is not used.
    "ours-udp-1452": ours(`udp://${HOST}:0`, "UDP", { ...options, pathMtu: 1452 }),
    "ours-ws": ours(`ws://${HOST}:0/`, "WebSocket", options),
    "ours-ws-native": ours(`ws://${HOST}:0/`, "WebSocket", options, true),
    "ours-tcp": ours(`tcp://${HOST}:0`, "TCP", options),
    "ours-mem": ours("mem:bench", "memory", options),
  };
}
