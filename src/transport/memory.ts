/**
 * Connections inside one process: `mem:name`.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import { DEFAULT_MAX_CONNECTIONS } from "./limits.ts";
import { MemoryConnection } from "./memory_connection.ts";
import type {
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
  TransportListener,
} from "./transport.ts";

let pairs = 0;

/** Two ends of one connection; what one end sends, the other receives. Nothing is delivered before `start`. */
export function memoryPair(name = "pair"): [TransportConnection, TransportConnection] {
  return joined(name);
}

function joined(name: string): [MemoryConnection, MemoryConnection] {
  // Each dialler has a name of its own, so that limits per address do not throttle a process that talks to itself.
  return MemoryConnection.pair(`mem:${name}.${++pairs}`, `mem:${name}`);
}

class MemoryListener implements TransportListener {
  readonly address: string;
  readonly onConnection: (connection: TransportConnection) => void;
  readonly maxConnections: number;
  connections = 0;
  readonly #close: () => void;

  constructor(
    address: string,
    onConnection: (connection: TransportConnection) => void,
    maxConnections: number,
    close: () => void,
  ) {
    this.address = address;
    this.onConnection = onConnection;
    this.maxConnections = maxConnections;
    this.#close = close;
  }

  close(): Promise<void> {
    this.#close();
    return Promise.resolve();
  }
}

/** Listeners by name. A network of one's own keeps the names of tests apart. */
export class MemoryNetwork implements Transport {
  readonly schemes: readonly string[] = ["mem"];
  readonly #listeners = new Map<string, MemoryListener>();

  async dial(address: string, options: DialOptions = {}): Promise<TransportConnection> {
    const { host: name, text } = memoryAddress(address);
    options.signal?.throwIfAborted();
    await Promise.resolve();
    options.signal?.throwIfAborted();
    const listener = this.#listeners.get(name);
    if (listener === undefined) {
      throw new SttError("TRANSPORT", `cannot connect to ${text}: nobody listens there`);
    }
    if (listener.connections >= listener.maxConnections) {
      throw new SttError(
        "TRANSPORT",
        `cannot connect to ${text}: the listener has its most connections, ${listener.maxConnections}`,
        { limit: listener.maxConnections },
      );
    }
    const [ours, theirs] = joined(name);
    listener.connections++;
    void theirs.closed.then(() => listener.connections--);
    listener.onConnection(theirs);
    return ours;
  }

  listen(
    address: string,
    onConnection: (connection: TransportConnection) => void,
    options: ListenTransportOptions = {},
  ): Promise<TransportListener> {
    try {
      const { host: name, text } = memoryAddress(address);
      const { signal } = options;
      signal?.throwIfAborted();
      if (this.#listeners.has(name)) {
        throw new SttError("TRANSPORT", `cannot listen on ${text}: the name is in use`);
      }
      const close = (): void => {
        if (this.#listeners.get(name) === listener) this.#listeners.delete(name);
        signal?.removeEventListener("abort", close);
      };
      const listener = new MemoryListener(
        text,
        onConnection,
        options.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
        close,
      );
      signal?.addEventListener("abort", close);
      this.#listeners.set(name, listener);
      return Promise.resolve(listener);
    } catch (error) {
      return Promise.reject(error);
    }
  }
}

function memoryAddress(text: string): { host: string; text: string } {
  const address = parseAddress(text);
  if (address.scheme !== "mem") {
    throw new SttError("ADDRESS", `cannot use ${address.text}: a memory network takes mem:name`);
  }
  return address;
}

/** The network of `mem:` addresses when none is given. */
export const defaultMemoryNetwork: MemoryNetwork = new MemoryNetwork();
