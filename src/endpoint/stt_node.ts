/**
 * A node that listens and dials under one identity: the names people know from the Python reference over `listen`,
 * `connect` and {@link Peer}.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { CloseFacts } from "../connection/events.ts";
import type { ConnectionStats } from "../connection/stats.ts";
import { ERRORS, SttError } from "../errors.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Secret } from "../crypto/secret.ts";
import { connect } from "./connect.ts";
import type { EventReader, EventReaderOptions, NamedEvent } from "./event_reader.ts";
import { listen, type Listener, type ListenerEvents, type ListenerStats } from "./listener.ts";
import { type ConnectOptions, type ListenOptions, seedBytes, type SeedInput } from "./options.ts";
import type { Peer } from "./peer.ts";
import type { SendOutcome } from "./send_outcome.ts";
import type { WaitOptions } from "./stt_stream.ts";
import { type ListenerOptions, TypedEvents } from "./typed_events.ts";
import { Waiters } from "./waiters.ts";

export type { SendOutcome };

/** Messages of all peers that may wait for `receive()`; above it the peers are slowed down. */
const RECEIVE_QUEUE = 64;
/** Sessions that ended while their messages wait for room in that queue; those of the oldest are forgotten. */
const ENDED_WAITING = 64;

/** Options of a {@link SttNode}. */
export interface SttNodeOptions extends Omit<ListenOptions, "signal"> {
  /** The seed shared by the network; `seeds` holds further ones that are accepted. */
  readonly seed: SeedInput;
  /** Where `start()` listens. Default "ws://127.0.0.1:0/". */
  readonly address?: string;
  /** Keep one session per peer when both sides dial: the one that the lower nodeId dialled (SPEC 6.3). Default false. */
  readonly single?: boolean;
}

/** A message from any peer. */
export interface ReceivedPacket {
  /** Who sent it. */
  readonly peer: Peer;
  /** The session's id as hex. */
  readonly sessionId: string;
  /** Stream that carried it. */
  readonly streamId: number;
  /** The message. */
  readonly data: Uint8Array;
}

/** Events of a {@link SttNode}. */
export interface SttNodeEvents {
  /** A session is open, dialled by this node or by the peer. */
  readonly peer: Peer;
  /** Such a session has ended. */
  readonly "peer-closed": { readonly peer: Peer; readonly facts: CloseFacts };
  /** A transport connection that never became a session; see {@link ListenerEvents}. */
  readonly rejected: ListenerEvents["rejected"];
  /** The listening socket itself failed. */
  readonly error: SttError;
}

/** Counters of a node. */
export interface SttNodeStats {
  /** This node's identity as hex; "" before the first start. */
  readonly nodeId: string;
  /** Between `start()` and `stop()`. */
  readonly running: boolean;
  /** Counters of the listener; undefined while the node does not listen. */
  readonly listener: ListenerStats | undefined;
  /** Open sessions. */
  readonly sessions: readonly (ConnectionStats & { readonly id: string })[];
}

/**
 * A node of a network that shares a seed.
 *
 * @example
 * ```ts
 * import { generateSeed, SttNode } from "@seigr/stt";
 * const seed = generateSeed();
 * const a = new SttNode({ seed, address: "mem:node-a" });
 * const b = new SttNode({ seed, address: "mem:node-b" });
 * const address = await a.start();
 * await b.start();
 * await b.connect(address);
 * await b.sendToAll(new TextEncoder().encode("hello"));
 * for await (const packet of a.receive()) {
 *   console.log(new TextDecoder().decode(packet.data)); // "hello"
 *   break;
 * }
 * await b.stop();
 * await a.stop();
 * ```
 */
export class SttNode implements AsyncDisposable {
  readonly #options: SttNodeOptions;
  readonly #nodeSeed: Secret;
  readonly #peers: Map<string, Peer> = new Map();
  /** All that are open: two with the same node are one entry of `#peers`. */
  readonly #open: Set<Peer> = new Set();
  readonly #queue: ReceivedPacket[] = [];
  readonly #readers: Waiters = new Waiters();
  readonly #room: Waiters = new Waiters();
  readonly #events: TypedEvents<SttNodeEvents> = new TypedEvents();
  #listener: Listener | undefined;
  #nodeId: Uint8Array | undefined;
  #running = false;
  /** Sessions whose messages may still come, open or ended. */
  #pumps = 0;
  /** Of those that ended, oldest first: what makes them wait no more. */
  readonly #ended: Set<AbortController> = new Set();
  /** Tells a dial that `stop()` came while it was under way. */
  #stops = 0;

  /** Nothing happens before `start()`. */
  constructor(options: SttNodeOptions) {
    this.#options = options;
    this.#nodeSeed = new Secret(
      options.nodeSeed === undefined
        ? (options.provider ?? nodeProvider()).randomBytes(32)
        : seedBytes(options.nodeSeed, "nodeSeed"),
    );
  }

  /** This node's identity, 32 bytes; known once started. */
  get nodeId(): Uint8Array | undefined {
    return this.#nodeId;
  }

  /** Peers with an open session. */
  get peers(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  /** Starts listening; resolves with the bound address. Starting twice is an error. */
  async start(): Promise<string> {
    if (this.#running) throw new SttError("CONFIG", "cannot start node: it is running");
    this.#running = true;
    const stops = this.#stops;
    try {
      const { address = "ws://127.0.0.1:0/", seed, seeds = [], ...options } = this.#options;
      const listener = await listen(address, {
        ...options,
        seeds: [seed, ...seeds],
        nodeSeed: this.#nodeSeed.reveal(),
      });
      if (stops !== this.#stops) {
        await listener.close();
        throw new SttError("CLOSED", "cannot start node: it was stopped meanwhile");
      }
      this.#listener = listener;
      this.#nodeId = listener.nodeId;
      listener.on("peer", (peer) => this.#add(peer));
      listener.on("rejected", (detail) => this.#events.emit("rejected", detail));
      listener.on("error", (error) => this.#events.emit("error", error));
      return listener.address;
    } catch (error) {
      if (stops === this.#stops) this.#running = false;
      throw error;
    }
  }

  /** Closes all sessions and the listener. */
  async stop(): Promise<void> {
    this.#running = false;
    this.#stops++;
    const listener = this.#listener;
    this.#listener = undefined;
    await Promise.all([...[...this.#open].map((peer) => peer.close()), listener?.close()]);
    this.#readers.wake();
    this.#room.wake();
  }

  /**
   * Dials another node under this node's identity. With `single` it may resolve with the session that the other node
   * dialled, when that is the one that survives.
   *
   * @throws as {@link connect}; {@link SttError} `CLOSED` when the node was stopped meanwhile.
   */
  async connect(address: string, options: Partial<ConnectOptions> = {}): Promise<Peer> {
    const { pairKey, accept: _accept, transport: _transport, ...shared } = this.#options;
    const stops = this.#stops;
    let id = "";
    const early: ConnectOptions["early"] = (peer) => {
      id = peer.id;
      return options.early?.(peer);
    };
    const peer = await connect(address, {
      ...shared,
      ...(typeof pairKey === "function" || pairKey === undefined ? {} : { pairKey }),
      ...options,
      early,
      nodeSeed: this.#nodeSeed.reveal(),
      seed: options.seed ?? this.#options.seed,
    }).catch((error) => {
      // The other node closed this dial because the session that it dialled survives: that one stands here already.
      const survivor = this.#peers.get(id);
      const duplicate = error instanceof SttError && error.code === "DUPLICATE" && error.remote;
      if (survivor === undefined || !duplicate) throw error;
      return survivor;
    });
    if (stops !== this.#stops) {
      await peer.close();
      throw new SttError("CLOSED", `cannot connect to ${address}: the node was stopped meanwhile`);
    }
    return this.#open.has(peer) ? peer : this.#add(peer);
  }

  /**
   * Messages of all peers until the node stops. At most 64 wait, and the peers are slowed down; of sessions that ended
   * meanwhile, those of the last 64.
   */
  async *receive(options: WaitOptions = {}): AsyncGenerator<ReceivedPacket, void, void> {
    for (;;) {
      const packet = this.#queue.shift();
      if (packet !== undefined) {
        this.#room.wake();
        yield packet;
      } else if (!this.#running && this.#pumps === 0) {
        return;
      } else {
        await this.#readers.wait(options.signal);
      }
    }
  }

  /** Sends a message to every peer; one outcome each, in the order of `peers`. */
  sendToAll(message: Uint8Array, options: WaitOptions = {}): Promise<SendOutcome[]> {
    return this.sendTo(this.peers.map((peer) => peer.id), message, options);
  }

  /** Sends a message to the peers with these nodeIds (hex). */
  sendTo(
    ids: readonly string[],
    message: Uint8Array,
    options: WaitOptions = {},
  ): Promise<SendOutcome[]> {
    return Promise.all(ids.map((id) => this.#sendOne(id, message, options)));
  }

  /** Adds a listener of an event; returns a function that removes it. */
  on<Name extends keyof SttNodeEvents>(
    name: Name,
    listener: (detail: SttNodeEvents[Name]) => void,
    options?: ListenerOptions,
  ): () => void {
    return this.#events.on(name, listener, options);
  }

  /** Events of these names, or of all, as an async iterator: {@link TypedEvents.events}. */
  events<Name extends keyof SttNodeEvents = keyof SttNodeEvents>(
    names?: readonly Name[],
    options?: EventReaderOptions,
  ): EventReader<NamedEvent<SttNodeEvents, Name>> {
    return this.#events.events(names, options);
  }

  /** Counters of the listener and of every session. */
  stats(): SttNodeStats {
    return {
      nodeId: this.#nodeId === undefined ? "" : toHex(this.#nodeId),
      running: this.#running,
      listener: this.#listener?.stats(),
      sessions: this.peers.map((peer) => ({ id: peer.id, ...peer.stats() })),
    };
  }

  /** As `stop()`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #sendOne(id: string, message: Uint8Array, options: WaitOptions): Promise<SendOutcome> {
    const peer = this.#peers.get(id);
    if (peer === undefined) {
      const error = new SttError("CLOSED", `cannot send to ${id}: no session with this node`);
      return { id, sent: false, error };
    }
    try {
      await peer.send(message, options);
      return { id, sent: true, error: undefined };
    } catch (error) {
      if (error instanceof SttError) return { id, sent: false, error };
      throw error;
    }
  }

  /** Returns the session to use: another one when `single` gives that the precedence. */
  #add(peer: Peer): Peer {
    const other = this.#peers.get(peer.id);
    if (other !== undefined && this.#options.single === true && !this.#survives(peer)) {
      peer.abort({ code: ERRORS.DUPLICATE.wire as number });
      return other;
    }
    if (other !== undefined && this.#options.single === true) {
      other.abort({ code: ERRORS.DUPLICATE.wire as number });
    }
    this.#peers.set(peer.id, peer);
    this.#open.add(peer);
    void peer.closed.then((facts) => {
      this.#open.delete(peer);
      if (this.#peers.get(peer.id) === peer) this.#replace(peer.id);
      this.#events.emit("peer-closed", { peer, facts });
    });
    void this.#pump(peer);
    this.#events.emit("peer", peer);
    return peer;
  }

  /** The session with a node ended: another one with the same node takes its place, if there is one. */
  #replace(id: string): void {
    this.#peers.delete(id);
    for (const peer of this.#open) if (peer.id === id) this.#peers.set(id, peer);
  }

  /** SPEC 6.3: the session that the lower nodeId dialled survives. Of two from one side the newer one does. */
  #survives(peer: Peer): boolean {
    const other = this.#peers.get(peer.id);
    if (other?.info.role === peer.info.role || this.#nodeId === undefined) return true;
    const weAreLower = toHex(this.#nodeId) < peer.id;
    return weAreLower === (peer.info.role === "initiator");
  }

  async #pump(peer: Peer): Promise<void> {
    this.#pumps++;
    const forgotten = new AbortController();
    let pumping = true;
    void peer.closed.then(() => {
      if (pumping) this.#waitsEnded(forgotten);
    });
    try {
      for await (const { streamId, data } of peer.messages()) {
        while (this.#queue.length >= RECEIVE_QUEUE) {
          await this.#room.wait(forgotten.signal);
        }
        this.#queue.push({ peer, sessionId: peer.info.sessionId, streamId, data });
        this.#readers.wake();
      }
    } catch (error) {
      // The session's end is told by `peer.closed` and by the outcomes of sending.
      if (!(error instanceof SttError)) throw error;
    } finally {
      this.#pumps--;
      pumping = false;
      this.#ended.delete(forgotten);
      this.#readers.wake();
    }
  }

  /** A peer that comes, says something and goes, again and again, must not pile up where nobody receives. */
  #waitsEnded(forgotten: AbortController): void {
    this.#ended.add(forgotten);
    const [oldest] = this.#ended;
    if (oldest === undefined || this.#ended.size <= ENDED_WAITING) return;
    this.#ended.delete(oldest);
    oldest.abort(new SttError("CLOSED", "nobody received the messages of a session that ended"));
  }
}
