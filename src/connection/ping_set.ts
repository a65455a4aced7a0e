/**
 * PING and PONG (SPEC 9): which pings wait to be sent, which wait for their answer, and the round-trip time they show.
 *
 * @module
 */
import type { Histogram } from "../observe/histogram.ts";
import { BoundedQueue } from "./bounded_queue.ts";
import { sameToken } from "./same_token.ts";

/** Most pings on their way; further ones wait for an answer, so that silence cannot grow memory. */
const OUTSTANDING = 64;
/** UDP: a ping is repeated after this many probe timeouts, then after twice as long each time, up to 2^5 times. */
const RETRY_PTOS = 2;
const RETRY_DOUBLINGS = 5;

interface Outstanding {
  readonly ping: number;
  token: Uint8Array;
  sentMs: number;
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
  /** Token of a repetition that waits to be sent. */
  #repeat: Uint8Array | undefined;
  #retries = 0;
  #next = 1;
  #latest: number | undefined;
  #smoothed: number | undefined;
  #min: number | undefined;
  #max: number | undefined;
  #samples = 0;
  readonly #histogram: Histogram | undefined;

  /** `histogram` counts every sample. */
  constructor(histogram?: Histogram) {
    this.#histogram = histogram;
  }

  /**
   * Queues a ping with 8 random bytes; returns its number, which the `pong` event repeats. One that was not sent yet
   * serves everybody who asks meanwhile.
   */
  request(token: Uint8Array): number {
    this.#waiting ??= { ping: this.#next++, token };
    return this.#waiting.ping;
  }

  get pending(): boolean {
    return this.pongs.size > 0 || this.#repeat !== undefined ||
      (this.#waiting !== undefined && this.#outstanding.length < OUTSTANDING);
  }

  /** UDP: when an answer is overdue. Neither PING nor PONG goes again by itself when it is lost (SPEC 10). */
  retryAt(ptoMs: number): number | undefined {
    const youngest = this.#outstanding.at(-1);
    if (youngest === undefined || this.pending) return undefined;
    return youngest.sentMs + RETRY_PTOS * ptoMs * 2 ** Math.min(this.#retries, RETRY_DOUBLINGS);
  }

  /** UDP: queues one more ping with 8 random bytes; its PONG answers those that nobody answered. */
  retry(token: Uint8Array): void {
    this.#retries++;
    this.#repeat = token;
  }

  /** The next token to send in a PING; its clock starts now. */
  take(nowMs: number): Uint8Array | undefined {
    const repeat = this.#repeat;
    if (repeat !== undefined) {
      this.#repeat = undefined;
      this.#sendAgain(repeat, nowMs);
      return repeat;
    }
    const entry = this.#waiting;
    if (entry === undefined || this.#outstanding.length >= OUTSTANDING) return undefined;
    this.#waiting = undefined;
    this.#outstanding.push({ ...entry, sentMs: nowMs });
    return entry.token;
  }

  /** Without room it takes the youngest one's place, since that one is the least overdue. */
  #sendAgain(token: Uint8Array, nowMs: number): void {
    const youngest = this.#outstanding.at(-1);
    if (youngest === undefined || this.#outstanding.length < OUTSTANDING) {
      this.#outstanding.push({ ping: this.#next++, token, sentMs: nowMs });
    } else {
      youngest.token = token;
      youngest.sentMs = nowMs;
    }
  }

  /**
   * A PONG arrived: the pings that it answers, oldest first, with its round-trip time. Those sent before it are answered
   * too, since a peer under a flood returns the youngest tokens only and UDP loses some. Empty when no outstanding ping
   * has this token: it is a late one.
   */
  answer(token: Uint8Array, nowMs: number): { readonly ping: number; readonly rttMs: number }[] {
    const index = this.#outstanding.findIndex((entry) => sameToken(entry.token, token));
    const entry = this.#outstanding[index];
    if (entry === undefined) return [];
    const rttMs = Math.max(0, nowMs - entry.sentMs);
    this.sample(rttMs);
    this.#retries = 0;
    return this.#outstanding.splice(0, index + 1).map(({ ping }) => ({ ping, rttMs }));
  }

  /** A round-trip time measured elsewhere (handshake). Smoothing as RFC 9002, section 5.3. */
  sample(rttMs: number): void {
    this.#latest = rttMs;
    this.#smoothed = this.#smoothed === undefined ? rttMs : this.#smoothed * 0.875 + rttMs * 0.125;
    this.#min = this.#min === undefined ? rttMs : Math.min(this.#min, rttMs);
    this.#max = this.#max === undefined ? rttMs : Math.max(this.#max, rttMs);
    this.#samples++;
    this.#histogram?.record(rttMs);
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
