/**
 * One peer's path over a datagram socket, in the shape in which a driver runs a transport.
 *
 * @module
 */
import { availableParallelism } from "node:os";
import { setImmediate } from "node:timers";
import type { SttError } from "../errors.ts";
import { formatAddress } from "../transport/address.ts";
import type { DatagramTarget, TransportConnection, TransportSink } from "../transport/transport.ts";
import type { DatagramSocket } from "../transport/udp/datagram_socket.ts";

/** With one processor the loop would turn where the peer could work. */
const HAS_ROOM = availableParallelism() > 1;

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
  /** Where the peer is; it may move. */
  remote: DatagramTarget;
  /** The handshake proved that the peer receives at `remote`. */
  readonly validated: boolean;
  /** Bytes that came from there before the session began. */
  readonly received: number;
  readonly localAddress: string;
  readonly receiveBuffer: number;
  /** The socket takes a datagram or drops it; what it keeps is not this peer's alone. */
  readonly queuedBytes = 0;
  /** Set by the owner while datagrams of the present batch were delivered. */
  inBatch = false;
  readonly #owner: ChannelOwner;
  #sink: TransportSink | undefined;
  #released: Promise<void> | undefined;

  constructor(owner: ChannelOwner, remote: DatagramTarget, validated: boolean, received: number) {
    const { socket } = owner;
    this.#owner = owner;
    this.remote = remote;
    this.validated = validated;
    this.received = received;
    this.receiveBuffer = socket.receiveBuffer;
    this.localAddress = formatAddress({
      scheme: "udp",
      host: socket.localHost,
      port: socket.localPort,
    });
  }

  get remoteHost(): string {
    return this.remote.host;
  }

  get remoteAddress(): string {
    return formatAddress({ scheme: "udp", ...this.remote });
  }

  get mayTurn(): boolean {
    return HAS_ROOM;
  }

  moved(to: DatagramTarget): void {
    this.remote = to;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
  }

  ready(): boolean {
    if (!this.#owner.socket.full) return true;
    if (this.#released === undefined) this.#owner.blocked(this);
    return false;
  }

  send(bytes: Uint8Array, to: DatagramTarget = this.remote): boolean {
    if (this.#released !== undefined) return true;
    if (this.#owner.socket.send(bytes, to.host, to.port)) return true;
    this.#owner.blocked(this);
    return false;
  }

  afterTurn(run: () => void): void {
    setImmediate(run);
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
  deliver(bytes: Uint8Array, host: string, port: number): void {
    this.#sink?.data(bytes, host, port);
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
