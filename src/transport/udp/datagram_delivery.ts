import { setImmediate } from "node:timers";
import type { SttError } from "../../errors.ts";
import type { DatagramSink } from "./datagram_socket.ts";

/**
 * The way from a socket to its sink: marks the ends of batches, and is silent after the socket closed.
 *
 * Both runtimes deliver the datagrams that lie ready from within one phase of the event loop and run the microtasks
 * between them; what `setImmediate` calls comes after that phase, and before the loop waits again.
 */
export class DatagramDelivery {
  #sink: DatagramSink | undefined;
  #batchOpen = false;
  #ended = false;

  get started(): boolean {
    return this.#sink !== undefined;
  }

  get ended(): boolean {
    return this.#ended;
  }

  start(sink: DatagramSink): void {
    this.#sink = sink;
  }

  datagram(bytes: Uint8Array, host: string, port: number): void {
    if (this.#ended || this.#sink === undefined) return;
    if (!this.#batchOpen) {
      this.#batchOpen = true;
      setImmediate(this.#endBatch);
    }
    this.#sink.datagram(bytes, plainIp(host), port);
  }

  drain(): void {
    if (!this.#ended) this.#sink?.drain();
  }

  error(error: SttError): void {
    if (!this.#ended) this.#sink?.error(error);
  }

  /** No more calls but `closed`. */
  end(): void {
    this.#ended = true;
  }

  closed(): void {
    this.#ended = true;
    this.#sink?.closed();
    this.#sink = undefined;
  }

  readonly #endBatch = (): void => {
    this.#batchOpen = false;
    if (!this.#ended) this.#sink?.batchEnd();
  };
}

const MAPPED = "::ffff:";

/** `a.b.c.d` for the `::ffff:a.b.c.d` of a dual-stack socket, so that one peer is not two. */
export function plainIp(host: string): string {
  return host.startsWith(MAPPED) && host.includes(".") ? host.slice(MAPPED.length) : host;
}

/** The form in which a socket of `family` takes the address. */
export function socketIp(host: string, family: 4 | 6): string {
  return family === 6 && !host.includes(":") ? MAPPED + host : host;
}
