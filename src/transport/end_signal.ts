import type { SttError } from "../errors.ts";
import type { TransportSink } from "./transport.ts";

/** Tells a sink once, and never inside of a call into the connection, that the transport ended. */
export class EndSignal {
  /** Resolves when the sink was told and the socket is released; never rejects. */
  readonly closed: Promise<void>;
  #resolve: () => void = () => {};
  #sink: TransportSink | undefined;
  #ended = false;
  #error: SttError | undefined;

  constructor() {
    this.closed = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whoever listens from now on; an end that came earlier is told soon. */
  attach(sink: TransportSink): void {
    this.#sink = sink;
    if (this.#ended) queueMicrotask(() => sink.end(this.#error));
  }

  /** Nothing more will be delivered. The first call counts. */
  end(error?: SttError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const sink = this.#sink;
    if (sink === undefined) return;
    // On Deno a socket outlives a collection of young garbage, and a session that it led to would with it.
    this.#sink = undefined;
    queueMicrotask(() => sink.end(error));
  }

  /** The socket is released; ends too, if that has not happened. */
  release(error?: SttError): void {
    this.end(error);
    queueMicrotask(this.#resolve);
  }
}
