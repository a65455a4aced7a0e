import {
  LOW_SEND_BYTES_UNDER_WAY,
  LOW_SENDS_UNDER_WAY,
  MAX_SEND_BYTES_UNDER_WAY,
  MAX_SENDS_UNDER_WAY,
} from "./limits.ts";

/** Back-pressure for runtimes that tell the end of each send: bounds what is under way, with a gap between full and not. */
export class SendsUnderWay {
  readonly #onDrain: () => void;
  #count = 0;
  #bytes = 0;
  #full = false;
  #idle: (() => void) | undefined;

  constructor(onDrain: () => void) {
    this.#onDrain = onDrain;
  }

  get full(): boolean {
    return this.#full;
  }

  get count(): number {
    return this.#count;
  }

  begin(size: number): void {
    this.#count++;
    this.#bytes += size;
    if (this.#count >= MAX_SENDS_UNDER_WAY || this.#bytes >= MAX_SEND_BYTES_UNDER_WAY) {
      this.#full = true;
    }
  }

  end(size: number): void {
    this.#count--;
    this.#bytes -= size;
    if (this.#count === 0) this.#idle?.();
    if (!this.#full) return;
    if (this.#count > LOW_SENDS_UNDER_WAY || this.#bytes > LOW_SEND_BYTES_UNDER_WAY) return;
    this.#full = false;
    this.#onDrain();
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle = resolve);
  }
}
