import { clearTimeout, setTimeout } from "node:timers";
import {
  CLOSE_FLUSH_MS,
  LOW_QUEUED_BYTES,
  LOW_QUEUED_DATAGRAMS,
  MAX_QUEUED_BYTES,
  MAX_QUEUED_DATAGRAMS,
} from "./limits.ts";

/** Most datagrams fit into this; longer ones get a buffer of their own power of two. */
const SMALLEST_BUFFER = 2_048;

class QueuedDatagram {
  host = "";
  port = 0;
  view: Uint8Array;
  #bytes = new Uint8Array(SMALLEST_BUFFER);

  constructor() {
    this.view = this.#bytes;
  }

  fill(bytes: Uint8Array, host: string, port: number): void {
    const { length } = bytes;
    if (length > this.#bytes.length) {
      let size = SMALLEST_BUFFER;
      while (size < length) size *= 2;
      this.#bytes = new Uint8Array(size);
      this.view = this.#bytes;
    }
    if (this.view.length !== length) this.view = this.#bytes.subarray(0, length);
    this.view.set(bytes);
    this.host = host;
    this.port = port;
  }
}

/**
 * Sends of a runtime that tells the end of each, one at a time.
 *
 * Deno sends within the call while the system takes datagrams. Those that have to wait it sends last in, first out,
 * which the peer's loss recovery would read as loss of all but the last: hence no second one before the first is out.
 * As the runtime may read an array after the call, each datagram is copied; the copies' buffers are used again.
 */
export class OrderedSends {
  readonly #issue: (bytes: Uint8Array, host: string, port: number) => void;
  readonly #onDrain: () => void;
  readonly #free: QueuedDatagram[] = [];
  readonly #queue: QueuedDatagram[] = [];
  #head = 0;
  #bytes = 0;
  #full = false;
  #onIdle: (() => void) | undefined;

  /** `issue` begins a send and calls {@link settled} when it ended, later than within its call, whatever came of it. */
  constructor(
    issue: (bytes: Uint8Array, host: string, port: number) => void,
    onDrain: () => void,
  ) {
    this.#issue = issue;
    this.#onDrain = onDrain;
  }

  get full(): boolean {
    return this.#full;
  }

  push(bytes: Uint8Array, host: string, port: number): void {
    const datagram = this.#free.pop() ?? new QueuedDatagram();
    datagram.fill(bytes, host, port);
    this.#queue.push(datagram);
    this.#bytes += bytes.length;
    if (this.#count() >= MAX_QUEUED_DATAGRAMS || this.#bytes >= MAX_QUEUED_BYTES) this.#full = true;
    if (this.#count() === 1) this.#issueFirst();
  }

  readonly settled = (): void => {
    const datagram = this.#queue[this.#head++];
    if (datagram === undefined) return;
    this.#bytes -= datagram.view.length;
    this.#free.push(datagram);
    if (this.#head >= MAX_QUEUED_DATAGRAMS || this.#count() === 0) {
      this.#queue.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#count() > 0) this.#issueFirst();
    else this.#onIdle?.();
    if (!this.#full || this.#count() > LOW_QUEUED_DATAGRAMS || this.#bytes > LOW_QUEUED_BYTES) {
      return;
    }
    this.#full = false;
    this.#onDrain();
  };

  /** Resolves when everything was sent, or after a short time; what is left then is dropped but for the one under way. */
  flush(): Promise<void> {
    if (this.#count() === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#queue.length = this.#head + 1;
        resolve();
      }, CLOSE_FLUSH_MS);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #count(): number {
    return this.#queue.length - this.#head;
  }

  #issueFirst(): void {
    const datagram = this.#queue[this.#head];
    if (datagram !== undefined) this.#issue(datagram.view, datagram.host, datagram.port);
  }
}
