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

/** A set of waits for one condition. */
export class Waiters {
  readonly #waiters: Set<Waiter> = new Set();

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves at the next `wake`; rejects with the signal's reason. */
  wait(signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiters.delete(waiter);
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

  #take(): Waiter[] {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    return waiters;
  }
}
