/**
 * Events as an async iterator: those between two looks wait, up to a bound.
 *
 * @module
 */
import { SttError } from "../errors.ts";

/** One event as iterators give it: its name, and what listeners get. */
export type NamedEvent<Events, Name extends keyof Events = keyof Events> = {
  readonly [Key in Name]: {
    /** Name of the event. */
    readonly name: Key;
    /** What a listener would get. */
    readonly detail: Events[Key];
    /** Events that were forgotten right before this one, because they were not read in time. */
    readonly dropped: number;
  };
}[Name];

/** Options of `events()`. */
export interface EventReaderOptions {
  /** Events that may wait to be read; beyond, the oldest is forgotten and counted. 1 and above. Default 256. */
  readonly maxQueued?: number;
  /** Ends the iterator; reading throws its reason. */
  readonly signal?: AbortSignal;
}

const DEFAULT_MAX_QUEUED = 256;

interface Waiting<Item> {
  readonly resolve: (result: IteratorResult<Item, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

/** Takes events from its making on; leaving the loop ends it. What nobody reads costs no more than its bound. */
export class EventReader<Item extends { readonly dropped: number }>
  implements AsyncIterableIterator<Item> {
  readonly #queue: Item[] = [];
  readonly #maxQueued: number;
  readonly #waiting: Waiting<Item>[] = [];
  readonly #signal: AbortSignal | undefined;
  #leave: (() => void) | undefined;
  #ended = false;
  #reason: { readonly error: unknown } | undefined;

  /** Readers come from `events()`. @throws {SttError} CONFIG for `maxQueued` below 1; the signal's reason. */
  constructor(options: EventReaderOptions = {}) {
    const { maxQueued = DEFAULT_MAX_QUEUED, signal } = options;
    if (!Number.isSafeInteger(maxQueued) || maxQueued < 1) {
      throw new SttError("CONFIG", `cannot use option maxQueued: ${maxQueued} is not 1 or above`, {
        limit: 1,
      });
    }
    signal?.throwIfAborted();
    this.#maxQueued = maxQueued;
    this.#signal = signal;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  readonly #onAbort = (): void => {
    this.#reason = { error: this.#signal?.reason };
    this.#queue.length = 0;
    this.end();
  };

  /** Called by the source: `leave` ends its telling. */
  attach(leave: () => void): void {
    this.#leave = leave;
  }

  /** Called by the source with each event; `dropped` is filled in. */
  push(item: Item): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting.resolve({ done: false, value: item });
    this.#queue.push(item);
    if (this.#queue.length <= this.#maxQueued) return;
    // The count stands at the place of the gap.
    const gone = 1 + (this.#queue.shift() as Item).dropped;
    const oldest = this.#queue[0] as Item;
    this.#queue[0] = { ...oldest, dropped: oldest.dropped + gone };
  }

  /** Called by the source when no further events come: what waits can still be read. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#leave?.();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    for (const { resolve, reject } of this.#waiting.splice(0)) {
      if (this.#reason === undefined) resolve({ done: true, value: undefined });
      else reject(this.#reason.error);
    }
  }

  /** The next event. @throws The signal's reason. */
  next(): Promise<IteratorResult<Item, undefined>> {
    const item = this.#queue.shift();
    if (item !== undefined) return Promise.resolve({ done: false, value: item });
    if (this.#reason !== undefined) return Promise.reject(this.#reason.error);
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  /** Ends it, as leaving a loop does; what waits is forgotten. */
  return(): Promise<IteratorResult<Item, undefined>> {
    this.#queue.length = 0;
    this.end();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Itself. */
  [Symbol.asyncIterator](): this {
    return this;
  }
}
