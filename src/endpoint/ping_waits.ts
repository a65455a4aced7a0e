/**
 * Who waits for which PONG.
 *
 * @module
 */

interface PendingPing {
  readonly resolve: (rttMs: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Waits by the number of the PING; one that was not sent yet serves all who ask meanwhile. */
export class PingWaits {
  /** While anybody waits. */
  #waits: Map<number, Set<PendingPing>> | undefined;

  /** Resolves with the round-trip time in ms; rejects with the signal's reason, or when the session ends. */
  async wait(ping: number, signal: AbortSignal | undefined): Promise<number> {
    const waits = this.#waits ??= new Map();
    const waiting = waits.get(ping) ?? new Set();
    waits.set(ping, waiting);
    let onAbort = (): void => undefined;
    let pending: PendingPing | undefined;
    try {
      return await new Promise<number>((resolve, reject) => {
        onAbort = () => reject(signal?.reason);
        signal?.addEventListener("abort", onAbort, { once: true });
        pending = { resolve, reject };
        waiting.add(pending);
      });
    } finally {
      if (pending !== undefined) waiting.delete(pending);
      if (waiting.size === 0) waits.delete(ping);
      if (waits.size === 0 && this.#waits === waits) this.#waits = undefined;
      signal?.removeEventListener("abort", onAbort);
    }
  }

  answer(ping: number, rttMs: number): void {
    for (const pending of this.#waits?.get(ping) ?? []) pending.resolve(rttMs);
  }

  fail(error: unknown): void {
    for (const waiting of this.#waits?.values() ?? []) {
      for (const pending of waiting) pending.reject(error);
    }
  }
}
