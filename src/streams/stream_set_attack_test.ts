import assert from "node:assert/strict";
import { test } from "node:test";
import { StreamSet } from "./stream_set.ts";
import { KIND_MESSAGES, KIND_UNORDERED } from "../constants.ts";

const MESSAGE = 100_000;
const LIMITS = { maxData: 40_000, maxStreamData: 10_000, maxStreams: 64 };

function receiver(): StreamSet {
  const set = new StreamSet({
    role: "responder",
    reliable: true,
    local: LIMITS,
    maxMessageSize: MESSAGE,
  });
  set.setPeerLimits(LIMITS);
  return set;
}

/** Sends what the credit allows: the beginning of a message of the largest size, all but its last byte. */
class Sender {
  readonly #set: StreamSet;
  readonly #id: number;
  readonly #kind: number;
  #offset = 0;
  stopped = false;

  constructor(set: StreamSet, id: number, kind: number) {
    this.#set = set;
    this.#id = id;
    this.#kind = kind;
  }

  step(): void {
    const chunk = new Uint8Array(5_000);
    // 100000 as a varint.
    if (this.#offset === 0) chunk.set([0xa0, 0x8d, 0x06]);
    const left = MESSAGE + 2 - this.#offset;
    const data = chunk.subarray(0, Math.min(chunk.length, left));
    if (data.length === 0 || this.stopped) return;
    this.#set.onData(this.#id, this.#offset === 0 ? 8 : 0, this.#kind, this.#offset, data, 0);
    this.#offset += data.length;
  }
}

for (const kind of [KIND_MESSAGES, KIND_UNORDERED]) {
  test(`unfinished messages on many streams do not add up (kind ${kind})`, () => {
    const set = receiver();
    const senders = new Map<number, Sender>();
    for (let index = 0; index < 40; index++) {
      const id = 2 * index + 1;
      senders.set(id, new Sender(set, id, kind));
    }
    let resets = 0;
    for (let round = 0; round < 30; round++) {
      for (const sender of senders.values()) {
        sender.step();
        for (let record = set.nextControl(100, 0); record; record = set.nextControl(100, 0)) {
          if (record.type === "streamStop") senders.get(record.stream)!.stopped = true;
        }
        for (let event = set.nextEvent(); event !== undefined; event = set.nextEvent()) {
          if (event.type !== "reset") continue;
          assert.equal(event.code, 0x23);
          resets++;
        }
      }
    }
    const { recvBuffered } = set.stats();
    assert.ok(recvBuffered <= 4 * MESSAGE + LIMITS.maxData, `${recvBuffered} bytes are held`);
    assert.ok(resets > 0 && resets < 40);
  });

  test(`large messages one after the other and a few at once arrive (kind ${kind})`, () => {
    const set = receiver();
    for (let turn = 0; turn < 5; turn++) {
      const ids = [0, 1, 2].map((index) => 2 * (3 * turn + index) + 1);
      const senders = ids.map((id) => new Sender(set, id, kind));
      for (let round = 0; round < 25; round++) {
        for (const sender of senders) {
          sender.step();
          while (set.nextControl(100, 0) !== undefined);
        }
      }
      for (const id of ids) {
        set.onData(id, 4, kind, MESSAGE + 2, new Uint8Array(1), 0);
        while (set.nextEvent() !== undefined);
        assert.equal(set.readMessage(id)?.length, MESSAGE);
        assert.equal(set.readMessage(id), null);
        while (set.nextControl(100, 0) !== undefined);
      }
    }
    assert.equal(set.stats().recvBuffered, 0);
  });
}
