import type { EpochKeys } from "./epoch_keys.ts";

/** SPEC 7: old keys stay max(3 PTO, 1 s) for frames that are late. */
const MIN_RETENTION_MS = 1000;

/** A peer that rotates on every round trip could pile up old keys: the oldest goes early, which costs late frames only. */
const MAX_OLD_EPOCHS = 4;

interface RecvEpoch {
  readonly keys: EpochKeys;
  lowest: number;
  highest: number;
  discardAt: number;
}

/** Opens the frames of one direction: old epochs that still count, the present one, and those derived ahead (SPEC 7). */
export class RecvDirection {
  readonly #reliable: boolean;
  // Ascending and without holes; `#current` is the highest that a frame verified in.
  readonly #epochs: RecvEpoch[];
  #current: RecvEpoch;
  #highestDiscarded = -1;

  constructor(keys: EpochKeys, reliable: boolean) {
    this.#reliable = reliable;
    this.#current = entry(keys);
    this.#epochs = [this.#current];
  }

  /**
   * The keys of `epoch`, derived if they are ahead, or undefined when they are gone or beyond `limit`. What is derived
   * stays, so that forged epochs cost one derivation and a genuine one is not told apart by its time.
   */
  find(epoch: number, limit: number): EpochKeys | undefined {
    if (epoch === this.#current.keys.epoch) return this.#current.keys;
    if (epoch > limit) return undefined;
    let last = this.#epochs[this.#epochs.length - 1] ?? this.#current;
    while (epoch > this.#current.keys.epoch && last.keys.epoch < epoch) {
      last = entry(last.keys.takeNext());
      this.#epochs.push(last);
    }
    return this.#epochs.find((e) => e.keys.epoch === epoch)?.keys;
  }

  /**
   * Takes note of a verified frame. False when its sequence contradicts the order of epochs: a frame of e with a
   * higher sequence than one of e+1 (SPEC 7); nothing is noted then.
   */
  verified(keys: EpochKeys, sequence: number, nowMs: number, ptoMs: number): boolean {
    if (sequence < this.#highestDiscarded) return false;
    let mine = this.#current;
    if (this.#epochs.length > 1 || mine.keys !== keys) {
      for (const other of this.#epochs) {
        if (other.keys === keys) mine = other;
        else if (
          other.keys.epoch < keys.epoch ? other.highest > sequence : other.lowest < sequence
        ) {
          return false;
        }
      }
    }
    if (sequence < mine.lowest) mine.lowest = sequence;
    if (sequence > mine.highest) mine.highest = sequence;
    if (keys.epoch > this.#current.keys.epoch) {
      this.#current = mine;
      this.#retire(nowMs, ptoMs);
    }
    return true;
  }

  /** When the next old epoch is wiped, or undefined. */
  nextTimeout(): number | undefined {
    const oldest = this.#epochs[0];
    return oldest === undefined || oldest === this.#current ? undefined : oldest.discardAt;
  }

  /** Wipes the old epochs whose time is over. */
  onTimeout(nowMs: number): void {
    let oldest = this.#epochs[0];
    while (oldest !== undefined && oldest !== this.#current && oldest.discardAt <= nowMs) {
      this.#discardOldest();
      oldest = this.#epochs[0];
    }
  }

  /** Drops all keys. */
  wipe(): void {
    for (const epoch of this.#epochs) epoch.keys.destroy();
    this.#epochs.length = 0;
  }

  #retire(nowMs: number, ptoMs: number): void {
    const discardAt = nowMs + Math.max(3 * ptoMs, MIN_RETENTION_MS);
    let old = 0;
    for (const epoch of this.#epochs) {
      if (epoch === this.#current) break;
      epoch.discardAt = Math.min(epoch.discardAt, discardAt);
      old++;
    }
    // SPEC 7: on reliable transports nothing of an old epoch can be late, so none is kept.
    for (; old > (this.#reliable ? 0 : MAX_OLD_EPOCHS); old--) this.#discardOldest();
  }

  #discardOldest(): void {
    const oldest = this.#epochs.shift() as RecvEpoch;
    this.#highestDiscarded = Math.max(this.#highestDiscarded, oldest.highest);
    oldest.keys.destroy();
  }
}

function entry(keys: EpochKeys): RecvEpoch {
  return { keys, lowest: Infinity, highest: -1, discardAt: Infinity };
}
