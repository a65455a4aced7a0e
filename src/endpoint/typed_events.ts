/**
 * Listeners by event name. A listener that throws never hurts the transport: its exception is reported to `onThrow`.
 *
 * @module
 */

/** Options of adding a listener. */
export interface ListenerOptions {
  /** Removes the listener when aborted. */
  readonly signal?: AbortSignal;
  /** Removes the listener after its first call. */
  readonly once?: boolean;
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Typed events of an object. `Map` maps names to the detail that listeners get. */
export class TypedEvents<Events> {
  /** From the first listener on. */
  #listeners: Map<keyof Events, Set<(detail: never) => void>> | undefined;
  readonly #onThrow: (error: unknown) => void;

  /** By default an exception of a listener becomes an uncaught one, outside of the transport's call. */
  constructor(onThrow?: (error: unknown) => void) {
    this.#onThrow = onThrow ?? throwLater;
  }

  /** Returns a function that removes the listener. */
  on<Name extends keyof Events>(
    name: Name,
    listener: (detail: Events[Name]) => void,
    options: ListenerOptions = {},
  ): () => void {
    if (options.signal?.aborted) return () => undefined;
    this.#listeners ??= new Map();
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const entry = (detail: Events[Name]): void => {
      if (options.once === true) remove();
      listener(detail);
    };
    const remove = (): void => {
      listeners.delete(entry);
      options.signal?.removeEventListener("abort", remove);
    };
    listeners.add(entry);
    options.signal?.addEventListener("abort", remove, { once: true });
    return remove;
  }

  /** Whether anybody listens to an event. */
  has(name: keyof Events): boolean {
    return (this.#listeners?.get(name)?.size ?? 0) > 0;
  }

  /** Calls the listeners of an event. */
  emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    const listeners = this.#listeners?.get(name);
    if (listeners === undefined) return;
    for (const listener of [...listeners]) {
      try {
        (listener as (detail: Events[Name]) => void)(detail);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }
}
