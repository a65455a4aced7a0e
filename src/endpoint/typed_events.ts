/**
 * Listeners by event name. A listener that throws never hurts the transport: its exception is reported to `onThrow`.
 *
 * @module
 */

import { EventReader, type EventReaderOptions, type NamedEvent } from "./event_reader.ts";

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

/**
 * Typed events of an object. `Events` maps names to the detail that listeners get.
 *
 * @example
 * ```ts
 * import { TypedEvents } from "@seigr/stt";
 * const events = new TypedEvents<{ readonly tick: number; readonly end: string }>();
 * const reader = events.events(["tick"]);
 * events.on("end", (why) => console.log(why), { once: true });
 * for (let n = 1; n <= 3; n++) events.emit("tick", n);
 * events.emit("end", "over"); // over
 * events.close();
 * for await (const { detail } of reader) console.log(detail); // 1, then 2 and 3
 * ```
 */
export class TypedEvents<Events> {
  /** From the first listener on. */
  #listeners: Map<keyof Events, Map<(detail: never) => void, () => void>> | undefined;
  readonly #onThrow: (error: unknown) => void;
  /** Iterators and what they want to hear; from the first one on. */
  #readers: Map<EventReader<{ readonly dropped: number }>, Wanted<Events>> | undefined;
  #closed = false;

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
    if (this.#closed || options.signal?.aborted) return () => undefined;
    this.#listeners ??= new Map();
    const listeners = this.#listeners.get(name) ?? new Map();
    this.#listeners.set(name, listeners);
    const entry = (detail: Events[Name]): void => {
      if (options.once === true) remove();
      listener(detail);
    };
    const remove = (): void => {
      listeners.delete(entry);
      options.signal?.removeEventListener("abort", remove);
    };
    listeners.set(entry, remove);
    options.signal?.addEventListener("abort", remove, { once: true });
    return remove;
  }

  /**
   * Events of these names, or of all, as an async iterator, from this call on. At most `maxQueued` wait to be read; the
   * oldest are forgotten, and `dropped` of the next one says how many.
   *
   * @throws {SttError} `CONFIG` (maxQueued); the signal's reason.
   */
  events<Name extends keyof Events = keyof Events>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<Events, Name>> {
    const reader = new EventReader<NamedEvent<Events, Name>>(options);
    if (this.#closed) {
      reader.end();
      return reader;
    }
    const readers = this.#readers ??= new Map();
    readers.set(reader, names);
    reader.attach(() => void readers.delete(reader));
    return reader;
  }

  /** Nothing happens any more: iterators end behind what they have, and listeners leave the signals they came with. */
  close(): void {
    this.#closed = true;
    for (const reader of [...this.#readers?.keys() ?? []]) reader.end();
    this.clear();
  }

  /** Whether anybody hears of an event, iterators included. */
  has(name: keyof Events): boolean {
    if (this.count(name) > 0) return true;
    return [...this.#readers?.values() ?? []].some((names) => wants(names, name));
  }

  /** How many listeners an event has, iterators not counted. */
  count(name: keyof Events): number {
    return this.#listeners?.get(name)?.size ?? 0;
  }

  /** Removes all listeners of an event, or of all. Iterators stay. */
  clear(name?: keyof Events): void {
    for (const key of name === undefined ? [...this.#listeners?.keys() ?? []] : [name]) {
      for (const remove of [...this.#listeners?.get(key)?.values() ?? []]) remove();
    }
  }

  /** Calls the listeners of an event. */
  emit<Name extends keyof Events>(name: Name, detail: Events[Name]): void {
    if (this.#readers !== undefined) this.#tellReaders(name, detail);
    const listeners = this.#listeners?.get(name);
    if (listeners === undefined) return;
    for (const listener of [...listeners.keys()]) {
      try {
        (listener as (detail: Events[Name]) => void)(detail);
      } catch (error) {
        this.#onThrow(error);
      }
    }
  }

  #tellReaders(name: keyof Events, detail: unknown): void {
    for (const [reader, names] of this.#readers ?? []) {
      if (wants(names, name)) {
        reader.push({ name, detail, dropped: 0 } as { readonly dropped: number });
      }
    }
  }
}

/** Names of events, or all. */
type Wanted<Events> = readonly (keyof Events)[] | undefined;

function wants<Events>(names: Wanted<Events>, name: keyof Events): boolean {
  return names === undefined || names.includes(name);
}
