/**
 * Credit of one stream or of the session, one class per direction (SPEC 8).
 *
 * @module
 */

/**
 * What this side grants.
 *
 * A limit is the bytes consumed plus the window. It returns when the application has read half of the
 * window, so that a reader that stops also stops the sender.
 */
export class ReceiveCredit {
  readonly #maxWindow: number;
  #window: number;
  #limit: number;
  #consumed = 0;
  #lastUpdateMs: number | undefined;

  constructor(window: number, maxWindow: number) {
    this.#window = window;
    this.#maxWindow = Math.max(window, maxWindow);
    this.#limit = window;
  }

  /** Highest total the peer was told. */
  get limit(): number {
    return this.#limit;
  }

  get window(): number {
    return this.#window;
  }

  get consumed(): number {
    return this.#consumed;
  }

  consume(bytes: number): void {
    this.#consumed += bytes;
  }

  /** True when half of the window was read since the last update. */
  get updateDue(): boolean {
    // A window of zero grants nothing, and no reading changes that.
    return this.#window > 0 && 2 * (this.#consumed + this.#window - this.#limit) >= this.#window;
  }

  /** The limit to tell the peer now. `rttMs` undefined: no growth. */
  update(nowMs: number, rttMs: number | undefined): number {
    const previous = this.#lastUpdateMs;
    // SPEC 8: two updates within 2 RTT mean that the window, not the reader, holds the sender back.
    if (previous !== undefined && rttMs !== undefined && nowMs - previous < 2 * rttMs) {
      this.#window = Math.min(2 * this.#window, this.#maxWindow);
    }
    this.#lastUpdateMs = nowMs;
    // SPEC 8: limits never shrink.
    this.#limit = Math.max(this.#limit, this.#consumed + this.#window);
    return this.#limit;
  }
}

/** What the peer granted. */
export class SendCredit {
  #limit: number;
  #used = 0;
  #blockedAt: number | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get used(): number {
    return this.#used;
  }

  get available(): number {
    return this.#limit - this.#used;
  }

  use(bytes: number): void {
    this.#used += bytes;
  }

  /** Returns true when `limit` is news. SPEC 8: lower values are late, not a withdrawal. */
  raise(limit: number): boolean {
    if (limit <= this.#limit) return false;
    this.#limit = limit;
    return true;
  }

  /** True the first time that sending stops at the present limit: BLOCKED is sent once per limit. */
  noteBlocked(): boolean {
    if (this.#blockedAt === this.#limit) return false;
    this.#blockedAt = this.#limit;
    return true;
  }
}
