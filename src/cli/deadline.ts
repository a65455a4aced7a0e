/**
 * Waiting that has an end.
 *
 * @module
 */

/**
 * Runs `act` with a signal that is aborted with the outer one, or with `late()` after so many milliseconds. Not by
 * `AbortSignal.timeout`: within `AbortSignal.any` Node 20 forgets it at its next collection of garbage.
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal,
  late: () => Error,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(late()), ms);
  try {
    return await act(AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
  }
}
