/**
 * Topics: who publishes does not know who subscribed.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { copyOf } from "../bytes.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "../event_reader.ts";
import type { Peer } from "../peer.ts";
import type { Endpoints } from "../requests/endpoints.ts";
import type { IncomingRequest } from "../requests/incoming_request.ts";
import type { WaitOptions } from "../stream_options.ts";
import { type ListenerOptions, TypedEvents } from "../typed_events.ts";
import { Waiters } from "../waiters.ts";
import type { GroupOutcome, MemberStats } from "./group.ts";
import { type QueueLimits, queueLimits, type QueueOptions, SendQueue } from "./send_queue.ts";
import { levelsMatch, topicFault } from "./topic_filter.ts";
import { decodeMessage, decodeSubscription, encodeMessage } from "./wire.ts";

/** Names of the endpoints that a hub answers (SPEC 12.13). */
export const TOPIC_ENDPOINTS: { readonly subscribe: string; readonly publish: string } = {
  subscribe: "stt/subscribe",
  publish: "stt/publish",
};

/** Options of {@link Topics}. */
export interface TopicsOptions extends QueueOptions {
  /**
   * Whether a peer may subscribe with a filter, which may match more topics than it names: `#` matches all of them. Default:
   * every filter.
   */
  readonly allowSubscribe?: (peer: Peer, filter: string) => boolean;
  /** Whether a peer may publish to a topic. Default: nobody but this side. */
  readonly allowPublish?: (peer: Peer, topic: string) => boolean;
}

/** Options of {@link Topics.publish}. */
export interface TopicPublishOptions extends WaitOptions {
  /** nodeIds (hex) of subscribers that do not get it. */
  readonly except?: readonly string[];
}

/** Events of {@link Topics}. */
export interface TopicsEvents {
  /** A subscription has begun. */
  readonly subscribe: { readonly peer: Peer; readonly filters: readonly string[] };
  /** A subscription has ended. */
  readonly unsubscribe: { readonly peer: Peer; readonly filters: readonly string[] };
  /** Half of the room of a subscription's queue is taken. Told again only after `drained`. */
  readonly slow: MemberStats;
  /** Nothing waits for a slow subscription any more. */
  readonly drained: MemberStats;
  /** Messages for a slow subscription were dropped. */
  readonly dropped: { readonly id: string; readonly count: number };
}

interface Message {
  readonly topic: string;
  readonly data: Uint8Array;
  readonly size: number;
}

interface Subscription {
  readonly peer: Peer;
  readonly filters: readonly (readonly string[])[];
  readonly queue: SendQueue<Message>;
}

/**
 * A hub of topics: peers subscribe with filters that may have wildcards, and get what is published, each at its own pace.
 *
 * @example
 * ```ts
 * import { connect, Endpoints, generateSeed, listen, subscribe, Topics } from "@seigr/stt";
 * const seed = generateSeed();
 * const listener = await listen("mem:topics-example", { seed });
 * const endpoints = new Endpoints();
 * const topics = new Topics();
 * topics.register(endpoints);
 * listener.on("peer", (peer) => void endpoints.serve(peer));
 *
 * const client = await connect("mem:topics-example", { seed });
 * const news = await subscribe(client, ["sensors/+/temperature"]);
 * await topics.publish("sensors/7/temperature", Uint8Array.of(21));
 * for await (const { topic, data } of news) {
 *   console.log(topic, data[0]); // sensors/7/temperature 21
 *   break; // ends the subscription
 * }
 * await client.close();
 * await listener.close();
 * ```
 */
export class Topics {
  readonly #limits: QueueLimits;
  readonly #options: TopicsOptions;
  readonly #subscriptions: Set<Subscription> = new Set();
  readonly #events: TypedEvents<TopicsEvents> = new TypedEvents();

  /** Nobody has subscribed. @throws {SttError} CONFIG naming the option and its range. */
  constructor(options: TopicsOptions = {}) {
    this.#limits = queueLimits(options);
    this.#options = options;
  }

  /** Answers subscribers and publishers among the peers that `endpoints` serves; returns a function that ends that. */
  register(endpoints: Endpoints): () => void {
    const ends = [
      endpoints.register(TOPIC_ENDPOINTS.subscribe, (request) => this.#subscribe(request)),
      endpoints.register(TOPIC_ENDPOINTS.publish, (request) => this.#publish(request)),
    ];
    return () => {
      for (const end of ends) end();
    };
  }

  /**
   * Sends a message to all whose filters match; one outcome for each subscription. Resolves at once, but with the policy
   * `block` when the slowest has room. The array may be used again at once.
   *
   * @throws {SttError} `CONFIG` for a topic that is none, or no Uint8Array; the signal's reason, with `block`.
   */
  async publish(
    topic: string,
    data: Uint8Array,
    options: TopicPublishOptions = {},
  ): Promise<GroupOutcome[]> {
    const fault = topicFault(topic);
    if (fault !== undefined) throw new SttError("CONFIG", `cannot publish: ${fault}`);
    options.signal?.throwIfAborted();
    const message: Message = { topic, data: copyOf(data, "publish"), size: data.length };
    const { except = [] } = options;
    const levels = topic.split("/");
    const matching = [...this.#subscriptions].filter(({ peer, filters }) =>
      !except.includes(peer.id) && filters.some((filter) => levelsMatch(filter, levels))
    );
    return await Promise.all(matching.map(async ({ peer, queue }) => {
      const offered = await queue.offer(message, options.signal);
      return { id: peer.id, ...offered, queued: queue.queued };
    }));
  }

  /** Counters of the subscriptions; a peer with several is there several times. */
  stats(): MemberStats[] {
    return [...this.#subscriptions].map(statsOf);
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof TopicsEvents>(
    name: Name,
    listener: (detail: TopicsEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof TopicsEvents = keyof TopicsEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<TopicsEvents, Name>> {
    return this.#events.events(names, options);
  }

  async *#subscribe(request: IncomingRequest): AsyncGenerator<Uint8Array, void, void> {
    const { peer, signal } = request;
    const filters = decodeSubscription(await request.body());
    const { allowSubscribe } = this.#options;
    // Only `true` is a yes.
    const allowed = allowSubscribe ?? (() => true);
    const refused = filters.find((filter) => allowed(peer, filter) !== true);
    if (refused !== undefined) {
      throw new SttError("REFUSED", `this peer may not subscribe to ${JSON.stringify(refused)}`);
    }
    // One item at a time between the queue and the stream, whose flow control slows the queue down.
    let ready: Message | undefined;
    let taken: () => void = () => undefined;
    let failure: SttError | undefined;
    const changed = new Waiters();
    const subscription: Subscription = {
      peer,
      filters: filters.map((filter) => filter.split("/")),
      queue: new SendQueue(this.#limits, (message) => {
        ready = message;
        changed.wake();
        return new Promise((resolve) => {
          taken = resolve;
        });
      }, {
        slow: () => this.#events.emit("slow", statsOf(subscription)),
        drained: () => this.#events.emit("drained", statsOf(subscription)),
        dropped: (count) => this.#events.emit("dropped", { id: peer.id, count }),
        overflow: (error) => {
          failure = error;
          changed.wake();
        },
      }),
    };
    const { queue } = subscription;
    this.#subscriptions.add(subscription);
    this.#events.emit("subscribe", { peer, filters });
    try {
      yield new Uint8Array(0);
      for (let told = 0;;) {
        while (ready === undefined && failure === undefined) await changed.wait(signal);
        if (failure !== undefined) throw failure;
        const { topic, data } = ready as Message;
        ready = undefined;
        const dropped = queue.dropped - told;
        told = queue.dropped;
        yield encodeMessage({ topic, data, dropped });
        taken();
      }
    } finally {
      this.#subscriptions.delete(subscription);
      queue.fail(failure ?? new SttError("CLOSED", `${peer.id} has ended its subscription`));
      this.#events.emit("unsubscribe", { peer, filters });
    }
  }

  async #publish(request: IncomingRequest): Promise<void> {
    const { topic, data } = decodeMessage(await request.body());
    if (this.#options.allowPublish?.(request.peer, topic) !== true) {
      throw new SttError("REFUSED", `this peer may not publish to ${JSON.stringify(topic)}`);
    }
    await this.publish(topic, data, { except: [request.peer.id], signal: request.signal });
  }
}

function statsOf({ peer, queue }: Subscription): MemberStats {
  const { queued, queuedBytes, sent, dropped } = queue;
  return { id: peer.id, queued, queuedBytes, sent, dropped };
}
