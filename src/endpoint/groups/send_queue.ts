/**
 * What waits for one slow peer, so that it holds up nobody else.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { checkCount } from "../requests/remote_endpoint.ts";

/**
 * What becomes of a message for which a peer's queue has no room. `drop-oldest`: the oldest ones make room for it.
 * `block`: its sender waits. `disconnect`: the peer loses its place.
 */
export type SlowPolicy = "drop-oldest" | "block" | "disconnect";

/** How much may wait for one peer. */
export interface QueueOptions {
  /** What a full queue does. Default "drop-oldest". */
  readonly policy?: SlowPolicy;
  /** Messages that may wait for one peer, 1 and above. Default 256. */
  readonly maxQueued?: number;
  /** Bytes that may wait for one peer; one message may always. 1 and above. Default 1048576. */
  readonly maxQueuedBytes?: number;
}

/** Options with their defaults. */
export type QueueLimits = Required<QueueOptions>;

/** @throws {SttError} CONFIG naming the option and its range. */
export function queueLimits(options: QueueOptions): QueueLimits {
  const { policy = "drop-oldest", maxQueued = 256, maxQueuedBytes = 1_048_576 } = options;
  if (!["drop-oldest", "block", "disconnect"].includes(policy)) {
    throw new SttError("CONFIG", `cannot use option policy: ${policy} is unknown`);
  }
  checkCount("maxQueued", maxQueued, 1);
  checkCount("maxQueuedBytes", maxQueuedBytes, 1);
  return { policy, maxQueued, maxQueuedBytes };
}

/** What became of one offer. */
export interface Offered {
  /** Whether the message is in the queue, or on its way already. */
  readonly sent: boolean;
  /** Older messages that were dropped for it. */
  readonly dropped: number;
  /** Why it was not taken. */
  readonly error: SttError | undefined;
}

/** A message in a queue. */
export interface Queued {
  readonly size: number;
}

/** What a queue tells. */
export interface QueueEvents {
  /** Half of the room is taken; told again only once the queue has been empty. */
  slow(): void;
  /** Nothing waits any more, after `slow`. */
  drained(): void;
  /** The oldest messages were dropped. */
  dropped(count: number): void;
  /** No room, and the policy is `disconnect`. */
  overflow(error: SttError): void;
}

interface Blocked<T> {
  readonly item: T;
  readonly settle: (offered: Offered) => void;
}

/** A bounded queue before one sender that may be slow. */
export class SendQueue<T extends Queued> {
  readonly #limits: QueueLimits;
  readonly #send: (item: T) => Promise<void>;
  readonly #events: QueueEvents;
  readonly #items: T[] = [];
  /** Offers that wait for room, in order. */
  readonly #blocked: Blocked<T>[] = [];
  #bytes = 0;
  #sending = false;
  #slow = false;
  #sent = 0;
  #dropped = 0;
  #error: SttError | undefined;
  #idle: (() => void)[] = [];

  /** `send` resolves when the next one may be sent, and rejects when nothing more can be. */
  constructor(limits: QueueLimits, send: (item: T) => Promise<void>, events: QueueEvents) {
    this.#limits = limits;
    this.#send = send;
    this.#events = events;
  }

  /** Messages that wait, the one under way not counted. */
  get queued(): number {
    return this.#items.length + this.#blocked.length;
  }

  /** Their bytes. */
  get queuedBytes(): number {
    return this.#bytes;
  }

  /** Messages that were handed on, ever. */
  get sent(): number {
    return this.#sent;
  }

  /** Messages that were dropped, ever. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Resolves at once but for the policy `block`, and then when there is room or the signal is aborted. */
  offer(item: T, signal?: AbortSignal): Promise<Offered> | Offered {
    if (this.#error !== undefined) return { sent: false, dropped: 0, error: this.#error };
    if (this.#blocked.length === 0 && this.#fits(item)) return this.#take(item, 0);
    const { policy } = this.#limits;
    if (policy === "block") return this.#block(item, signal);
    if (policy === "disconnect") {
      const error = new SttError(
        "BUSY",
        `the peer is too slow: ${this.queued} messages of ${this.#bytes} bytes wait for it`,
      );
      this.#events.overflow(error);
      this.fail(error);
      return { sent: false, dropped: 0, error };
    }
    let dropped = 0;
    while (!this.#fits(item)) {
      this.#bytes -= (this.#items.shift() as T).size;
      dropped++;
    }
    this.#dropped += dropped;
    const offered = this.#take(item, dropped);
    this.#events.dropped(dropped);
    return offered;
  }

  /** Resolves when nothing waits and nothing is under way, or the queue has failed. */
  idle(): Promise<void> {
    if (this.#error !== undefined || (!this.#sending && this.queued === 0)) {
      return Promise.resolve();
    }
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Nothing is sent any more; whoever waits is told. */
  fail(error: SttError): void {
    if (this.#error !== undefined) return;
    this.#error = error;
    this.#items.length = 0;
    this.#bytes = 0;
    for (const { settle } of this.#blocked.splice(0)) settle({ sent: false, dropped: 0, error });
    this.#tellIdle();
  }

  #fits({ size }: T): boolean {
    const { maxQueued, maxQueuedBytes } = this.#limits;
    if (this.#items.length === 0) return true;
    return this.#items.length < maxQueued && this.#bytes + size <= maxQueuedBytes;
  }

  #take(item: T, dropped: number): Offered {
    this.#items.push(item);
    this.#bytes += item.size;
    const { maxQueued, maxQueuedBytes } = this.#limits;
    if (!this.#sending) void this.#pump();
    if (!this.#slow && (2 * this.queued > maxQueued || 2 * this.#bytes > maxQueuedBytes)) {
      this.#slow = true;
      this.#events.slow();
    }
    return { sent: true, dropped, error: undefined };
  }

  #block(item: T, signal: AbortSignal | undefined): Promise<Offered> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason);
      const onAbort = (): void => {
        this.#blocked.splice(this.#blocked.indexOf(blocked), 1);
        reject(signal?.reason);
      };
      const blocked: Blocked<T> = {
        item,
        settle: (offered) => {
          signal?.removeEventListener("abort", onAbort);
          resolve(offered);
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#blocked.push(blocked);
    });
  }

  async #pump(): Promise<void> {
    this.#sending = true;
    try {
      for (let item = this.#next(); item !== undefined; item = this.#next()) {
        await this.#send(item);
        this.#sent++;
      }
    } catch (error) {
      const cause = error instanceof SttError ? error : undefined;
      this.fail(cause ?? new SttError("INTERNAL", "cannot send to the peer", { cause: error }));
    } finally {
      this.#sending = false;
      this.#tellIdle();
    }
  }

  #next(): T | undefined {
    const item = this.#items.shift();
    if (item === undefined) {
      if (this.#slow && this.#error === undefined) {
        this.#slow = false;
        this.#events.drained();
      }
      return undefined;
    }
    this.#bytes -= item.size;
    while (this.#blocked.length > 0 && this.#fits((this.#blocked[0] as Blocked<T>).item)) {
      const { item: waiting, settle } = this.#blocked.shift() as Blocked<T>;
      this.#items.push(waiting);
      this.#bytes += waiting.size;
      settle({ sent: true, dropped: 0, error: undefined });
    }
    return item;
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}
