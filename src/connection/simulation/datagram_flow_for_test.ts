import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Side } from "../../testing/simulated_link.ts";
import { payload } from "./payload_for_test.ts";
import type { Flow, World } from "./world_for_test.ts";

const CHANNEL = 7;

/** Datagrams of one direction: each arrives at most once and whole. */
export class DatagramFlow implements Flow {
  readonly #world: World;
  readonly #from: Side;
  readonly #count: number;
  readonly #everyMs: number;
  readonly #sent: Uint8Array[] = [];
  readonly #missing: Set<number> = new Set();

  constructor(world: World, from: Side, count: number, everyMs: number) {
    this.#world = world;
    this.#from = from;
    this.#count = count;
    this.#everyMs = everyMs;
  }

  start(): void {
    if (this.#count > 0) this.#send();
  }

  /** `side` was told that datagrams wait; those of this flow arrive at the other end. */
  take(side: Side): void {
    if (side === this.#from) return;
    const connection = this.#world.connection(side);
    for (let each = connection.nextDatagram(); each; each = connection.nextDatagram()) {
      assert.equal(each.channel, CHANNEL);
      const index = each.data[0]! << 8 | each.data[1]!;
      assert.ok(this.#missing.delete(index), `datagram ${index} came twice`);
      assert.ok(Buffer.compare(each.data, this.#sent[index]!) === 0, `datagram ${index} differs`);
    }
  }

  #send(): void {
    const connection = this.#world.connection(this.#from);
    if (connection.state !== "established") return;
    const { prng } = this.#world;
    const index = this.#sent.length;
    const most = prng.chance(0.1) ? connection.maxDatagramSize : 200;
    const data = payload(prng, prng.integer(2, Math.min(most, 1100))).slice();
    data[0] = index >> 8;
    data[1] = index & 255;
    this.#sent.push(data);
    this.#missing.add(index);
    connection.sendDatagram(CHANNEL, data);
    if (this.#sent.length < this.#count) {
      this.#world.after(prng.float() * 2 * this.#everyMs, () => this.#send());
    }
  }

  /** All were sent; whether they arrive is not promised. */
  get done(): boolean {
    return this.#sent.length === this.#count;
  }

  /** Where the network lost nothing, only those are missing that a queue counts as dropped. */
  assertArrived(dropped: number): void {
    assert.equal(this.#missing.size, dropped, `datagrams from ${this.#from} are missing`);
  }

  get missing(): number {
    return this.#missing.size;
  }

  toString(): string {
    return `datagrams of ${this.#from}: ${this.#sent.length} of ${this.#count} sent, ` +
      `${this.#missing.size} missing`;
  }
}
