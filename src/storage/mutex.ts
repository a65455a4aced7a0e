/** One thing after the other: the operations of a store must not overlap. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `act` when all before it are over, however they ended. */
  run<T>(act: () => T | Promise<T>): Promise<T> {
    const result = this.#last.then(act);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
