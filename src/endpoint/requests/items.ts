/**
 * Items of requests and replies: anything that gives Uint8Arrays.
 *
 * @module
 */

/** Items in any form; a Web ReadableStream is one as well. */
export type Items =
  | AsyncIterable<Uint8Array>
  | Iterable<Uint8Array>
  | ReadableStream<Uint8Array>;

/** Whether a value can be iterated for items. */
export function isItems(value: unknown): value is Items {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array) &&
    (Symbol.asyncIterator in value || Symbol.iterator in value);
}

/**
 * Iterates until the end or the abort, whichever is first. A source that is waiting when the abort comes is told by its
 * `return`, and not waited for.
 */
export async function* untilAborted(
  items: Items,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const source = items as AsyncIterable<Uint8Array> & Iterable<Uint8Array>;
  const iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array> = Symbol.asyncIterator in items
    ? source[Symbol.asyncIterator]()
    : source[Symbol.iterator]();
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
  aborted.catch(() => undefined);
  let done = false;
  try {
    for (;;) {
      const step = await Promise.race([iterator.next(), aborted]);
      if (step.done === true) {
        done = true;
        return;
      }
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!done) Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

/** Items as a Web Stream, taken one by one as they are read. */
export function readableOfItems(
  next: () => Promise<Uint8Array | null>,
  cancel: (reason: unknown) => void,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const item = await next();
      if (item === null) controller.close();
      else controller.enqueue(item);
    },
    cancel,
  }, { highWaterMark: 0 });
}
