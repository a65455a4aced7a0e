/**
 * Subscribing and publishing at a peer that is a hub of topics.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { MAX_TIMER_MS } from "../clock.ts";
import type { Peer } from "../peer.ts";
import type { Replies } from "../requests/exchange.ts";
import type { ExchangeOptions } from "../requests/remote_endpoint.ts";
import { TOPIC_ENDPOINTS } from "./topics.ts";
import {
  decodeMessage,
  encodeMessage,
  encodeSubscription,
  MESSAGE_OVERHEAD,
  type TopicMessage,
} from "./wire.ts";

/** Largest data taken unless the application says something else. */
const DEFAULT_MAX_DATA = 1_048_576;

/** Options of {@link subscribe}. */
export interface SubscribeOptions {
  /** Milliseconds that the hub may take to accept the subscription; 0 for any time. Default 30000. */
  readonly timeout?: number;
  /** Largest data of a message, in bytes; a larger one ends the subscription. Default 1048576. */
  readonly maxData?: number;
  /** Ends the subscription; reading throws its reason. */
  readonly signal?: AbortSignal;
}

/** Messages of a subscription. Leaving the loop, or `cancel`, ends the subscription. */
export class SubscriptionReader implements AsyncIterable<TopicMessage> {
  readonly #replies: Replies;

  /** Use {@link subscribe}. */
  constructor(replies: Replies) {
    this.#replies = replies;
  }

  /**
   * The next message, or null when the hub has ended the subscription in order.
   *
   * @throws {SttError} `BUSY` when this side was too slow for the hub's policy; what ended the session; the signal's reason.
   */
  async next(): Promise<TopicMessage | null> {
    const item = await this.#replies.next();
    if (item === null) return null;
    try {
      return decodeMessage(item);
    } catch (error) {
      this.#replies.cancel();
      throw error;
    }
  }

  /** Ends the subscription. */
  cancel(): void {
    this.#replies.cancel();
  }

  /** Messages until the subscription ends; leaving the loop early ends it. */
  async *[Symbol.asyncIterator](): AsyncGenerator<TopicMessage, void, void> {
    try {
      for (let one = await this.next(); one !== null; one = await this.next()) yield one;
    } finally {
      this.cancel();
    }
  }
}

/**
 * Subscribes at a peer that answers {@link Topics}; resolves once nothing that is published can be missed any more.
 *
 * @param filters 1 to 32 topics, in which a level may be `+` and the last one `#`.
 * @throws {SttError} `REFUSED`, `NO_ENDPOINT` (no hub), `BUSY`, `DEADLINE`, `CONFIG`; what ended the session; the signal's
 *   reason.
 */
export async function subscribe(
  peer: Peer,
  filters: readonly string[],
  options: SubscribeOptions = {},
): Promise<SubscriptionReader> {
  const { timeout = 30_000, maxData = DEFAULT_MAX_DATA, signal } = options;
  const late = new AbortController();
  const replies = peer.endpoint(TOPIC_ENDPOINTS.subscribe).exchange([encodeSubscription(filters)], {
    timeout: 0,
    maxItem: maxData + MESSAGE_OVERHEAD,
    signal: signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]),
  });
  const timer = timeout === 0 || timeout === Infinity ? undefined : setTimeout(() => {
    late.abort(new SttError("DEADLINE", `cannot subscribe: ${timeout} ms are over`));
  }, Math.min(timeout, MAX_TIMER_MS));
  try {
    const accepted = await replies.next();
    if (accepted?.length === 0) return new SubscriptionReader(replies);
  } finally {
    clearTimeout(timer);
  }
  replies.cancel();
  throw new SttError("PROTOCOL", "cannot subscribe: the hub did not say that it accepts");
}

/**
 * Publishes at a peer that answers {@link Topics} and allows it. Resolves when it is in the queues of all others whose
 * filters match.
 *
 * @throws {SttError} `REFUSED`, `NO_ENDPOINT`, `BUSY`, `DEADLINE`, `CONFIG`; what ended the session; the signal's reason.
 */
export async function publish(
  peer: Peer,
  topic: string,
  data: Uint8Array,
  options: ExchangeOptions = {},
): Promise<void> {
  const message = encodeMessage({ topic, data, dropped: 0 });
  await peer.endpoint(TOPIC_ENDPOINTS.publish).request(message, options);
}
