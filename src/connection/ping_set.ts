/**
 * PING and PONG (SPEC 9): which pings wait to be sent, which wait for their answer, and the round-trip time they show.
 *
 * @module
 */
import { BoundedQueue } from "./bounded_queue.ts";

/** Unanswered pings that are remembered; older ones are forgotten, so that silence cannot grow memory. */
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
  readonly #waiting: { ping: number; token: Uint8Array }[] = [];
  readonly #outstanding: Outstanding[] = [];
  #next = 1;
  #latest: number | undefined;
  #smoothed: number | undefined;
  #min: number | undefined;
  #max: number | undefined;
  #samples = 0;

  /** Queues a ping with 8 random bytes; returns its number, which the `pong` event repeats. */
  request(token: Uint8Array): number {
    const ping = this.#next++;
    if (this.#waiting.length >= OUTSTANDING) this.#waiting.shift();
    this.#waiting.push({ ping, token });
    return ping;
  }

  get pending(): boolean {
    return this.#waiting.length > 0 || this.pongs.size > 0;
  }

  /** The next token to send in a PING; its clock starts now. */
  take(nowMs: number): Uint8Array | undefined {
    const entry = this.#waiting.shift();
    if (entry === undefined) return undefined;
    if (this.#outstanding.length >= OUTSTANDING) this.#outstanding.shift();
    this.#outstanding.push({ ...entry, sentMs: nowMs });
    return entry.token;
  }

  /** A PONG arrived. Undefined when no outstanding ping has this token: tokens are random, so it is a late one. */
  answer(token: Uint8Array, nowMs: number): { ping: number; rttMs: number } | undefined {
    const index = this.#outstanding.findIndex((entry) => same(entry.token, token));
    const entry = this.#outstanding[index];
    if (entry === undefined) return undefined;
    this.#outstanding.splice(index, 1);
    const rttMs = Math.max(0, nowMs - entry.sentMs);
    this.sample(rttMs);
    return { ping: entry.ping, rttMs };
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
