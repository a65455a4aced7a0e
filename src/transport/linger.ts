import { clearTimeout, setTimeout } from "node:timers";
import { FLUSH_TIMEOUT_MS, LINGER_TIMEOUT_MS } from "./limits.ts";

/**
 * Bounds an orderly close: a peer that does not read, or that never closes its side, is cut off. The timer never keeps
 * the process alive; the socket does until it is cut.
 */
export class Linger {
  #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #cut: () => void;

  constructor(cut: () => void) {
    this.#cut = cut;
  }

  /** Bytes are still queued. */
  flushing(): void {
    this.#arm(FLUSH_TIMEOUT_MS);
  }

  /** Everything was handed to the system; the peer's close is awaited. */
  flushed(): void {
    this.#arm(LINGER_TIMEOUT_MS);
  }

  clear(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(milliseconds: number): void {
    this.clear();
    this.#timer = setTimeout(this.#cut, milliseconds);
    this.#timer.unref();
  }
}
