/**
 * Events in the order that drivers rely on: the connection's own, then the streams', `closed` last of all.
 *
 * @module
 */
import { Queue } from "../streams/queue.ts";
import type { StreamSet } from "../streams/stream_set.ts";
import type { CloseFacts, ConnectionEvent } from "./events.ts";
import { toConnectionEvent } from "./stream_events.ts";
import type { ConnectionTrace } from "./tracing.ts";

/** The events of one connection. */
export class EventQueue {
  readonly #own: Queue<ConnectionEvent> = new Queue();
  readonly #streams: StreamSet;
  readonly #trace: ConnectionTrace | undefined;
  #closed: CloseFacts | undefined;
  #closedTaken = false;

  constructor(streams: StreamSet, trace?: ConnectionTrace) {
    this.#streams = streams;
    this.#trace = trace;
  }

  push(event: ConnectionEvent): void {
    this.#own.push(event);
  }

  /** The first facts count. */
  close(facts: CloseFacts): void {
    this.#closed ??= facts;
  }

  next(): ConnectionEvent | undefined {
    const own = this.#own.shift();
    if (own !== undefined) return own;
    const stream = this.#streams.nextEvent();
    if (stream !== undefined) {
      this.#trace?.streamEvent(stream);
      return toConnectionEvent(stream);
    }
    if (this.#closed === undefined || this.#closedTaken) return undefined;
    this.#closedTaken = true;
    return { type: "closed", facts: this.#closed };
  }
}
