/**
 * Whether the address that a peer seems to have left still answers (SPEC 10.6).
 *
 * @module
 */

const TOKEN_BYTES = 8;
/** A sign of life is believed for this many probe timeouts: whoever copies packets from ever new sources stops nothing. */
const ALIVE_PTOS = 10;

/** The challenges to the present address. One serves all new addresses that are examined meanwhile. */
export class OldAddress {
  readonly #random: (length: number) => Uint8Array;
  #token: Uint8Array | undefined;
  #sentMs = -Infinity;
  #aliveMs = -Infinity;

  constructor(random: (length: number) => Uint8Array) {
    this.#random = random;
  }

  /** It answered not long ago. */
  isAlive(nowMs: number, ptoMs: number): boolean {
    return nowMs - this.#aliveMs < ALIVE_PTOS * ptoMs;
  }

  /** It should be asked: nobody did so just now. */
  isUnasked(nowMs: number, ptoMs: number): boolean {
    return nowMs - this.#sentMs >= ptoMs;
  }

  /** The token of a challenge that goes out now. */
  ask(nowMs: number): Uint8Array {
    this.#sentMs = nowMs;
    return this.#token ??= this.#random(TOKEN_BYTES);
  }

  /** Token of the challenge that waits for its answer. */
  get token(): Uint8Array | undefined {
    return this.#token;
  }

  /** It answered, or the newest frame came from there. */
  alive(nowMs: number): void {
    this.#token = undefined;
    this.#aliveMs = nowMs;
  }

  /** The peer moved: it is another address from now on. */
  reset(): void {
    this.#token = undefined;
    this.#sentMs = -Infinity;
    this.#aliveMs = -Infinity;
  }
}
