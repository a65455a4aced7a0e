/**
 * The share of packets that get lost on a path (SPEC 11).
 *
 * @module
 */

/** Packets that the share is taken over. */
const WINDOW = 1024;

/** Fates of the last 1024 packets, in the order in which they became known. */
export class LossRate {
  /** Made by the first loss: until then all fates are the same. */
  #fates: Uint8Array | undefined;
  #known = 0;
  #next = 0;
  #lost = 0;

  /** 0 to 1; 0 before the first fate is known. */
  get value(): number {
    return this.#known === 0 ? 0 : this.#lost / this.#known;
  }

  /** So many packets were acknowledged. */
  onAcked(count: number): void {
    if (this.#fates !== undefined) {
      for (let index = 0; index < count; index++) this.#note(this.#fates, 0);
      return;
    }
    this.#next = (this.#next + count) % WINDOW;
    this.#known = Math.min(this.#known + count, WINDOW);
  }

  /** So many packets were declared lost. */
  onLost(count: number): void {
    if (count === 0) return;
    const fates = this.#fates ??= new Uint8Array(WINDOW);
    for (let index = 0; index < count; index++) this.#note(fates, 1);
  }

  /** So many of those declared lost turned out to have arrived: the latest, as far as they are remembered. */
  onSpurious(count: number): void {
    const fates = this.#fates;
    if (fates === undefined) return;
    let left = Math.min(count, this.#lost);
    for (let at = this.#next; left > 0;) {
      at = (at + WINDOW - 1) % WINDOW;
      if (fates[at] === 0) continue;
      fates[at] = 0;
      this.#lost--;
      left--;
    }
  }

  #note(fates: Uint8Array, fate: number): void {
    const at = this.#next;
    this.#lost += fate - fates[at]!;
    fates[at] = fate;
    this.#next = (at + 1) % WINDOW;
    if (this.#known < WINDOW) this.#known++;
  }
}
