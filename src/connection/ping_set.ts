/**
 * PING and PONG (SPEC 9): which pings wait to be sent, which wait for their answer, and the round-trip time they show.
 *
 * @module
 */
import { BoundedQueue } from "./bounded_queue.ts";

/** Most pings on their way; further ones wait for an answer, so that silence cannot grow memory. */
const OUTSTANDING = 64;

function same(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 8; i++) if (a[i] !== b[i]) return false;
  return true;
}

interface Outstanding {
  readonly ping: number;
  readonly token: Uint8Array;
  readonly sentMs: number;
}

/** Round-trip times in milliseconds; undefined until the first sample. */
export interface RttStats {
  /** Last sample. */
  readonly latest: number | undefined;
  /** Smoothed as RFC 9002, section 5.3. */
  readonly smoothed: number | undefined;
  /** Lowest sample. */
  readonly min: number | undefined;
  /** Highest sample. */
  readonly max: number | undefined;
  /** Samples taken. */
  readonly samples: number;
}

/** The pings of one connection. */
export class PingSet {
  /** Tokens of the peer that must be returned. A flood of pings overwrites the oldest ones. */
  readonly pongs: BoundedQueue<Uint8Array> = new BoundedQueue(OUTSTANDING);
  #waiting: { ping: number; token: Uint8Array } | undefined;
  readonly #outstanding: Outstanding[] = [];
  #next = 1;
  #latest: number | undefined;
  #smoothed: number | undefined;
  #min: number | undefined;
  #max: number | undefined;
  #samples = 0;

  /**
   * Queues a ping with 8 random bytes; returns its number, which the `pong` event repeats. One that was not sent yet
   * serves everybody who asks meanwhile.
   */
  request(token: Uint8Array): number {
    this.#waiting ??= { ping: this.#next++, token };
    return this.#waiting.ping;
  }

  get pending(): boolean {
    return this.pongs.size > 0 ||
      (this.#waiting !== undefined && this.#outstanding.length < OUTSTANDING);
  }

  /** The next token to send in a PING; its clock starts now. */
  take(nowMs: number): Uint8Array | undefined {
    const entry = this.#waiting;
    if (entry === undefined || this.#outstanding.length >= OUTSTANDING) return undefined;
    this.#waiting = undefined;
    this.#outstanding.push({ ...entry, sentMs: nowMs });
    return entry.token;
  }

  /**
   * A PONG arrived: the pings that it answers, oldest first. Those sent before it are answered too, since a peer under
   * a flood returns the youngest tokens only. Empty when no outstanding ping has this token: it is a late one.
   */
  answer(token: Uint8Array, nowMs: number): { readonly ping: number; readonly rttMs: number }[] {
    const index = this.#outstanding.findIndex((entry) => same(entry.token, token));
    const entry = this.#outstanding[index];
    if (entry === undefined) return [];
    this.sample(Math.max(0, nowMs - entry.sentMs));
    return this.#outstanding.splice(0, index + 1).map(({ ping, sentMs }) => ({
      ping,
      rttMs: Math.max(0, nowMs - sentMs),
    }));
  }

  /** A round-trip time measured elsewhere (handshake). Smoothing as RFC 9002, section 5.3. */
  sample(rttMs: number): void {
    this.#latest = rttMs;
    this.#smoothed = this.#smoothed === undefined ? rttMs : this.#smoothed * 0.875 + rttMs * 0.125;
    this.#min = this.#min === undefined ? rttMs : Math.min(this.#min, rttMs);
    this.#max = this.#max === undefined ? rttMs : Math.max(this.#max, rttMs);
    this.#samples++;
  }

  rtt(): RttStats {
    return {
      latest: this.#latest,
      smoothed: this.#smoothed,
      min: this.#min,
      max: this.#max,
      samples: this.#samples,
    };
  }
}
