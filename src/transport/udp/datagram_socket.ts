/**
 * What the endpoint needs of UDP: one unconnected socket that sends datagrams to anybody and hands over what arrives.
 * Callbacks, not promises: one per datagram is all the hot path can pay.
 *
 * @module
 */
import type { SttError } from "../../errors.ts";

/** Where a socket reports to. Calls come only after {@link DatagramSocket.start}. */
export interface DatagramSink {
  /**
   * One datagram, 0 to 65,507 bytes. The array is the sink's own: it is not reused, and nothing else lies in its buffer.
   *
   * @param host IP address of the sender; IPv4 in its plain form, whatever the family of the socket.
   * @param port 0 to 65535. Nothing can be sent to port 0, which strangers may write into their datagrams.
   */
  datagram(bytes: Uint8Array, host: string, port: number): void;
  /** The datagrams that lay ready were delivered: the moment to acknowledge and to send. At least one came before it. */
  batchEnd(): void;
  /** There is room again after the socket was {@link DatagramSocket.full}. */
  drain(): void;
  /** The socket failed and closes by itself. Refusals and unreachable hosts are not failures: anyone can forge those. */
  error(error: SttError): void;
  /** The socket is closed: once, last. */
  closed(): void;
}

/** A bound UDP socket. */
export interface DatagramSocket {
  /** The bound IP address; `0.0.0.0` or `::` for all. */
  readonly localHost: string;
  /** The bound port, 1 to 65535. */
  readonly localPort: number;
  /** 4 or 6. A socket on `::` takes and sends IPv4 as well where the system allows. */
  readonly family: 4 | 6;
  /**
   * Bytes that the system's receive buffer holds as far as is known. Linux counts its own overhead of about 1,100 bytes
   * per datagram against it.
   */
  readonly receiveBuffer: number;
  /** No room: {@link DatagramSink.drain} tells when there is. Also true once closed. */
  readonly full: boolean;
  /** Begins delivery. Call it in the same turn in which the socket was opened, or the first datagrams may be lost. */
  start(sink: DatagramSink): void;
  /**
   * Sends one datagram. Never throws; what the system refuses (too long, no route, port 0) is lost like on the way.
   *
   * @param host IP address, not a name. IPv4 is taken by sockets of both families.
   * @return True: the array may be reused at once. False: do not write to the array until {@link DatagramSink.drain},
   * because it may still lie in the queue. The datagram that made the socket {@link full} still goes out; one given
   * to a socket that was full or closed before is dropped, so look at `full` before one is built.
   */
  send(bytes: Uint8Array, host: string, port: number): boolean;
  /** Closes after what is queued was sent, or shortly. Resolves when the socket is closed; never rejects. */
  close(): Promise<void>;
}

/** Options of opening a UDP socket. */
export interface OpenDatagramOptions {
  /** IP address or name to bind; `0.0.0.0` all of IPv4, `::` all of both. */
  readonly host: string;
  /** 0 to 65535; 0 lets the system choose. */
  readonly port: number;
  /** The family that a host name is looked up in. */
  readonly family?: 4 | 6;
  /** Gives up opening. A socket that is open stays. */
  readonly signal?: AbortSignal;
}

/** The address to bind, looked up. */
export interface BindAddress {
  readonly host: string;
  readonly family: 4 | 6;
  readonly port: number;
}
