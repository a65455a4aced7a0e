import type { TraceEvent } from "./trace_event.ts";
import type { Tracer, TracerFactory } from "./tracer.ts";

/** Tells several tracers of every event; one that throws does not keep the others from hearing. */
class Combined implements Tracer {
  #tracers: readonly Tracer[];

  constructor(tracers: readonly Tracer[]) {
    this.#tracers = tracers;
  }

  get enabled(): boolean {
    return this.#tracers.some((tracer) => tracer.enabled);
  }

  trace(event: TraceEvent, nowMs: number): void {
    for (const tracer of this.#tracers) {
      if (!tracer.enabled) continue;
      try {
        tracer.trace(event, nowMs);
      } catch {
        this.#tracers = this.#tracers.filter((other) => other !== tracer);
      }
    }
  }
}

/**
 * Several tracers as one.
 *
 * @example
 * ```ts
 * import { combineTracers, logTracer, TraceBuffer } from "@seigr/stt/observe";
 * const buffer = new TraceBuffer();
 * const tracer = combineTracers(() => buffer, logTracer(console.log));
 * console.log(typeof tracer); // "function": what `connect` and `listen` take
 * ```
 */
export function combineTracers(...factories: readonly TracerFactory[]): TracerFactory {
  return (start) => {
    const tracers = factories.map((factory) => factory(start)).filter((one) => one !== undefined);
    return tracers.length === 0 ? undefined : new Combined(tracers);
  };
}
