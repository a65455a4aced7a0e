const TWO_32 = 4_294_967_296;

/**
 * Seeded pseudo-random numbers (xoshiro128**) for repeatable tests: the same seed gives the same run on every machine.
 * Not for keys.
 *
 * @example
 * ```ts
 * import { Prng } from "@seigr/stt/testing";
 * const first = new Prng(7);
 * const second = new Prng(7);
 * console.log(first.u32() === second.u32()); // true
 * console.log(first.integer(1, 6)); // 1: one of 1 to 6, the same in every run
 * ```
 */
export class Prng {
  readonly #state: Uint32Array = new Uint32Array(4);

  /**
   * Starts the stream of a seed.
   *
   * @param seed Any integer; its low 32 bits count.
   */
  constructor(seed: number) {
    let word = seed >>> 0;
    for (let i = 0; i < 4; i++) {
      // splitmix32: neighbouring seeds must not give neighbouring streams.
      word = (word + 0x9e3779b9) >>> 0;
      let mixed = word;
      mixed = Math.imul(mixed ^ mixed >>> 16, 0x21f0aaad);
      mixed = Math.imul(mixed ^ mixed >>> 15, 0x735a2d97);
      this.#state[i] = mixed ^ mixed >>> 15;
    }
  }

  /** 0 to 2^32-1. */
  u32(): number {
    const s = this.#state;
    const s0 = s[0] as number;
    const s1 = s[1] as number;
    const s2 = s[2] as number;
    const s3 = s[3] as number;
    const scrambled = Math.imul(s1, 5);
    const result = Math.imul(scrambled << 7 | scrambled >>> 25, 9) >>> 0;
    const t2 = s2 ^ s0;
    const t3 = s3 ^ s1;
    s[1] = s1 ^ t2;
    s[0] = s0 ^ t3;
    s[2] = t2 ^ s1 << 9;
    s[3] = t3 << 11 | t3 >>> 21;
    return result;
  }

  /** 0 up to but not including 1. */
  float(): number {
    return this.u32() / TWO_32;
  }

  /** An integer from `min` to `max`, both included; at most 2^32 values. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.float() * (max - min + 1));
  }

  /** True with the given probability, 0 to 1. */
  chance(probability: number): boolean {
    return probability > 0 && this.float() < probability;
  }

  /** `length` bytes. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = this.u32() >>> 24;
    return out;
  }

  /** One of the items; the list must not be empty. */
  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.integer(0, items.length - 1)] as T;
  }

  /** An independent stream: what one part draws does not shift what another one sees. */
  fork(): Prng {
    return new Prng(this.u32());
  }
}
