/**
 * Connections that are duplex streams in the manner of Node.
 *
 * @module
 */
import type { Server as NetServer } from "node:net";
import { type Address, type BenchConnection, HOST, unasked } from "../adapter.ts";

/** What is used of a duplex stream, Node's own or another one in its manner. */
export interface DuplexLike {
  write(bytes: Uint8Array): boolean;
  end(): unknown;
  destroy(): unknown;
  on(event: "data", listener: (bytes: Uint8Array) => void): unknown;
  on(event: "end" | "close" | "drain", listener: () => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** How long an orderly end may take. */
const CLOSE_MS = 1000;

/** A duplex stream as a connection. */
export class DuplexConnection implements BenchConnection {
  ondata: (bytes: Uint8Array) => void = unasked;
  readonly #duplex: DuplexLike;
  #drained: () => void = () => undefined;
  readonly #closed: Promise<void>;

  constructor(duplex: DuplexLike) {
    this.#duplex = duplex;
    duplex.on("data", (bytes) => this.ondata(bytes));
    duplex.on("drain", () => this.#drained());
    // A server that ends last is told of the reset by an error.
    duplex.on("error", () => undefined);
    duplex.on("end", () => duplex.end());
    this.#closed = new Promise((resolve) => duplex.on("close", resolve));
  }

  send(bytes: Uint8Array): void | Promise<void> {
    if (this.#duplex.write(bytes)) return;
    return new Promise((resolve) => this.#drained = resolve);
  }

  async close(): Promise<void> {
    const force = setTimeout(() => this.#duplex.destroy(), CLOSE_MS);
    this.#duplex.end();
    await this.#closed;
    clearTimeout(force);
  }
}

/** Binds a server to a free port. */
export async function bound(server: NetServer): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, HOST, 1024, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no port");
  return address.port;
}

/** Resolves on an event, rejects on `error`. */
export function happened(
  emitter: { once(event: string, listener: (fact: unknown) => void): unknown },
  event: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    emitter.once(event, () => resolve());
    emitter.once("error", reject);
  });
}

/** A text field of an address. Throws Error when it is missing. */
export function field(address: Address, name: string): string {
  const value = typeof address === "object" ? address[name] : undefined;
  if (typeof value !== "string") throw new Error(`the address has no ${name}`);
  return value;
}

/** A number field of an address. */
export function port(address: Address): number {
  return Number(typeof address === "object" ? address["port"] : address);
}
