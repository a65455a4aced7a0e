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
    (Symbol.asyncIterator in value || Symbol.iterator in value || "getReader" in value);
}

type ItemIterator = AsyncIterator<Uint8Array> | Iterator<Uint8Array>;

function iteratorOf(items: Items): ItemIterator {
  const source = items as AsyncIterable<Uint8Array> & Iterable<Uint8Array>;
  if (Symbol.asyncIterator in items) return source[Symbol.asyncIterator]();
  if (Symbol.iterator in items) return source[Symbol.iterator]();
  // A ReadableStream where streams cannot be iterated: some browsers.
  const reader = (items as ReadableStream<Uint8Array>).getReader();
  return {
    next: async () => await reader.read() as IteratorResult<Uint8Array>,
    return: async () => {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}

/**
 * Iterates until the end or the abort, whichever is first. A source that is waiting when the abort comes is told by its
 * `return`, and not waited for.
 */
export async function* untilAborted(
  items: Items,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = iteratorOf(items);
  // One promise for each step: a race against one that lasts would gather what waits for it, item by item.
  let fail: ((reason: unknown) => void) | undefined;
  const onAbort = (): void => fail?.(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  let done = false;
  try {
    for (;;) {
      const step = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        fail = reject;
        if (signal.aborted) return reject(signal.reason);
        Promise.resolve(iterator.next()).then(resolve, reject);
      });
      if (step.done === true) {
        done = true;
        return;
      }
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // What ending it throws is of no use to anybody, and must not hide why it is ended.
    if (!done) Promise.resolve().then(() => iterator.return?.()).catch(() => undefined);
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
