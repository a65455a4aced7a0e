import { TimedQueue } from "./timed_queue.ts";
import type { LinkRules } from "./link_options.ts";
import type { Prng } from "./prng.ts";

/** What a direction of a link did so far. */
export interface LinkStats {
  /** Datagrams given to the link. */
  sent: number;
  /** Their bytes. */
  sentBytes: number;
  /** Datagrams handed to the receiver, duplicates included. */
  delivered: number;
  /** Their bytes. */
  deliveredBytes: number;
  /** Dropped by chance. */
  lost: number;
  /** Dropped because they are larger than the MTU. */
  tooLarge: number;
  /** Dropped because the queue was full. */
  queueFull: number;
  /** Dropped because the address they were sent to is gone. */
  unreachable: number;
  /** Sent on twice. */
  duplicated: number;
  /** Sent on with a flipped bit. */
  corrupted: number;
  /** Held back. */
  reordered: number;
  /** Most bytes that waited for the link. */
  maxQueueBytes: number;
}

/** A burst that counted datagrams alone would swallow repeats that are minutes apart. */
const BURST_SILENCE_MS = 1000;

/** One direction of a simulated link: takes items with bytes, yields them when they arrive. */
export class LinkDirection<T extends { data: Uint8Array }> {
  readonly stats: LinkStats = {
    sent: 0,
    sentBytes: 0,
    delivered: 0,
    deliveredBytes: 0,
    lost: 0,
    tooLarge: 0,
    queueFull: 0,
    unreachable: 0,
    duplicated: 0,
    corrupted: 0,
    reordered: 0,
    maxQueueBytes: 0,
  };
  readonly #prng: Prng;
  readonly #arrivals: TimedQueue<T> = new TimedQueue();
  #rules: LinkRules;
  #bad = false;
  #sentMs = 0;
  #busyUntilMs = 0;
  #lastArrivalMs = 0;

  constructor(rules: LinkRules, prng: Prng) {
    this.#rules = rules;
    this.#prng = prng;
  }

  /** Holds for what is sent from now on. */
  set rules(rules: LinkRules) {
    this.#rules = rules;
  }

  get rules(): LinkRules {
    return this.#rules;
  }

  /** When the next datagram arrives, or undefined. */
  get nextMs(): number | undefined {
    return this.#arrivals.nextMs;
  }

  /** `item.data` must belong to the link. */
  send(item: T, nowMs: number): void {
    const { stats } = this;
    const rules = this.#rules;
    const size = item.data.length;
    stats.sent++;
    stats.sentBytes += size;
    const lost = this.#loses(nowMs);
    if (size > rules.mtu) {
      stats.tooLarge++;
      return;
    }
    const waiting = Math.max(0, this.#busyUntilMs - nowMs) * rules.bytesPerSecond / 1000;
    if (waiting > 0 && waiting + size > rules.queueBytes) {
      stats.queueFull++;
      return;
    }
    if (rules.bytesPerSecond !== Infinity) {
      stats.maxQueueBytes = Math.max(stats.maxQueueBytes, waiting + size);
      this.#busyUntilMs = Math.max(this.#busyUntilMs, nowMs) + size / rules.bytesPerSecond * 1000;
    } else {
      this.#busyUntilMs = nowMs;
    }
    // What is lost has used the link all the same.
    if (lost) {
      stats.lost++;
      return;
    }
    if (this.#prng.chance(rules.corrupt)) {
      stats.corrupted++;
      flipBit(item.data, this.#prng);
    }
    this.#arrive(item);
    if (this.#prng.chance(rules.duplicate)) {
      stats.duplicated++;
      this.#arrive({ ...item, data: item.data.slice() });
    }
  }

  /** The next datagram that has arrived, or undefined. `reachable` says whether it still finds its receiver. */
  receive(nowMs: number, reachable: (item: T) => boolean): T | undefined {
    for (;;) {
      const item = this.#arrivals.pop(nowMs);
      if (item === undefined) return undefined;
      if (!reachable(item)) {
        this.stats.unreachable++;
        continue;
      }
      this.stats.delivered++;
      this.stats.deliveredBytes += item.data.length;
      return item;
    }
  }

  #loses(nowMs: number): boolean {
    const { burst: { share, meanLength }, loss } = this.#rules;
    if (nowMs - this.#sentMs > BURST_SILENCE_MS) this.#bad = false;
    this.#sentMs = nowMs;
    // The mean run of what passes, for this share of what is lost, is meanLength * (1 - share) / share.
    this.#bad = this.#bad
      ? !this.#prng.chance(1 / meanLength)
      : this.#prng.chance(share / (meanLength * (1 - share)));
    return this.#prng.chance(loss) || this.#bad;
  }

  #arrive(item: T): void {
    const rules = this.#rules;
    const at = this.#busyUntilMs + rules.delayMs + this.#prng.float() * rules.jitterMs;
    if (this.#prng.chance(rules.reorder)) {
      this.stats.reordered++;
      this.#arrivals.push(at + rules.reorderMs, item);
      return;
    }
    this.#lastArrivalMs = Math.max(this.#lastArrivalMs, at);
    this.#arrivals.push(this.#lastArrivalMs, item);
  }
}

function flipBit(data: Uint8Array, prng: Prng): void {
  if (data.length === 0) return;
  const at = prng.integer(0, data.length - 1);
  data[at] = (data[at] ?? 0) ^ 1 << prng.integer(0, 7);
}
