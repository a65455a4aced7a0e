/**
 * One message to many peers.
 *
 * @module
 */
import { ERRORS, SttError } from "../../errors.ts";
import { copyOf } from "../bytes.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "../event_reader.ts";
import type { Peer } from "../peer.ts";
import type { SendOutcome } from "../send_outcome.ts";
import type { WaitOptions } from "../stream_options.ts";
import { type ListenerOptions, TypedEvents } from "../typed_events.ts";
import { withSignal } from "../wait.ts";
import {
  type Offered,
  type QueueLimits,
  queueLimits,
  type QueueOptions,
  SendQueue,
} from "./send_queue.ts";

/** What became of one peer's share of a message. */
export interface GroupOutcome extends SendOutcome {
  /** Messages that wait for this peer now. */
  readonly queued: number;
  /** Older messages for this peer that were dropped for this one. */
  readonly dropped: number;
}

/** Options of {@link Group.sendToAll}. */
export interface SendToAllOptions extends WaitOptions {
  /** nodeIds (hex) of peers that do not get it, such as the one that said it. */
  readonly except?: readonly string[];
}

/** Counters of one member. */
export interface MemberStats {
  /** The peer's nodeId as hex. */
  readonly id: string;
  /** Messages that wait for it. */
  readonly queued: number;
  /** Their bytes. */
  readonly queuedBytes: number;
  /** Messages that went to its session, ever. */
  readonly sent: number;
  /** Messages that were dropped, ever. */
  readonly dropped: number;
}

/** Events of a {@link Group}. */
export interface GroupEvents {
  /** A peer is a member now. */
  readonly join: Peer;
  /** A peer is no member any more: it was removed, its session ended, or it was too slow (`BUSY`). */
  readonly leave: { readonly peer: Peer; readonly error: SttError | undefined };
  /** Half of the room of a peer's queue is taken. Told again only after `drained`. */
  readonly slow: MemberStats;
  /** Nothing waits for a slow peer any more. */
  readonly drained: MemberStats;
  /** Messages for a slow peer were dropped. */
  readonly dropped: { readonly id: string; readonly count: number };
}

/** Where peers come from: a listener, a node. */
export interface PeerSource {
  /** Calls back for each new peer. */
  on(name: "peer", listener: (peer: Peer) => void, options?: ListenerOptions): () => void;
}

interface Message {
  readonly data: Uint8Array;
  readonly size: number;
}

interface Member {
  readonly peer: Peer;
  readonly queue: SendQueue<Message>;
}

/**
 * Peers that get the same messages, each at its own pace: a queue for each, and a policy for those that are slow. The peers
 * read them with `messages()`.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, Group, listen } from "@seigr/stt";
 * const seed = generateSeed();
 * const listener = await listen("mem:group-example", { seed });
 * const group = new Group({ policy: "drop-oldest", maxQueued: 100 });
 * group.follow(listener);
 *
 * const clients = [
 *   await connect("mem:group-example", { seed }),
 *   await connect("mem:group-example", { seed }),
 * ];
 * const outcomes = await group.sendToAll(new TextEncoder().encode("news"));
 * console.log(outcomes.every(({ sent }) => sent)); // true
 * for (const client of clients) {
 *   console.log(new TextDecoder().decode((await client.nextMessage())?.data)); // news
 * }
 * await listener.close();
 * ```
 */
export class Group {
  readonly #limits: QueueLimits;
  readonly #members: Map<string, Member> = new Map();
  readonly #events: TypedEvents<GroupEvents> = new TypedEvents();

  /** No members yet. @throws {SttError} CONFIG naming the option and its range. */
  constructor(options: QueueOptions = {}) {
    this.#limits = queueLimits(options);
  }

  /** nodeIds of the members as hex, in the order in which they joined. */
  get ids(): readonly string[] {
    return [...this.#members.keys()];
  }

  /** The session with a member. */
  peer(id: string): Peer | undefined {
    return this.#members.get(id)?.peer;
  }

  /** Adds a peer until its session ends. A second session with the same node takes the place of the first. */
  add(peer: Peer): void {
    const { id } = peer;
    const before = this.#members.get(id);
    if (before?.peer === peer) return;
    if (before !== undefined) this.#remove(before, undefined);
    const member: Member = { peer, queue: this.#queueOf(peer) };
    this.#members.set(id, member);
    void peer.closed.then(({ error }) => this.#remove(member, error));
    this.#events.emit("join", peer);
  }

  /** Adds every peer that a listener or a node gets from now on; returns a function that ends that. */
  follow(source: PeerSource, options?: ListenerOptions): () => void {
    return source.on("peer", (peer) => this.add(peer), options);
  }

  /** Removes a member, and what waits for it; its session stays. False when there is none of this nodeId (hex). */
  remove(id: string): boolean {
    const member = this.#members.get(id);
    if (member !== undefined) this.#remove(member, undefined);
    return member !== undefined;
  }

  /**
   * Sends a message to all members; one outcome each, in the order of `ids`. Resolves at once, but with the policy `block`
   * when the slowest member has room. The array may be used again at once.
   *
   * @throws The signal's reason, with `block`: who had room gets the message all the same. {@link SttError} `CONFIG` for
   *   what is no Uint8Array.
   */
  sendToAll(message: Uint8Array, options: SendToAllOptions = {}): Promise<GroupOutcome[]> {
    const { except = [] } = options;
    return this.sendTo(this.ids.filter((id) => !except.includes(id)), message, options);
  }

  /** As {@link Group.sendToAll}, to the members with these nodeIds (hex). */
  async sendTo(
    ids: readonly string[],
    message: Uint8Array,
    options: WaitOptions = {},
  ): Promise<GroupOutcome[]> {
    options.signal?.throwIfAborted();
    const data = copyOf(message, "send to group");
    return await Promise.all(ids.map(async (id) => {
      const member = this.#members.get(id);
      if (member === undefined) return absent(id);
      const offered: Offered = await member.queue.offer(
        { data, size: data.length },
        options.signal,
      );
      return { id, ...offered, queued: member.queue.queued };
    }));
  }

  /** Resolves when nothing waits for any member that is one now. @throws The signal's reason. */
  async drained(options: WaitOptions = {}): Promise<void> {
    const idle = Promise.all([...this.#members.values()].map(({ queue }) => queue.idle()));
    await withSignal(idle, options.signal);
  }

  /** Counters of the members. */
  stats(): MemberStats[] {
    return [...this.#members].map(([id, { queue }]) => statsOf(id, queue));
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof GroupEvents>(
    name: Name,
    listener: (detail: GroupEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof GroupEvents = keyof GroupEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<GroupEvents, Name>> {
    return this.#events.events(names, options);
  }

  #queueOf(peer: Peer): SendQueue<Message> {
    const { id } = peer;
    // One copy serves all: nobody changes it.
    const send = ({ data }: Message): Promise<void> => peer.send(data, { own: true });
    const queue: SendQueue<Message> = new SendQueue(this.#limits, send, {
      slow: () => this.#events.emit("slow", statsOf(id, queue)),
      drained: () => this.#events.emit("drained", statsOf(id, queue)),
      dropped: (count) => this.#events.emit("dropped", { id, count }),
      overflow: (error) => {
        const member = this.#members.get(id);
        if (member?.peer === peer) this.#remove(member, error);
        peer.abort({ code: ERRORS.BUSY.wire as number, reason: "too slow" });
      },
    });
    return queue;
  }

  #remove(member: Member, error: SttError | undefined): void {
    const { peer, queue } = member;
    if (this.#members.get(peer.id) !== member) return;
    this.#members.delete(peer.id);
    queue.fail(error ?? new SttError("CLOSED", `${peer.id} is no member of the group any more`));
    this.#events.emit("leave", { peer, error });
  }
}

function statsOf(id: string, queue: SendQueue<Message>): MemberStats {
  const { queued, queuedBytes, sent, dropped } = queue;
  return { id, queued, queuedBytes, sent, dropped };
}

function absent(id: string): GroupOutcome {
  const error = new SttError("CLOSED", `cannot send to ${id}: it is no member of the group`);
  return { id, sent: false, error, queued: 0, dropped: 0 };
}
