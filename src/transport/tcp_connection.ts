import type { Socket } from "node:net";
import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import type { SttError } from "../errors.ts";
import { formatAddress, plainHost } from "./address.ts";
import { EndSignal } from "./end_signal.ts";
import { LOW_WATER_BYTES } from "./limits.ts";
import { Linger } from "./linger.ts";
import type { LoopShare } from "./loop_share.ts";
import type { TransportConnection, TransportSink } from "./transport.ts";
import { transportError } from "./transport_error.ts";

/** A connected TCP socket. */
export class TcpConnection implements TransportConnection {
  readonly scheme = "tcp";
  readonly framing = "stream";
  readonly remoteAddress: string;
  readonly remoteHost: string;
  readonly localAddress: string;
  readonly #socket: Socket;
  readonly #end = new EndSignal();
  readonly #linger: Linger;
  readonly #share: LoopShare;
  /** Bytes that wait for their turn of the event loop. */
  #held: Uint8Array[] = [];
  #sink: TransportSink | undefined;
  #error: SttError | undefined;
  #paused = false;
  #closing = false;
  #drainWanted = false;
  /** The peer has ended, which is told behind the bytes that wait. */
  #endWaits = false;
  #socketClosed = false;

  /** `share` is that of all connections of a listener. */
  constructor(socket: Socket, share: LoopShare) {
    this.#socket = socket;
    this.#share = share;
    this.remoteHost = plainHost(socket.remoteAddress);
    this.remoteAddress = tcpAddress(socket.remoteAddress, socket.remotePort);
    this.localAddress = tcpAddress(socket.localAddress, socket.localPort);
    this.#linger = new Linger(() => socket.destroy());
    socket.setNoDelay(true);
    socket.on("error", (cause) => {
      this.#error ??= transportError(`connection to ${this.remoteAddress} failed`, cause);
    });
    socket.on("end", () => this.#onPeerEnd());
    socket.on("finish", () => this.#linger.flushed());
    socket.on("close", () => {
      this.#socketClosed = true;
      this.#settle();
    });
  }

  /** Resolves when the socket is closed. */
  get closed(): Promise<void> {
    return this.#end.closed;
  }

  get queuedBytes(): number {
    return this.#socket.writableLength;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#end.attach(sink);
    this.#socket.on("data", this.#onData);
    if (!this.#paused) this.#socket.resume();
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closing || this.#end.ended || !this.#socket.writable) return false;
    this.#socket.write(bytes, (error) => this.#onWritten(bytes, error));
    if (this.#socket.writableLength <= TRANSPORT_HIGH_WATER_BYTES) return true;
    this.#drainWanted = true;
    return false;
  }

  pause(): boolean {
    this.#paused = true;
    this.#socket.pause();
    return true;
  }

  resume(): void {
    this.#paused = false;
    if (this.#held.length > 0) this.#share.later(this.#release);
    else if (this.#sink !== undefined) this.#socket.resume();
  }

  close(): Promise<void> {
    if (!this.#closing && !this.#end.ended) {
      this.#closing = true;
      this.#held = [];
      this.#linger.flushing();
      // Closing a socket that holds unread bytes resets the connection, and the peer may lose our last ones: what
      // still arrives is read and dropped until the peer closes too.
      this.#socket.resume();
      this.#socket.end();
      this.#settle();
    }
    return this.#end.closed;
  }

  abort(): void {
    this.#closing = true;
    this.#held = [];
    this.#socket.destroy();
    this.#settle();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#closing) return;
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (this.#held.length === 0 && !this.#share.spent) {
      this.#sink?.data(bytes);
      return;
    }
    this.#held.push(bytes);
    this.#socket.pause();
    this.#share.later(this.#release);
  };

  readonly #release = (): void => {
    if (this.#paused) return;
    this.#deliverHeld();
    if (this.#endWaits) this.#onPeerEnd();
    else if (!this.#paused && !this.#closing && !this.#end.ended) this.#socket.resume();
  };

  #deliverHeld(): void {
    const held = this.#held;
    this.#held = [];
    // Nothing follows an end, which a reset may have been meanwhile.
    for (const bytes of held) {
      if (!this.#closing && !this.#end.ended) this.#sink?.data(bytes);
    }
  }

  #onWritten(bytes: Uint8Array, error: Error | null | undefined): void {
    if (error || this.#end.ended) return;
    this.#sink?.written?.(bytes);
    if (!this.#drainWanted || this.#socket.writableLength > LOW_WATER_BYTES) return;
    this.#drainWanted = false;
    this.#sink?.drain();
  }

  #onPeerEnd(): void {
    if (this.#closing) return;
    // A crowd that sends and leaves costs no more of a turn than one that stays.
    this.#endWaits = this.#held.length > 0 && !this.#paused;
    if (this.#endWaits && this.#sink?.abandoned?.() === true) {
      this.#endWaits = false;
      this.#held = [];
    }
    if (this.#endWaits) return;
    this.#deliverHeld();
    this.#linger.flushed();
    this.#end.end(this.#error);
    this.#settle();
  }

  /** Once the socket is closed and everything was delivered. */
  #settle(): void {
    if (!this.#socketClosed) return;
    if (this.#endWaits && !this.#closing && this.#error === undefined) return;
    this.#linger.clear();
    this.#end.release(this.#closing ? undefined : this.#error);
    // Nothing leads from the socket to the session any more.
    this.#sink = undefined;
  }
}

/** `tcp://host:port` of one end of a socket; a socket that the peer closed already has none. */
function tcpAddress(host: string | undefined, port: number | undefined): string {
  return formatAddress({ scheme: "tcp", host: plainHost(host), port: port ?? 0 });
}
