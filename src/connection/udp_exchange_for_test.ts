import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";
import { Prng } from "../testing/prng.ts";
import type { Side } from "../testing/simulated_link.ts";
import type { Connection } from "./connection.ts";

/** What each side sends. */
export interface ExchangePlan {
  readonly seed: number;
  /** Bytes per stream of kind 0. */
  readonly streams: readonly number[];
  /** Unordered messages on one more stream. */
  readonly messages: number;
  /** Called in every turn, while data is on its way. */
  readonly onTurn?: ((pair: DatagramPair) => void) | undefined;
}

interface Source {
  readonly id: number;
  readonly bytes: Uint8Array;
  at: number;
}

/** One direction: what was written, and what must come out at the other end. */
class Direction {
  readonly #from: Side;
  readonly #prng: Prng;
  readonly #sources: Source[] = [];
  readonly #messages: Uint8Array[] = [];
  readonly #missing: Set<number> = new Set();
  #messageStream = 0;
  #nextMessage = 0;
  #messagesEnded = false;
  readonly #read: Map<number, number> = new Map();
  #ended = 0;

  constructor(from: Side, plan: ExchangePlan) {
    this.#from = from;
    this.#prng = new Prng(plan.seed * 2 + (from === "a" ? 0 : 1));
    for (let index = 0; index < plan.messages; index++) {
      const message = this.#prng.bytes(this.#prng.integer(2, index % 5 === 0 ? 5000 : 400));
      message[0] = index >> 8;
      message[1] = index & 255;
      this.#messages.push(message);
      this.#missing.add(index);
    }
  }

  start(connection: Connection, plan: ExchangePlan): void {
    const { streams } = connection;
    for (const size of plan.streams) {
      const id = streams.open(0, this.#prng.integer(0, 1000)) ?? assert.fail("no stream");
      this.#sources.push({ id, bytes: this.#prng.bytes(size), at: 0 });
      this.#read.set(id, 0);
    }
    this.#messageStream = streams.open(5) ?? assert.fail("no stream");
  }

  write(connection: Connection): void {
    const { streams } = connection;
    for (const source of this.#sources) {
      while (source.at < source.bytes.length && streams.canWrite(source.id)) {
        const end = Math.min(source.at + this.#prng.integer(1, 8000), source.bytes.length);
        streams.write(source.id, source.bytes.subarray(source.at, end));
        source.at = end;
        if (end === source.bytes.length) streams.finish(source.id);
      }
    }
    const id = this.#messageStream;
    while (this.#nextMessage < this.#messages.length && streams.canWrite(id)) {
      streams.writeMessage(id, this.#messages[this.#nextMessage++]!);
      if (this.#nextMessage === this.#messages.length) streams.finish(id);
    }
  }

  read(connection: Connection): void {
    const { streams } = connection;
    for (const { id, bytes } of this.#sources) {
      while (this.#read.has(id) && streams.has(id)) {
        const chunk = streams.read(id);
        if (chunk === undefined) break;
        const at = this.#read.get(id)!;
        if (chunk === null) {
          assert.equal(at, bytes.length, `stream ${id} of ${this.#from} ended early`);
          this.#read.delete(id);
          this.#ended++;
          // The other half is not used; the stream can go.
          streams.finish(id);
          break;
        }
        const same = Buffer.compare(chunk, bytes.subarray(at, at + chunk.length)) === 0;
        assert.ok(same, `stream ${id} of ${this.#from} differs behind ${at}`);
        this.#read.set(id, at + chunk.length);
      }
    }
    const id = this.#messageStream;
    while (!this.#messagesEnded && streams.has(id)) {
      const message = streams.readMessage(id);
      if (message === undefined) break;
      if (message === null) {
        assert.equal(this.#missing.size, 0, "messages are missing at the end");
        this.#messagesEnded = true;
        this.#ended++;
        streams.finish(id);
        break;
      }
      const index = message[0]! << 8 | message[1]!;
      assert.ok(this.#missing.delete(index), `message ${index} came twice`);
      assert.ok(Buffer.compare(message, this.#messages[index]!) === 0, `message ${index} differs`);
    }
  }

  get done(): boolean {
    return this.#ended === this.#sources.length + 1;
  }

  toString(): string {
    const read = [...this.#read].map(([id, at]) => `${id}@${at}`).join(" ");
    return `${this.#from}: ended ${this.#ended}, open ${read}, messages ${this.#missing.size}`;
  }
}

/** Establishes a session and moves the plan's data both ways, comparing every byte. Throws when it stops. */
export function exchange(options: DatagramPairOptions, plan: ExchangePlan): DatagramPair {
  const pair = new DatagramPair({ seed: plan.seed, ...options });
  const out = { a: new Direction("a", plan), b: new Direction("b", plan) };
  let started = 0;
  const limitMs = 1_200_000;
  pair.onEvent = (side, event) => {
    if (event.type === "established") {
      started++;
      out[side].start(side === "a" ? pair.a : pair.b!, plan);
    }
    if (event.type === "closed") {
      assert.fail(`${side} closed: ${event.facts.error ?? event.facts.reason}`);
    }
  };
  const ended = pair.run(() => {
    if (started === 2) {
      plan.onTurn?.(pair);
      out.a.write(pair.a);
      out.b.write(pair.b!);
      out.a.read(pair.b!);
      out.b.read(pair.a);
    }
    return out.a.done && out.b.done;
  }, limitMs);
  pair.onEvent = undefined;
  assert.ok(
    ended,
    `stopped at ${pair.clock.nowMs} ms; ${out.a}; ${out.b}; a ${JSON.stringify(pair.a.stats())} ` +
      `b ${JSON.stringify(pair.b?.stats())}`,
  );
  return pair;
}

/** After an exchange: everything is acknowledged and nothing is left on either side. */
export function assertNothingLeft(pair: DatagramPair): void {
  const quiet = (): boolean =>
    [pair.a, pair.b!].every((side) =>
      side.streams.isIdle() && side.stats().path?.bytesInFlight === 0
    );
  assert.ok(pair.run(quiet, 120_000), "bytes stay in flight");
  for (const side of [pair.a, pair.b!]) {
    const { streams } = side.stats();
    assert.equal(streams.sendBuffered, 0);
    assert.equal(streams.recvBuffered, 0);
    assert.equal(streams.open, 0);
  }
}
