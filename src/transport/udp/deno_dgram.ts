import type { RemoteInfo, Socket } from "node:dgram";
import { formatAddress } from "../address.ts";
import { LoopShare } from "../loop_share.ts";
import { transportError } from "../transport_error.ts";
import { DatagramDelivery, socketIp } from "./datagram_delivery.ts";
import { isPassing } from "./datagram_error.ts";
import type { BindAddress, DatagramSink, DatagramSocket } from "./datagram_socket.ts";
import { DEFAULT_RECEIVE_BUFFER_BYTES, MAX_WAITING_DATAGRAMS } from "./limits.ts";
import { bindNodeSocket } from "./node_dgram.ts";
import { OrderedSends } from "./ordered_sends.ts";

/**
 * A socket of Deno's `node:dgram`, for a Deno without `--unstable-net`.
 *
 * It has no queue to look at: a callback per send tells. Its buffer sizes are only the sizes of its own arrays (a larger one costs a larger allocation per datagram), so the
 * default stays.
 */
export class DenoDgramSocket implements DatagramSocket {
  readonly localHost: string;
  readonly localPort: number;
  readonly family: 4 | 6;
  readonly receiveBuffer: number = DEFAULT_RECEIVE_BUFFER_BYTES;
  readonly #socket: Socket;
  readonly #delivery = new DatagramDelivery();
  readonly #sends: OrderedSends;
  readonly #share: LoopShare = new LoopShare();
  /** Datagrams that wait for their turn: this socket cannot pause. */
  #waiting = 0;
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;
  #peer = "";
  #peerIp = "";

  constructor(socket: Socket, family: 4 | 6) {
    const { address, port } = socket.address();
    this.#socket = socket;
    this.localHost = address;
    this.localPort = port;
    this.family = family;
    const done = (): void => this.#sends.settled();
    this.#sends = new OrderedSends(
      (bytes, host, port) => socket.send(bytes, 0, bytes.length, port, host, done),
      () => this.#delivery.drain(),
    );
    socket.on("error", this.#onError);
    this.#ended = new Promise((resolve) => socket.once("close", () => resolve()));
  }

  get full(): boolean {
    return this.#sends.full || this.#closing !== undefined;
  }

  start(sink: DatagramSink): void {
    this.#delivery.start(sink);
    this.#socket.on("message", this.#onMessage);
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
    this.#socket.close();
    await this.#ended;
    this.#delivery.closed();
  }

  readonly #onMessage = (bytes: Uint8Array, from: RemoteInfo): void => {
    // A copy of exact size: the runtime's array has room for the longest datagram.
    const own = new Uint8Array(bytes);
    if (this.#waiting === 0 && !this.#share.spent) {
      this.#delivery.datagram(own, from.address, from.port);
      return;
    }
    if (this.#waiting >= MAX_WAITING_DATAGRAMS) return;
    this.#waiting++;
    this.#share.later(() => {
      this.#waiting--;
      this.#delivery.datagram(own, from.address, from.port);
    });
  };

  readonly #onError = (cause: unknown): void => {
    if (this.#closing !== undefined || isPassing(cause)) return;
    const place = formatAddress({ scheme: "udp", host: this.localHost, port: this.localPort });
    this.#delivery.error(transportError(`socket ${place} failed`, cause));
    void this.close();
  };
}

/** Opens a socket with Deno's `node:dgram`. */
export async function openDenoDgramSocket(address: BindAddress): Promise<DatagramSocket> {
  return new DenoDgramSocket(await bindNodeSocket(address, undefined), address.family);
}
