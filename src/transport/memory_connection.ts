import { setImmediate } from "node:timers";
import { TRANSPORT_HIGH_WATER_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { EndSignal } from "./end_signal.ts";
import { LOW_WATER_BYTES } from "./limits.ts";
import { Linger } from "./linger.ts";
import type { TransportConnection, TransportSink } from "./transport.ts";

const MICROTASKS_PER_TURN = 256;
let microtasksThisTurn = 0;

/**
 * Runs `callback` as a microtask, but lets the event loop turn now and then: two ends that answer each other for ever
 * would otherwise starve every timer of the process.
 */
function soon(callback: () => void): void {
  if (++microtasksThisTurn < MICROTASKS_PER_TURN) {
    queueMicrotask(callback);
    return;
  }
  setImmediate(() => {
    microtasksThisTurn = 0;
    callback();
  });
}

/** One end of a connection inside the process; {@link MemoryConnection.pair} makes both. */
export class MemoryConnection implements TransportConnection {
  readonly scheme = "mem";
  readonly framing = "stream";
  readonly remoteAddress: string;
  readonly remoteHost: string;
  readonly localAddress: string;
  /** The other end; itself only until {@link MemoryConnection.pair} has joined the two. */
  #peer: MemoryConnection = this;
  #sink: TransportSink | undefined;
  readonly #end = new EndSignal();
  readonly #linger = new Linger(() => this.abort());
  /** What the peer sent and this side has not taken yet. */
  #inbox: Uint8Array[] = [];
  #inboxHead = 0;
  #inboxBytes = 0;
  #peerFinished = false;
  #paused = false;
  #scheduled = false;
  #closing = false;
  #drainWanted = false;

  private constructor(localAddress: string, remoteAddress: string) {
    this.localAddress = localAddress;
    this.remoteAddress = remoteAddress;
    this.remoteHost = remoteAddress;
  }

  /** Two joined ends: the dialler's and the listener's. */
  static pair(dialler: string, listener: string): [MemoryConnection, MemoryConnection] {
    const a = new MemoryConnection(dialler, listener);
    const b = new MemoryConnection(listener, dialler);
    a.#peer = b;
    b.#peer = a;
    return [a, b];
  }

  /** Resolves after the end. */
  get closed(): Promise<void> {
    return this.#end.closed;
  }

  get queuedBytes(): number {
    return this.#peer.#inboxBytes;
  }

  start(sink: TransportSink): void {
    this.#sink = sink;
    this.#end.attach(sink);
    this.#schedule();
  }

  send(bytes: Uint8Array): boolean {
    const peer = this.#peer;
    if (this.#closing || this.#end.ended) return false;
    if (bytes.length > 0) {
      peer.#inbox.push(bytes);
      peer.#inboxBytes += bytes.length;
      peer.#schedule();
    }
    if (peer.#inboxBytes <= TRANSPORT_HIGH_WATER_BYTES) return true;
    this.#drainWanted = true;
    return false;
  }

  pause(): boolean {
    this.#paused = true;
    return true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  close(): Promise<void> {
    if (!this.#closing && !this.#end.ended) {
      this.#closing = true;
      this.#linger.flushing();
      this.#discard();
      const peer = this.#peer;
      peer.#peerFinished = true;
      peer.#schedule();
    }
    return this.#end.closed;
  }

  abort(): void {
    if (this.#end.ended) return;
    const peer = this.#peer;
    this.#finish();
    peer.#discard();
    peer.#finish(
      new SttError(
        "TRANSPORT",
        `connection to ${this.localAddress}: the peer reset the connection`,
      ),
    );
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    soon(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    if (this.#closing) this.#discard();
    const sink = this.#sink;
    if (sink === undefined && !this.#closing) return;
    while (!this.#paused && !this.#end.ended) {
      const bytes = this.#take();
      if (bytes === undefined) break;
      sink?.data(bytes);
    }
    if (this.#inboxBytes === 0 && this.#peerFinished && !this.#paused) {
      const peer = this.#peer;
      this.#finish();
      peer.#finish();
    } else {
      this.#peer.#drainIfLow();
    }
  }

  #take(): Uint8Array | undefined {
    const bytes = this.#inbox[this.#inboxHead];
    if (bytes === undefined) return undefined;
    if (++this.#inboxHead === this.#inbox.length) {
      this.#inbox = [];
      this.#inboxHead = 0;
    }
    this.#inboxBytes -= bytes.length;
    return bytes;
  }

  #discard(): void {
    this.#inbox = [];
    this.#inboxHead = 0;
    this.#inboxBytes = 0;
    this.#paused = false;
    this.#peer.#drainIfLow();
  }

  #drainIfLow(): void {
    if (!this.#drainWanted || this.#end.ended || this.queuedBytes > LOW_WATER_BYTES) return;
    this.#drainWanted = false;
    soon(() => {
      if (!this.#end.ended) this.#sink?.drain();
    });
  }

  #finish(error?: SttError): void {
    this.#linger.clear();
    this.#end.release(error);
  }
}
