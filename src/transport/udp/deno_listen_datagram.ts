import { clearTimeout, setTimeout } from "node:timers";
import type { SttError } from "../../errors.ts";
import { formatAddress } from "../address.ts";
import type { DenoDatagramConn, DenoNetAddress } from "../deno_types.ts";
import { transportError } from "../transport_error.ts";
import { DatagramDelivery, socketIp } from "./datagram_delivery.ts";
import { isPassing } from "./datagram_error.ts";
import type { BindAddress, DatagramSink, DatagramSocket } from "./datagram_socket.ts";
import { CLOSE_FLUSH_MS, DEFAULT_RECEIVE_BUFFER_BYTES, MAX_RECEIVE_ERRORS } from "./limits.ts";
import { SendBuffers } from "./send_buffers.ts";
import { SendsUnderWay } from "./sends_under_way.ts";

/** More than the longest UDP payload: a shorter buffer would cut datagrams silently. */
const RECEIVE_ROOM = 65_536;

/** A socket of `Deno.listenDatagram`. */
export class DenoDatagramSocket implements DatagramSocket {
  readonly localHost: string;
  readonly localPort: number;
  readonly family: 4 | 6;
  readonly receiveBuffer: number = DEFAULT_RECEIVE_BUFFER_BYTES;
  readonly #conn: DenoDatagramConn;
  readonly #delivery = new DatagramDelivery();
  readonly #sends: SendsUnderWay;
  readonly #buffers: SendBuffers;
  #receiving: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #host = "";
  #to: DenoNetAddress = { transport: "udp", hostname: "", port: 0 };

  constructor(conn: DenoDatagramConn, family: 4 | 6) {
    this.#conn = conn;
    this.localHost = conn.addr.hostname;
    this.localPort = conn.addr.port;
    this.family = family;
    this.#sends = new SendsUnderWay(() => this.#delivery.drain());
    this.#buffers = new SendBuffers((size) => this.#sends.end(size));
  }

  get full(): boolean {
    return this.#sends.full || this.#closing !== undefined;
  }

  start(sink: DatagramSink): void {
    this.#delivery.start(sink);
    this.#receiving = this.#receive();
  }

  send(bytes: Uint8Array, host: string, port: number): boolean {
    if (this.full) return false;
    if (port <= 0 || port > 65_535) return true;
    if (host !== this.#host || port !== this.#to.port) {
      this.#host = host;
      this.#to = { transport: "udp", hostname: socketIp(host, this.family), port };
    }
    // The runtime may read the array after this call, and it never tells when before its promise: hence the copy.
    const buffer = this.#buffers.take(bytes);
    this.#sends.begin(bytes.length);
    this.#conn.send(buffer.view(), this.#to).then(buffer.done, buffer.done);
    return !this.#sends.full;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#delivery.end();
    if (this.#sends.count > 0) await this.#flush();
    this.#conn.close();
    await this.#receiving;
    await this.#sends.idle();
    this.#delivery.closed();
  }

  #flush(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, CLOSE_FLUSH_MS);
      void this.#sends.idle().then(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async #receive(): Promise<void> {
    const room = new Uint8Array(RECEIVE_ROOM);
    let errors = 0;
    while (!this.#delivery.ended) {
      let received: [Uint8Array, DenoNetAddress];
      try {
        received = await this.#conn.receive(room);
        errors = 0;
      } catch (cause) {
        if (this.#delivery.ended) return;
        if (isPassing(cause) && ++errors < MAX_RECEIVE_ERRORS) continue;
        this.#delivery.error(this.#failure(cause));
        void this.close();
        return;
      }
      const [bytes, from] = received;
      // A copy of exact size: a view would keep the whole room alive with the shortest datagram.
      this.#delivery.datagram(bytes.slice(), from.hostname, from.port);
    }
  }

  #failure(cause: unknown): SttError {
    const place = formatAddress({ scheme: "udp", host: this.localHost, port: this.localPort });
    return transportError(`socket ${place} failed`, cause);
  }
}

/** Opens a socket with `Deno.listenDatagram`. */
export function openDenoSocket(
  listenDatagram: (options: DenoNetAddress) => DenoDatagramConn,
  address: BindAddress,
): DatagramSocket {
  const { host, port, family } = address;
  try {
    const conn = listenDatagram({ transport: "udp", hostname: host, port });
    return new DenoDatagramSocket(conn, family);
  } catch (cause) {
    throw transportError(
      `cannot bind ${formatAddress({ scheme: "udp", host, port })}`,
      cause,
    );
  }
}
