import assert from "node:assert/strict";
import { DatagramPair, type DatagramPairOptions } from "../../testing/datagram_pair.ts";
import { TimedQueue } from "../../testing/timed_queue.ts";
import type { Prng } from "../../testing/prng.ts";
import type { Side } from "../../testing/simulated_link.ts";
import type { Connection } from "../connection.ts";
import type { CloseFacts, ConnectionEvent } from "../events.ts";
import { MemoryBounds } from "./memory_bounds_for_test.ts";

/** What one side does with one stream: it acts on the stream's events alone, as an application does. */
export type StreamUser = (event: ConnectionEvent & { readonly id: number }) => void;

/** Something that is moved through the session and knows when all of it is there. */
export interface Flow {
  /** The session is open on both sides. */
  start(): void;
  /** The dialling side knows the peer, and may write before the session is open. */
  onEarly?(): void;
  /** The peer allows more streams, at one side. */
  onStreams?(): void;
  /** Everything arrived, and both sides were told so. */
  readonly done: boolean;
  /** Where it stands, for the report of a failure. */
  toString(): string;
}

/** Two connections, the network between them, and what is going on over it. */
export class World {
  readonly pair: DatagramPair;
  readonly prng: Prng;
  /** How each side was told that the session ended. */
  readonly closed: Partial<Record<Side, CloseFacts>> = {};
  /** Bytes of application data that arrived. */
  received = 0;
  /** Called for every datagram event. */
  onDatagrams: ((side: Side) => void) | undefined;
  /** Called for every answer to a ping. */
  onPong: ((side: Side, ping: number) => void) | undefined;
  /** False from when the end of the session is part of the play. */
  mustLive = true;
  readonly #users: Record<Side, Map<number, StreamUser>> = { a: new Map(), b: new Map() };
  readonly #flows: Flow[] = [];
  readonly #alarms: TimedQueue<() => void> = new TimedQueue();
  readonly #bounds: MemoryBounds = new MemoryBounds();
  #established = 0;
  #early = false;
  #looks = 0;

  constructor(options: DatagramPairOptions, prng: Prng) {
    this.prng = prng;
    this.pair = new DatagramPair(options);
    this.pair.onEvent = (side, event) => this.#onEvent(side, event);
  }

  get nowMs(): number {
    return this.pair.clock.nowMs;
  }

  connection(side: Side): Connection {
    return side === "a" ? this.pair.a : this.pair.b ?? assert.fail("b does not exist yet");
  }

  /** The session takes data from `side`, and will go on taking it. */
  mayWrite(side: Side): boolean {
    const { state } = this.connection(side);
    return state === "established" || (state === "handshaking" && this.#early);
  }

  add(...flows: Flow[]): void {
    this.#flows.push(...flows);
  }

  /** `user` gets the events of stream `id` at `side`. */
  use(side: Side, id: number, user: StreamUser): void {
    assert.ok(!this.#users[side].has(id), `stream ${id} is opened twice`);
    this.#users[side].set(id, user);
  }

  /** Calls `act` in `ms` of virtual time. */
  after(ms: number, act: () => void): void {
    this.#alarms.push(this.nowMs + ms, act);
    this.pair.wakeAtMs = this.#alarms.nextMs ?? Infinity;
  }

  /** Runs until `done`. Throws with the state of everything when it does not come to that in `limitMs`. */
  runUntil(what: string, done: () => boolean, limitMs: number): void {
    const ended = this.pair.run(() => {
      this.#ring();
      if (++this.#looks % 32 === 0) this.#bounds.check(this.pair);
      return done();
    }, limitMs);
    if (ended) return;
    throw new Error(`${what}: not after ${limitMs} ms of virtual time\n${this.describe()}`);
  }

  /** The session is open on both sides. */
  get established(): boolean {
    return this.#established === 2;
  }

  get flowsDone(): boolean {
    return this.established && this.#flows.every((flow) => flow.done);
  }

  describe(): string {
    const { a, b, clock, link } = this.pair;
    const open = this.#flows.filter((flow) => !flow.done).map((flow) => `  ${flow}`);
    return [
      `at ${clock.nowMs} ms, step ${this.pair.steps}`,
      ...open,
      `  a ${JSON.stringify(a.stats())} timer ${a.nextTimeout()}`,
      `  b ${JSON.stringify(b?.stats())} timer ${b?.nextTimeout()}`,
      `  link a ${JSON.stringify(link.stats("a"))}`,
      `  link b ${JSON.stringify(link.stats("b"))}`,
    ].join("\n");
  }

  #ring(): void {
    for (let act = this.#alarms.pop(this.nowMs); act; act = this.#alarms.pop(this.nowMs)) act();
    this.pair.wakeAtMs = this.#alarms.nextMs ?? Infinity;
  }

  #onEvent(side: Side, event: ConnectionEvent): void {
    switch (event.type) {
      case "early":
        this.#early = true;
        for (const flow of this.#flows) flow.onEarly?.();
        return;
      case "established":
        if (++this.#established === 2) { for (const flow of this.#flows) flow.start(); }
        return;
      case "closed":
        assert.equal(this.closed[side], undefined, `${side} is closed twice`);
        this.closed[side] = event.facts;
        if (!this.mustLive) return;
        throw event.facts.error ?? new Error(`${side} closed: ${event.facts.reason}`);
      case "streams-available":
        for (const flow of this.#flows) flow.onStreams?.();
        return;
      case "pong":
        this.onPong?.(side, event.ping);
        return;
      case "datagram":
        this.onDatagrams?.(side);
        return;
      case "stream":
      case "readable":
      case "writable":
      case "reset":
      case "stopped":
      case "finished":
      case "stream-closed": {
        const user = this.#users[side].get(event.id) ?? assert.fail(`who is stream ${event.id}?`);
        user(event);
        return;
      }
      case "peer-error":
        assert.fail(`${side} hears of an error: ${event.reason}`);
    }
  }
}
