/**
 * What the endpoint needs of a transport: a connection that carries bytes in order and a listener of them, or a socket
 * that sends datagrams.
 * Callbacks, not promises: one per chunk is all the hot path can pay.
 *
 * @module
 */
import type { SttError } from "../errors.ts";
import type { DatagramSocket, OpenDatagramOptions } from "./udp/datagram_socket.ts";
import type { ResolvedHost } from "./udp/resolved_host.ts";
import type { WebFile } from "./web_files.ts";

/** Where a transport connection reports to. Calls come only after {@link TransportConnection.start}. */
export interface TransportSink {
  /**
   * Bytes from the peer. For `message` framing one call is one whole message. The array is not reused afterwards. `datagram`
   * framing: with the address that the datagram came from.
   */
  data(bytes: Uint8Array, host?: string, port?: number): void;
  /** `datagram` framing: the datagrams that lay ready were delivered. */
  batchEnd?(): void;
  /** The transport holds an array that `send` took no more. Not every transport tells. */
  written?(bytes: Uint8Array): void;
  /** The queue fell below its low-water mark after a `send` that returned false. */
  drain(): void;
  /**
   * The peer has ended, behind bytes that wait for their turn of the event loop. True: nobody wants them any more, and the
   * end is told at once. Absent or false: they are delivered before it.
   */
  abandoned?(): boolean;
  /** The transport ended: once, last. `error` when it did not end in order. */
  end(error?: SttError): void;
}

/** Where a datagram goes. */
export interface DatagramTarget {
  /** IP address. */
  readonly host: string;
  /** 1 to 65535. */
  readonly port: number;
}

/** One connection (WebSocket, TCP, memory), or the path to one peer over a datagram socket. */
export interface TransportConnection {
  /** Scheme of the address, without colon. */
  readonly scheme: string;
  /**
   * `stream`: bytes in any chunks. `message`: each message holds whole frames (SPEC 4). `datagram`: the same, but
   * messages get lost, come twice or in another order.
   */
  readonly framing: "stream" | "message" | "datagram";
  /** Address of the peer in address form, for people: `ws://127.0.0.1:9000/`. */
  readonly remoteAddress: string;
  /** IP address (or a name for memory transports) that rate limits count by. */
  readonly remoteHost: string;
  /** Address of this side in address form. */
  readonly localAddress: string;
  /** `datagram` framing: bytes that the system's receive buffer holds, as far as is known. */
  readonly receiveBuffer?: number;
  /** Begins delivery to `sink`. Bytes that came earlier are delivered first. */
  start(sink: TransportSink): void;
  /**
   * Takes ownership of `bytes`, which `datagram` framing gives back by returning true. False: more than the high-water mark
   * is queued, wait for `drain`. Never throws.
   *
   * @param to `datagram` framing: where they go, if not to the address of the peer.
   */
  send(bytes: Uint8Array, to?: DatagramTarget): boolean;
  /** `datagram` framing: the peer is at another address from now on. */
  moved?(to: DatagramTarget): void;
  /**
   * Asked before each `send` by those who must not build what would not be taken. False: `drain` will come. Absent: only
   * the return value of `send` counts.
   */
  ready?(): boolean;
  /**
   * `datagram` framing: calls `run` once the application has had its turn with what was delivered, before the event loop
   * waits again.
   */
  afterTurn?(run: () => void): void;
  /** With `afterTurn`: a processor is to spare, so that the event loop may keep turning while an answer is likely. */
  readonly mayTurn?: boolean;
  /** Bytes taken by `send` and not yet handed to the operating system. */
  readonly queuedBytes: number;
  /** Stops reading; false when this transport cannot. */
  pause(): boolean;
  /** Begins to read again. */
  resume(): void;
  /** Sends what is queued, then ends. Resolves when the transport has ended; never rejects. */
  close(): Promise<void>;
  /** Ends now. */
  abort(): void;
}

/** A listening transport. */
export interface TransportListener {
  /** The bound address with the real port, in address form. */
  readonly address: string;
  /** Stops accepting. Connections already handed out stay. Resolves when the socket is closed. */
  close(): Promise<void>;
}

/** Options of dialling that concern the transport alone. */
export interface DialOptions {
  /** Aborts dialling. */
  readonly signal?: AbortSignal;
  /** Milliseconds for the transport's own connection set-up (TCP, TLS, upgrade). */
  readonly timeoutMs?: number;
  /** PEM certificates that `wss:` trusts besides the system's. */
  readonly ca?: string;
  /** Largest message taken (WebSocket), bytes. */
  readonly maxMessageBytes?: number;
  /** Extra request headers (WebSocket). */
  readonly headers?: Record<string, string>;
  /**
   * Masks WebSocket messages with random keys, as RFC 6455 asks, instead of with zeros (SPEC 4.7): for intermediaries
   * that look at keys. Slower. Default false.
   */
  readonly randomMasks?: boolean;
  /** Dials with the runtime's own `WebSocket` instead of the package `ws`: it cannot pause, nor be cut. */
  readonly native?: boolean;
}

/** Options of listening that concern the transport alone. */
export interface ListenTransportOptions {
  /** Closes the listener when aborted. */
  readonly signal?: AbortSignal;
  /** PEM certificate chain and key: `wss:` needs both. */
  readonly cert?: string;
  /** PEM private key. */
  readonly key?: string;
  /** Largest message taken (WebSocket), bytes. */
  readonly maxMessageBytes?: number;
  /** Milliseconds within which an upgrade must be complete (WebSocket). */
  readonly upgradeTimeoutMs?: number;
  /** TCP connections that have not upgraded yet, at least 1; beyond, the oldest is closed (WebSocket). Default 1024. */
  readonly maxHalfOpenUpgrades?: number;
  /** Bytes of an upgrade request's line and headers together (WebSocket). Default 8192. */
  readonly maxHeaderBytes?: number;
  /** WebSocket frames of one message, beyond which the connection ends. Default 256. */
  readonly maxFragments?: number;
  /** Pieces in which one WebSocket frame may arrive, beyond which the connection ends. Default 4096. */
  readonly maxBufferedChunks?: number;
  /** Origins that browsers may connect from: a list, or a check. Absent: requests with an Origin header are refused unless same host. */
  readonly origins?: readonly string[] | ((origin: string) => boolean);
  /**
   * Files for browsers by path (`/app.js`), served beside the WebSocket with strict security headers to GET and HEAD; the
   * one under the listener's own path is the page. They may come as slowly as an upgrade, and no slower. Absent: none.
   */
  readonly webFiles?: ReadonlyMap<string, WebFile>;
  /** Deno's native WebSocket server; trusted networks only (SECURITY.md). */
  readonly native?: boolean;
  /** Most connections at once; further ones are refused. */
  readonly maxConnections?: number;
}

/** A transport by scheme. */
export interface Transport {
  /** Dials an address. */
  readonly schemes: readonly string[];
  /** Listens on an address and hands each connection to `onConnection`. */
  dial(address: string, options?: DialOptions): Promise<TransportConnection>;
  /** `onError` hears errors of the listening socket itself after it is bound. */
  listen(
    address: string,
    onConnection: (connection: TransportConnection) => void,
    options?: ListenTransportOptions,
    onError?: (error: SttError) => void,
  ): Promise<TransportListener>;
}

/**
 * A transport of datagrams, by scheme: addresses are `scheme://host:port`. The endpoint runs the handshake and the
 * sessions of any number of peers over one socket.
 */
export interface DatagramTransport {
  /** Lower case, without colon. */
  readonly schemes: readonly string[];
  /** Opens and binds a socket. */
  open(options: OpenDatagramOptions): Promise<DatagramSocket>;
  /** The IP addresses of a host, in the order in which they are tried. Absent: the system's resolver is asked. */
  resolve?(host: string, signal?: AbortSignal): Promise<readonly ResolvedHost[]>;
}

/** Either kind. */
export type AnyTransport = Transport | DatagramTransport;
