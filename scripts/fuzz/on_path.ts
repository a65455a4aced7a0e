/**
 * Somebody on the path: actions of four bytes, each done to one frame or datagram on its way. The upper half of the first
 * byte says how many pass before it, so that actions reach far into a session.
 *
 * @module
 */
import type { Side } from "../../src/testing/simulated_link.ts";
import { Prng } from "../../src/testing/prng.ts";
import { mutateWith, spliced } from "./mutate_bytes.ts";

/** Sends bytes on; `from`: as if they came from elsewhere. */
export type Forward = (
  bytes: Uint8Array,
  from?: { readonly host: string; readonly port: number },
) => void;

/** Kept of what passed, for replays. */
const KEPT = 256;

type Act = (path: OnPath, side: Side, bytes: Uint8Array, word: number, forward: Forward) => void;

const ACTS: readonly Act[] = [
  (_, __, bytes, ___, forward) => forward(bytes),
  () => undefined,
  (_, __, bytes, word, forward) => {
    const copy = bytes.slice();
    const at = (word >> 3) % copy.length;
    copy[at] = copy[at]! ^ 1 << (word & 7);
    forward(copy);
  },
  (_, __, bytes, word, forward) => forward(bytes.slice(0, word % (bytes.length + 1))),
  (_, __, bytes, word, forward) =>
    forward(spliced(bytes, bytes.length, 0, new Prng(word).bytes(word % 90))),
  (_, __, bytes, ___, forward) => {
    forward(bytes);
    forward(bytes.slice());
  },
  // Replays of what went the same way, and reflections of what came the other.
  (path, side, bytes, word, forward) => {
    forward(bytes);
    forward(path.earlier(side, word) ?? bytes);
  },
  (path, side, bytes, word, forward) => {
    forward(path.earlier(side === "a" ? "b" : "a", word) ?? bytes);
    forward(bytes);
  },
  // The head of one and the tail of another.
  (path, side, bytes, word, forward) => {
    const other = path.earlier(side, word >> 6) ?? bytes;
    const at = (word & 63) * 2 % (bytes.length + 1);
    forward(spliced(bytes, at, bytes.length, other.subarray(Math.min(at, other.length))));
  },
  (path, side, bytes) => path.hold(side, bytes),
  (_, __, bytes, word, forward) => {
    forward(new Prng(word).bytes(word % 1500));
    forward(bytes);
  },
  (path, side, bytes, word, forward) => {
    forward(spliced(bytes, bytes.length, 0, path.earlier(side, word) ?? bytes));
  },
  (_, __, bytes, word, forward) => {
    forward(bytes, { host: `203.0.113.${word >> 8 & 7}`, port: 1024 + (word & 255) });
  },
  (_, __, bytes, word, forward) => {
    forward(bytes.slice(), { host: `203.0.113.${word >> 8 & 7}`, port: 1024 + (word & 255) });
    forward(bytes);
  },
  (path, side, bytes, word, forward) => {
    const prng = new Prng(word);
    forward(mutateWith(bytes, path.earlier(side, word) ?? bytes, prng));
  },
  (_, __, bytes, word, forward) => {
    forward(mutateWith(bytes, bytes, new Prng(word)));
    forward(bytes);
  },
];

/** Does the actions of `script` to what passes; behind them everything passes untouched. */
export class OnPath {
  /** Frames that arrived as they were sent, in their order, so far. */
  untouched = true;
  readonly #script: Uint8Array;
  readonly #seen: Record<Side, Uint8Array[]> = { a: [], b: [] };
  readonly #held: Record<Side, Uint8Array | undefined> = { a: undefined, b: undefined };
  #at = 0;
  #pass = -1;

  constructor(script: Uint8Array) {
    this.#script = script;
  }

  /** One frame on its way from `side`. */
  take(side: Side, bytes: Uint8Array, forward: Forward): void {
    const copy = bytes.slice();
    this.#one(side, copy, forward);
    if (this.#seen[side].length < KEPT) this.#seen[side].push(copy);
  }

  #one(side: Side, bytes: Uint8Array, forward: Forward): void {
    const held = this.#held[side];
    this.#held[side] = undefined;
    if (this.#pass < 0) this.#pass = (this.#script[this.#at] ?? 0) >> 4;
    if (this.#pass > 0 || this.#at + 4 > this.#script.length) {
      this.#pass--;
      forward(bytes);
    } else {
      const [op = 0, a = 0, b = 0, c = 0] = this.#script.subarray(this.#at);
      this.#at += 4;
      this.#pass = -1;
      if ((op & 15) !== 0) this.untouched = false;
      ACTS[op & 15]!(this, side, bytes, a << 16 | b << 8 | c, forward);
    }
    // What was held back follows the next one.
    if (held !== undefined) forward(held);
  }

  /** Something that went this way before. */
  earlier(side: Side, number: number): Uint8Array | undefined {
    const seen = this.#seen[side];
    return seen[number % Math.max(1, seen.length)]?.slice();
  }

  hold(side: Side, bytes: Uint8Array): void {
    this.#held[side] = bytes;
  }
}

/** Bytes before the actions: options of the session. */
export const HEAD_BYTES = 2;

/** An action more, less or changed. */
export function mutateActions(input: Uint8Array, other: Uint8Array, prng: Prng): Uint8Array {
  const count = Math.max(0, (input.length - HEAD_BYTES) >> 2);
  const at = HEAD_BYTES + 4 * prng.integer(0, count);
  const action = prng.bytes(4);
  if (prng.chance(0.5)) action[0] = action[0]! & 0x3f;
  switch (prng.integer(0, 5)) {
    case 0:
      return spliced(input, 0, HEAD_BYTES, prng.bytes(HEAD_BYTES));
    case 1:
      return spliced(input, at, 4, new Uint8Array(0));
    case 2:
      return spliced(input, at, 4, action);
    case 3: {
      const from = HEAD_BYTES + 4 * prng.integer(0, 20);
      return spliced(input, at, 0, other.slice(from, from + 4 * prng.integer(1, 8)));
    }
    default:
      return spliced(input, at, 0, action);
  }
}
