import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import type { SttError } from "../errors.ts";
import { EndSignal } from "./end_signal.ts";
import { FLUSH_TIMEOUT_MS, LOW_WATER_BYTES } from "./limits.ts";
import type { TransportConnection, TransportSink } from "./transport.ts";
import { transportError, webSocketCloseError } from "./transport_error.ts";
import type { WebSocketEnds } from "./websocket_ends.ts";
import { messageTooLarge, textMessage } from "./websocket_refusals.ts";

/** What is used of a WHATWG WebSocket. */
export interface NativeWebSocket {
  binaryType: string;
  readonly bufferedAmount: number;
  readonly readyState: number;
  send(data: Uint8Array): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  onclose: ((event: { code: number }) => void) | null;
}

const OPEN = 1;

/** A WHATWG WebSocket tells nobody when its queue shrinks, so it is looked at: often at first, then less so. */
const POLL_FAST_MS = 0;
const POLL_SLOW_MS = 4;
const FAST_POLLS = 16;

/**
 * An open WebSocket of the runtime itself (browsers, Deno).
 *
 * It cannot pause, has no bound on an unfinished message, and cannot be cut: after `abort` the runtime may keep the
 * socket until the peer answers.
 */
export class NativeWebSocketConnection implements TransportConnection {
  readonly scheme: "ws" | "wss";
  readonly framing = "message";
  readonly remoteAddress: string;
  readonly remoteHost: string;
  readonly localAddress: string;
  readonly #socket: NativeWebSocket;
  readonly #maxMessageBytes: number;
  readonly #end = new EndSignal();
  #sink: TransportSink | undefined;
  #closing = false;
  #early: Uint8Array[] = [];
  #startScheduled = false;
  #earlyEnd: { readonly error: SttError | undefined } | undefined;
  #pollTimer: ReturnType<typeof setTimeout> | undefined;
  #polls = 0;
  #closeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: NativeWebSocket, ends: WebSocketEnds, maxMessageBytes: number) {
    this.scheme = ends.scheme;
    this.remoteAddress = ends.remoteAddress;
    this.remoteHost = ends.remoteHost;
    this.localAddress = ends.localAddress;
    this.#socket = socket;
    this.#maxMessageBytes = maxMessageBytes;
    socket.binaryType = "arraybuffer";
    socket.onmessage = (event) => this.#onMessage(event.data);
    socket.onerror = (event) => {
      const cause = new Error(event.message || "WebSocket error");
      this.#finish(transportError(`connection ${this.remoteAddress} failed`, cause));
    };
    socket.onclose = (event) => {
      this.#finish(webSocketCloseError(this.remoteAddress, event.code));
      if (this.#earlyEnd === undefined) this.#release();
    };
  }

  /** Resolves when the connection has ended. */
  get closed(): Promise<void> {
    return this.#end.closed;
  }

  get queuedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#end.attach(sink);
    this.#startScheduled = true;
    queueMicrotask(() => {
      this.#startScheduled = false;
      this.#deliverEarly(sink);
    });
  }

  send(bytes: Uint8Array): boolean {
    if (this.#closing || this.#end.ended || this.#socket.readyState !== OPEN) return false;
    this.#socket.send(bytes);
    if (this.#socket.bufferedAmount <= TRANSPORT_HIGH_WATER_BYTES) return true;
    this.#polls = 0;
    this.#poll();
    return false;
  }

  pause(): boolean {
    return false;
  }

  resume(): void {}

  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = true;
      this.#early = [];
      if (this.#earlyEnd !== undefined || this.#end.ended) this.#release();
      else this.#closeTimer = setTimeout(() => this.#release(), FLUSH_TIMEOUT_MS);
      this.#socket.close(1000);
    }
    return this.#end.closed;
  }

  abort(): void {
    this.#closing = true;
    this.#early = [];
    this.#socket.close();
    this.#release();
  }

  #onMessage(data: unknown): void {
    if (this.#closing || this.#end.ended || this.#earlyEnd !== undefined) return;
    if (!(data instanceof ArrayBuffer)) {
      this.#socket.close(1003);
      this.#finish(textMessage(this.remoteAddress));
      return;
    }
    if (data.byteLength > this.#maxMessageBytes) {
      this.#socket.close(1009);
      this.#finish(messageTooLarge(this.remoteAddress, this.#maxMessageBytes));
      return;
    }
    const bytes = new Uint8Array(data);
    if (this.#sink === undefined || this.#startScheduled) this.#early.push(bytes);
    else this.#sink.data(bytes);
  }

  #deliverEarly(sink: TransportSink): void {
    for (const bytes of this.#early.splice(0)) {
      if (this.#closing) return;
      sink.data(bytes);
    }
    if (this.#earlyEnd === undefined || this.#closing) return;
    const { error } = this.#earlyEnd;
    this.#earlyEnd = undefined;
    this.#end.end(error);
    this.#release();
  }

  #finish(error: SttError | undefined): void {
    if (this.#end.ended || this.#earlyEnd !== undefined) return;
    this.#stopPolling();
    if (this.#closing) this.#end.end();
    else if (this.#early.length > 0) this.#earlyEnd = { error };
    else this.#end.end(error);
  }

  #release(): void {
    this.#stopPolling();
    if (this.#closeTimer !== undefined) clearTimeout(this.#closeTimer);
    this.#closeTimer = undefined;
    this.#end.release();
  }

  #stopPolling(): void {
    if (this.#pollTimer !== undefined) clearTimeout(this.#pollTimer);
    this.#pollTimer = undefined;
  }

  #poll(): void {
    if (this.#pollTimer !== undefined) return;
    const delay = this.#polls++ < FAST_POLLS ? POLL_FAST_MS : POLL_SLOW_MS;
    this.#pollTimer = setTimeout(() => {
      this.#pollTimer = undefined;
      if (this.#closing || this.#end.ended) return;
      if (this.#socket.bufferedAmount > LOW_WATER_BYTES) this.#poll();
      else this.#sink?.drain();
    }, delay);
  }
}
