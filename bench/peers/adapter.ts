/**
 * What a protocol has to offer to be measured. Everything else, the workloads above all, is the same for all of them.
 *
 * @module
 */

/** Where the server can be reached, as JSON: what its `listen` returns goes to the client's `connect`. */
export type Address = string | number | { readonly [key: string]: Address };

/** One connection with one bidirectional stream of bytes, or of messages that are taken for bytes. */
export interface BenchConnection {
  /** Gets what arrives, in order. Set before anything is sent. */
  ondata: (bytes: Uint8Array) => void;
  /**
   * Sends bytes that the caller never changes afterwards, at most 64 KiB. Returns a promise only when the protocol asks
   * the sender to wait.
   */
  send(bytes: Uint8Array): void | Promise<void>;
  /** Ends the connection in the protocol's own orderly way and resolves when that is done. */
  close(): Promise<void>;
  /** Counters of the protocol, where it has some. */
  stats?(): unknown;
}

/** One protocol. */
export interface Adapter {
  /** Whether what goes over the wire is encrypted and authenticated. */
  readonly encrypted: boolean;
  /** What carries it: `UDP`, `TCP`, `WebSocket`. */
  readonly over: string;
  /** Listens on a free port of the loopback interface. */
  listen(onConnection: (connection: BenchConnection) => void): Promise<Address>;
  /** Connects and opens a stream. */
  connect(address: Address): Promise<BenchConnection>;
}

/** Where the loopback interface is reached. */
export const HOST = "127.0.0.1";

/** What a connection does with bytes before anybody has asked for them: nothing may arrive then. */
export function unasked(): never {
  throw new Error("bytes arrived before anybody asked for them");
}
