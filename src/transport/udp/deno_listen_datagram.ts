import type { SttError } from "../../errors.ts";
import { formatAddress } from "../address.ts";
import type { DenoDatagramConn, DenoNetAddress } from "../deno_types.ts";
import { LoopShare } from "../loop_share.ts";
import { transportError } from "../transport_error.ts";
import { DatagramDelivery, socketIp } from "./datagram_delivery.ts";
import { isPassing } from "./datagram_error.ts";
import type { BindAddress, DatagramSink, DatagramSocket } from "./datagram_socket.ts";
import { DEFAULT_RECEIVE_BUFFER_BYTES, MAX_RECEIVE_ERRORS } from "./limits.ts";
import { OrderedSends } from "./ordered_sends.ts";

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
  readonly #sends: OrderedSends;
  readonly #share: LoopShare = new LoopShare();
  #receiving: Promise<void> = Promise.resolve();
  #sending: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #peer = "";
  #peerIp = "";
  #to: DenoNetAddress = { transport: "udp", hostname: "", port: 0 };

  constructor(conn: DenoDatagramConn, family: 4 | 6) {
    this.#conn = conn;
    this.localHost = conn.addr.hostname;
    this.localPort = conn.addr.port;
    this.family = family;
    this.#sends = new OrderedSends(this.#issue, () => this.#delivery.drain());
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
    if (host !== this.#peer) {
      this.#peer = host;
      this.#peerIp = socketIp(host, this.family);
    }
    this.#sends.push(bytes, this.#peerIp, port);
    return !this.#sends.full;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#delivery.end();
    await this.#sends.flush();
    this.#conn.close();
    await Promise.allSettled([this.#receiving, this.#sending]);
    this.#delivery.closed();
  }

  readonly #issue = (bytes: Uint8Array, hostname: string, port: number): void => {
    if (port !== this.#to.port || hostname !== this.#to.hostname) {
      this.#to = { transport: "udp", hostname, port };
    }
    const { settled } = this.#sends;
    this.#sending = this.#conn.send(bytes, this.#to).then(settled, settled);
  };

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
      if (this.#share.spent) await new Promise<void>((resolve) => this.#share.later(resolve));
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
