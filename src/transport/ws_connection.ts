import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { EndSignal } from "./end_signal.ts";
import { LOW_WATER_BYTES } from "./limits.ts";
import { Linger } from "./linger.ts";
import type { LoopShare } from "./loop_share.ts";
import type { ReadingGate } from "./reading_gate.ts";
import type { TransportConnection, TransportSink } from "./transport.ts";
import { systemCode, transportError, webSocketCloseError } from "./transport_error.ts";
import type { WebSocketEnds } from "./websocket_ends.ts";
import { messageTooLarge, textMessage } from "./websocket_refusals.ts";
import { endOnlyOnce, type WsSocket } from "./ws_module.ts";

const BINARY = { binary: true, compress: false } as const;

/** An open WebSocket of the package `ws`, of either side. */
export class WsConnection implements TransportConnection {
  readonly scheme: "ws" | "wss";
  readonly framing = "message";
  readonly remoteAddress: string;
  readonly remoteHost: string;
  readonly localAddress: string;
  readonly #socket: WsSocket;
  readonly #maxMessageBytes: number;
  readonly #gate: ReadingGate | undefined;
  readonly #share: LoopShare;
  readonly #end = new EndSignal();
  readonly #linger: Linger;
  #sink: TransportSink | undefined;
  #paused = false;
  #closing = false;
  #gone = false;
  #drainWanted = false;
  #unwritten = 0;
  /** Messages that `ws` had read already when reading was paused, or that wait for their turn of the event loop. */
  #held: Uint8Array[] = [];
  #flushScheduled = false;
  /** An end that waits for the held messages to be taken. */
  #heldEnd: { readonly error: SttError | undefined } | undefined;

  constructor(
    socket: WsSocket,
    ends: WebSocketEnds,
    maxMessageBytes: number,
    gate: ReadingGate | undefined,
    share: LoopShare,
  ) {
    this.scheme = ends.scheme;
    this.remoteAddress = ends.remoteAddress;
    this.remoteHost = ends.remoteHost;
    this.localAddress = ends.localAddress;
    this.#socket = socket;
    this.#maxMessageBytes = maxMessageBytes;
    this.#gate = gate;
    this.#share = share;
    this.#linger = new Linger(() => socket.terminate());
    socket.on("message", (data, isBinary) => this.#onMessage(data, isBinary));
    socket.on("error", (cause) => this.#onError(cause));
    socket.on("close", (code) => this.#onClose(code));
    endOnlyOnce(socket);
    this.#stopReading();
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#end.attach(sink);
    this.#scheduleFlush();
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closing || this.#gone || this.#end.ended) return false;
    this.#unwritten++;
    this.#socket.send(bytes, BINARY, (error) => this.#onWritten(bytes, error));
    if (this.#socket.bufferedAmount <= TRANSPORT_HIGH_WATER_BYTES) return true;
    this.#drainWanted = true;
    return false;
  }

  pause(): boolean {
    this.#paused = true;
    this.#stopReading();
    return true;
  }

  resume(): void {
    this.#paused = false;
    this.#scheduleFlush();
  }

  close(): Promise<void> {
    if (this.#closing) return this.#end.closed;
    this.#closing = true;
    this.#held = [];
    if (this.#gone) {
      this.#release(this.#heldEnd?.error);
      return this.#end.closed;
    }
    if (this.#unwritten > 0) this.#linger.flushing();
    else this.#linger.flushed();
    this.#socket.close(1000);
    // What still arrives is dropped, but must be read: the peer's close frame is behind it.
    this.#read();
    return this.#end.closed;
  }

  abort(): void {
    this.#closing = true;
    this.#held = [];
    if (this.#gone) this.#release(this.#heldEnd?.error);
    else this.#socket.terminate();
  }

  #onMessage(data: Uint8Array, isBinary: boolean): void {
    if (this.#closing || this.#end.ended || this.#heldEnd !== undefined) return;
    if (!isBinary) {
      this.#socket.close(1003);
      this.#linger.flushed();
      this.#finish(textMessage(this.remoteAddress));
      return;
    }
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    if (this.#sink === undefined || this.#paused || this.#held.length > 0) {
      this.#held.push(bytes);
    } else if (this.#share.spent) {
      this.#held.push(bytes);
      this.#yield();
    } else {
      this.#sink.data(bytes);
    }
  }

  /** A chunk was read from below, which may hold less than a message: pings and fragments of strangers cost time as well. */
  chunkRead(): void {
    if (this.#sink === undefined || this.#paused || this.#held.length > 0) return;
    if (this.#share.spent) this.#yield();
  }

  /** Reads on in a later turn. */
  #yield(): void {
    this.#stopReading();
    this.#share.later(this.#flush);
  }

  #onError(cause: Error): void {
    this.#linger.flushed();
    if (!this.#closing) this.#finish(this.#describe(cause));
  }

  #onClose(code: number): void {
    this.#gone = true;
    this.#linger.clear();
    this.#finish(this.#closing ? undefined : webSocketCloseError(this.remoteAddress, code));
    if (this.#heldEnd === undefined) this.#release();
  }

  /** The socket is gone and everything told: nothing leads from it to the session any more. */
  #release(error?: SttError): void {
    this.#end.release(error);
    this.#sink = undefined;
  }

  #onWritten(bytes: Uint8Array, error: Error | null | undefined): void {
    this.#unwritten--;
    if (this.#closing && this.#unwritten === 0 && !this.#gone) this.#linger.flushed();
    if (error || this.#closing || this.#end.ended) return;
    this.#sink?.written?.(bytes);
    if (!this.#drainWanted || this.#socket.bufferedAmount > LOW_WATER_BYTES) return;
    this.#drainWanted = false;
    this.#sink?.drain();
  }

  #stopReading(): void {
    this.#socket.pause();
    this.#gate?.hold();
  }

  #read(): void {
    this.#gate?.release();
    this.#socket.resume();
  }

  #describe(cause: Error): SttError {
    const code = systemCode(cause);
    if (code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
      return messageTooLarge(this.remoteAddress, this.#maxMessageBytes);
    }
    if (code?.startsWith("WS_ERR_")) {
      return new SttError(
        "PROTOCOL",
        `connection ${this.remoteAddress}: not valid WebSocket: ${cause.message}`,
        { cause },
      );
    }
    return transportError(`connection ${this.remoteAddress} failed`, cause);
  }

  /** Ends, or notes the end when messages that came before it are still held. */
  #finish(error: SttError | undefined): void {
    if (this.#end.ended || this.#heldEnd !== undefined) return;
    if (this.#held.length > 0) this.#heldEnd = { error };
    else this.#end.end(error);
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled || this.#sink === undefined) return;
    this.#flushScheduled = true;
    queueMicrotask(() => {
      this.#flushScheduled = false;
      this.#flush();
    });
  }

  readonly #flush = (): void => {
    const sink = this.#sink;
    if (sink === undefined || this.#closing) return;
    for (let taken = 0;; taken++) {
      if (this.#paused) return;
      if (taken > 0 && this.#held.length > 0 && this.#share.spent) return this.#yield();
      const bytes = this.#held.shift();
      if (bytes === undefined) break;
      sink.data(bytes);
    }
    const heldEnd = this.#heldEnd;
    if (heldEnd === undefined) {
      this.#read();
      return;
    }
    this.#heldEnd = undefined;
    this.#end.end(heldEnd.error);
    if (this.#gone) this.#release();
  };
}
