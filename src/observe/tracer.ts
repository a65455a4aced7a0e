import type { TraceEvent } from "./trace_event.ts";

/**
 * Hears what a session does. It is called from inside the state machine: it must not throw, and must not call back
 * into the session.
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

/** The default: hears nothing, costs one property read per event. */
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
