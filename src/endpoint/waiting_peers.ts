/**
 * Peers that wait for the application to take them off a listener.
 *
 * @module
 */
import type { Peer } from "./peer.ts";
import { Waiters } from "./waiters.ts";

/** Sessions that ended with something to read before anybody took them; the oldest are forgotten. */
const ENDED_WAITING = 64;

/** The queue of one listener, bounded by its open sessions and {@link ENDED_WAITING}. */
export class WaitingPeers {
  readonly #waiting: Set<Peer> = new Set();
  /** Those of `#waiting` that have ended, oldest first. */
  readonly #unread: Set<Peer> = new Set();
  readonly #waiters: Waiters = new Waiters();
  #over = false;

  add(peer: Peer): void {
    this.#waiting.add(peer);
    this.#waiters.wake();
  }

  /** The session is over. One that ended before anybody took it is of no use to the iterator, unless it left something. */
  ended(peer: Peer): void {
    // In the turn of those who wait for a peer: one that came and went at once is theirs.
    queueMicrotask(() => this.#afterEnd(peer));
  }

  #afterEnd(peer: Peer): void {
    if (!this.#waiting.has(peer)) return;
    if (peer.stats().streams.recvBuffered === 0) return this.#forget(peer);
    this.#unread.add(peer);
    if (this.#unread.size <= ENDED_WAITING) return;
    for (const oldest of this.#unread) return this.#forget(oldest);
  }

  /** The next peer, or null at the end; those that wait come first. */
  async next(signal: AbortSignal | undefined): Promise<Peer | null> {
    signal?.throwIfAborted();
    for (;;) {
      for (const peer of this.#waiting) {
        this.#forget(peer);
        return peer;
      }
      if (this.#over) return null;
      await this.#waiters.wait(signal);
    }
  }

  /** The listener accepts no more. */
  end(): void {
    this.#over = true;
    this.#waiters.wake();
  }

  #forget(peer: Peer): void {
    this.#unread.delete(peer);
    this.#waiting.delete(peer);
  }
}
