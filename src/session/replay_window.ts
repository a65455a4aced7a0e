import { REPLAY_WINDOW } from "../constants.ts";

/** `new`: never marked; `seen`: marked before; `stale`: too far behind the highest to know. */
export type ReplayVerdict = "new" | "seen" | "stale";

// One word more than the window: the word that the highest sequence opens may not push out bits still inside of it.
const WORDS = REPLAY_WINDOW / 32 + 1;

/**
 * Which of the last 8192 sequences were accepted (SPEC 7): a ring of bits, as in RFC 6479. Nothing is allocated until
 * a sequence is skipped.
 */
export class ReplayWindow {
  #highest = -1;
  #bits: Uint32Array | undefined;

  /** Highest sequence marked; -1 before the first. */
  get highest(): number {
    return this.#highest;
  }

  /** Changes nothing: a sequence is marked only after its frame verified. */
  check(sequence: number): ReplayVerdict {
    if (sequence > this.#highest) return "new";
    if (this.#highest - sequence >= REPLAY_WINDOW) return "stale";
    if (this.#bits === undefined) return "seen";
    const word = this.#bits[wordOf(sequence)] as number;
    return (word >>> (sequence & 31) & 1) === 1 ? "seen" : "new";
  }

  /** Marks a sequence that `check` called `new`. */
  mark(sequence: number): void {
    if (this.#bits === undefined) {
      if (sequence === this.#highest + 1) {
        this.#highest = sequence;
        return;
      }
      const bits = new Uint32Array(WORDS);
      const first = Math.max(0, this.#highest - REPLAY_WINDOW + 1);
      for (let s = first; s <= this.#highest; s++) setBit(bits, s);
      this.#bits = bits;
    }
    if (sequence > this.#highest) {
      const from = Math.floor(this.#highest / 32) + 1;
      const to = Math.floor(sequence / 32);
      for (let w = Math.max(from, to - WORDS + 1); w <= to; w++) this.#bits[w % WORDS] = 0;
      this.#highest = sequence;
    }
    setBit(this.#bits, sequence);
  }
}

function wordOf(sequence: number): number {
  return Math.floor(sequence / 32) % WORDS;
}

function setBit(bits: Uint32Array, sequence: number): void {
  const word = wordOf(sequence);
  bits[word] = (bits[word] as number) | 1 << (sequence & 31);
}
