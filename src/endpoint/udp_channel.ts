/**
 * One peer's path over a datagram socket, in the shape in which a driver runs a transport.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import { formatAddress } from "../transport/address.ts";
import type { TransportConnection, TransportSink } from "../transport/transport.ts";
import type { DatagramSocket } from "../transport/udp/datagram_socket.ts";

/** Whoever has the socket. */
export interface ChannelOwner {
  readonly socket: DatagramSocket;
  /** The channel found the socket full; it is drained in its turn. */
  blocked(channel: UdpChannel): void;
  /** The channel is over: nothing more is delivered to it. Called once. */
  released(channel: UdpChannel): Promise<void>;
}

/** A peer as the source and the target of datagrams. */
export class UdpChannel implements TransportConnection {
  readonly scheme = "udp";
  readonly framing = "datagram";
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly remoteAddress: string;
  readonly localAddress: string;
  readonly receiveBuffer: number;
  /** The socket takes a datagram or drops it; what it keeps is not this peer's alone. */
  readonly queuedBytes = 0;
  /** Set by the owner while datagrams of the present batch were delivered. */
  inBatch = false;
  readonly #owner: ChannelOwner;
  #sink: TransportSink | undefined;
  #released: Promise<void> | undefined;

  constructor(owner: ChannelOwner, host: string, port: number) {
    const { socket } = owner;
    this.#owner = owner;
    this.remoteHost = host;
    this.remotePort = port;
    this.receiveBuffer = socket.receiveBuffer;
    this.remoteAddress = formatAddress({ scheme: "udp", host, port });
    this.localAddress = formatAddress({
      scheme: "udp",
      host: socket.localHost,
      port: socket.localPort,
    });
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
  }

  ready(): boolean {
    if (!this.#owner.socket.full) return true;
    if (this.#released === undefined) this.#owner.blocked(this);
    return false;
  }

  send(bytes: Uint8Array): boolean {
    if (this.#released !== undefined) return true;
    if (this.#owner.socket.send(bytes, this.remoteHost, this.remotePort)) return true;
    this.#owner.blocked(this);
    return false;
  }

  /** A datagram cannot be kept back in the system's buffer: others wait behind it. */
  pause(): boolean {
    return false;
  }

  resume(): void {
    // Nothing was paused.
  }

  close(): Promise<void> {
    this.#sink = undefined;
    this.#released ??= this.#owner.released(this);
    return this.#released;
  }

  abort(): void {
    this.end();
  }

  // ---- the owner's side ----

  /** A datagram for this session. */
  deliver(bytes: Uint8Array): void {
    this.#sink?.data(bytes);
  }

  batchEnd(): void {
    this.inBatch = false;
    this.#sink?.batchEnd?.();
  }

  drain(): void {
    this.#sink?.drain();
  }

  /** The socket is gone, or this side gives up the path. */
  end(error?: SttError): void {
    const sink = this.#sink;
    void this.close();
    sink?.end(error);
  }
}
