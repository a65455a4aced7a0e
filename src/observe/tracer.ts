import type { TraceEvent } from "./trace_event.ts";

/**
 * Hears what a session does. It is called from inside the state machine: it must not call back into the session. One that
 * throws is not called again.
 */
export interface Tracer {
  /** False: events are not even built. It is read before every event, so that it can be switched while running. */
  readonly enabled: boolean;
  /**
   * One event, right after it happened.
   *
   * @param nowMs Monotonic milliseconds, the clock value that the session was called with.
   */
  trace(event: TraceEvent, nowMs: number): void;
}

/** What is known of a session when it starts, before the peer has proved anything. */
export interface SessionStart {
  /** Which side of the handshake this node is. */
  readonly role: "initiator" | "responder";
  /** This side of the transport, in address form. */
  readonly localAddress: string;
  /** The other side, in address form. */
  readonly remoteAddress: string;
  /** The clock of the events when the session started, in monotonic milliseconds. */
  readonly nowMs: number;
  /** The same moment in milliseconds since 1970. */
  readonly unixMs: number;
}

/** Makes the tracer of a session that starts, or says with undefined that nobody wants to hear of it. */
export type TracerFactory = (start: SessionStart) => Tracer | undefined;

/** Hears nothing. */
export const noTracer: Tracer = { enabled: false, trace: () => {} };

/** A tracer that keeps the last events in memory, for tests and for reports of failures. */
export class TraceBuffer implements Tracer {
  /** May be switched off and on again. */
  enabled = true;
  readonly #capacity: number;
  readonly #ring: { atMs: number; event: TraceEvent }[] = [];
  #next = 0;
  #dropped = 0;

  /**
   * Starts empty.
   *
   * @param capacity Events kept, 1 or more; older ones are forgotten.
   */
  constructor(capacity = 1000) {
    this.#capacity = Math.max(1, Math.floor(capacity));
  }

  /** Events forgotten because the buffer was full. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Keeps the event with its time. */
  trace(event: TraceEvent, nowMs: number): void {
    const entry = { atMs: nowMs, event };
    if (this.#ring.length < this.#capacity) {
      this.#ring.push(entry);
      return;
    }
    this.#ring[this.#next] = entry;
    this.#next = (this.#next + 1) % this.#capacity;
    this.#dropped++;
  }

  /** What was kept, oldest first. */
  events(): { readonly atMs: number; readonly event: TraceEvent }[] {
    return [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
  }
}
