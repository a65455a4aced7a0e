/**
 * Promises that wait for "something changed", with AbortSignal. Whoever wakes looks again: no wake-up is lost because
 * nothing runs between the look and the wait.
 *
 * @module
 */

interface Waiter {
  readonly wake: () => void;
  readonly fail: (error: unknown) => void;
}

const NOBODY: readonly Waiter[] = [];

/** A set of waits for one condition. */
export class Waiters {
  /** While anybody waits: most objects that can be waited for have nobody most of the time. */
  #waiters: Set<Waiter> | undefined;

  get size(): number {
    return this.#waiters?.size ?? 0;
  }

  /** Resolves at the next `wake`; rejects with the signal's reason. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters?.delete(waiter);
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
        fail: (error) => {
          signal?.removeEventListener("abort", onAbort);
          reject(error);
        },
      };
      this.#waiters ??= new Set();
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  wake(): void {
    for (const waiter of this.#take()) waiter.wake();
  }

  fail(error: unknown): void {
    for (const waiter of this.#take()) waiter.fail(error);
  }

  #take(): Iterable<Waiter> {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    return waiters ?? NOBODY;
  }
}
