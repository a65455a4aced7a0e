/**
 * A promise that is made when somebody asks for it.
 *
 * @module
 */
import type { SttError } from "../errors.ts";

/** Whether something went well. The first word counts. */
export class Outcome {
  #settled: "open" | "done" | SttError = "open";
  #promise: Promise<void> | undefined;
  #tell: ((outcome: "done" | SttError) => void) | undefined;

  /** Whoever does not look at it is not told of a failure. */
  get promise(): Promise<void> {
    if (this.#promise === undefined) {
      this.#promise = new Promise((resolve, reject) => {
        this.#tell = (outcome) => outcome === "done" ? resolve() : reject(outcome);
      });
      this.#promise.catch(() => undefined);
      if (this.#settled !== "open") this.#tell?.(this.#settled);
    }
    return this.#promise;
  }

  done(): void {
    this.#settle("done");
  }

  fail(error: SttError): void {
    this.#settle(error);
  }

  #settle(outcome: "done" | SttError): void {
    if (this.#settled !== "open") return;
    this.#settled = outcome;
    this.#tell?.(outcome);
  }
}
