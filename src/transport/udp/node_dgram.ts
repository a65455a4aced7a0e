import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { clearTimeout, setTimeout } from "node:timers";
import { formatAddress } from "../address.ts";
import { transportError } from "../transport_error.ts";
import { DatagramDelivery, socketIp } from "./datagram_delivery.ts";
import { isPassing } from "./datagram_error.ts";
import type { BindAddress, DatagramSink, DatagramSocket } from "./datagram_socket.ts";
import { CLOSE_FLUSH_MS, QUEUE_POLL_MS, RECEIVE_BUFFER_BYTES } from "./limits.ts";

/**
 * A socket of `node:dgram` on Node.
 *
 * Node hands a datagram to the system within the call; only when the system's buffer is full does it keep the array
 * and a queue, whose length is looked at after each send. A callback per send would say the same later and slower.
 */
export class NodeDatagramSocket implements DatagramSocket {
  readonly localHost: string;
  readonly localPort: number;
  readonly family: 4 | 6;
  readonly receiveBuffer: number;
  readonly #socket: Socket;
  readonly #delivery = new DatagramDelivery();
  readonly #closed: Promise<void>;
  #full = false;
  #closing = false;
  #poll: ReturnType<typeof setTimeout> | undefined;
  #flushBy = 0;
  #peer = "";
  #peerIp = "";

  constructor(socket: Socket, family: 4 | 6) {
    const { address, port } = socket.address();
    this.#socket = socket;
    this.localHost = address;
    this.localPort = port;
    this.family = family;
    this.receiveBuffer = socket.getRecvBufferSize();
    socket.on("error", this.#onError);
    this.#closed = new Promise((resolve) => {
      socket.once("close", () => {
        clearTimeout(this.#poll);
        this.#delivery.closed();
        resolve();
      });
    });
  }

  get full(): boolean {
    return this.#full || this.#closing;
  }

  start(sink: DatagramSink): void {
    this.#delivery.start(sink);
    this.#socket.on("message", this.#onMessage);
  }

  send(bytes: Uint8Array, host: string, port: number): boolean {
    if (this.#full || this.#closing) return false;
    if (port <= 0 || port > 65_535) return true;
    if (host !== this.#peer) {
      this.#peer = host;
      this.#peerIp = socketIp(host, this.family);
    }
    this.#socket.send(bytes, 0, bytes.length, port, this.#peerIp);
    if (this.#socket.getSendQueueCount() === 0) return true;
    this.#full = true;
    this.#poll = setTimeout(this.#onPoll, QUEUE_POLL_MS);
    return false;
  }

  close(): Promise<void> {
    if (this.#closing) return this.#closed;
    this.#closing = true;
    this.#delivery.end();
    if (this.#full) this.#flushBy = CLOSE_FLUSH_MS / QUEUE_POLL_MS;
    else this.#socket.close();
    return this.#closed;
  }

  readonly #onMessage = (bytes: Uint8Array, from: RemoteInfo): void => {
    this.#delivery.datagram(
      new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength),
      from.address,
      from.port,
    );
  };

  readonly #onError = (cause: unknown): void => {
    if (this.#closing || isPassing(cause)) return;
    const place = formatAddress({ scheme: "udp", host: this.localHost, port: this.localPort });
    this.#delivery.error(transportError(`socket ${place} failed`, cause));
    void this.close();
  };

  readonly #onPoll = (): void => {
    if (this.#socket.getSendQueueCount() > 0 && (!this.#closing || this.#flushBy-- > 0)) {
      this.#poll = setTimeout(this.#onPoll, QUEUE_POLL_MS);
      return;
    }
    this.#full = false;
    if (this.#closing) this.#socket.close();
    else this.#delivery.drain();
  };
}

/** Addresses are IP addresses already, so a lookup per datagram would be wasted. */
function noLookup(
  host: string,
  options: unknown,
  done: (error: Error | null, address: string, family: number) => void,
): void {
  const callback = typeof options === "function" ? options as typeof done : done;
  callback(null, host, host.includes(":") ? 6 : 4);
}

/**
 * Binds a socket of `node:dgram`.
 *
 * @param receiveBuffer Bytes asked of the system for its receive buffer; undefined leaves its default.
 */
export function bindNodeSocket(
  address: BindAddress,
  receiveBuffer: number | undefined,
): Promise<Socket> {
  const text = formatAddress({ scheme: "udp", host: address.host, port: address.port });
  const attempt = `cannot bind ${text}`;
  return new Promise((resolve, reject) => {
    const socket = createSocket({
      type: address.family === 6 ? "udp6" : "udp4",
      lookup: noLookup,
      ...(receiveBuffer === undefined ? {} : { recvBufferSize: receiveBuffer }),
    });
    const refuse = (cause: unknown): void => {
      socket.close();
      reject(transportError(attempt, cause));
    };
    socket.once("error", refuse);
    try {
      socket.bind({ address: address.host, port: address.port, exclusive: true }, () => {
        socket.off("error", refuse);
        resolve(socket);
      });
    } catch (cause) {
      refuse(cause);
    }
  });
}

/** Opens a socket on Node. */
export async function openNodeSocket(address: BindAddress): Promise<DatagramSocket> {
  return new NodeDatagramSocket(
    await bindNodeSocket(address, RECEIVE_BUFFER_BYTES),
    address.family,
  );
}
