import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../../testing/prng.ts";
import { type ConfirmMode, ContinuedRecv } from "./continued_recv.ts";
import { ContinuedSend, type ReceivedWord } from "./continued_send.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const word = (received: number, confirmed: number = received, ended: boolean = false) => ({
  received,
  confirmed,
  ended,
});

test("send: bytes go out in order, are kept until confirmed, and the end comes last", () => {
  const send = new ContinuedSend(4);
  assert.equal(send.take(9), undefined);
  send.attach(word(0));
  send.write(bytes(1, 2, 3));
  assert.equal(send.full, false);
  send.write(bytes(4, 5));
  assert.equal(send.full, true);
  assert.deepEqual(send.take(2), bytes(1, 2));
  assert.deepEqual(send.take(9), bytes(3));
  assert.deepEqual(send.take(9), bytes(4, 5));
  assert.equal(send.take(9), undefined);
  send.finish();
  assert.deepEqual([send.take(9), send.take(9)], ["end", undefined]);
  send.confirm(4, false);
  assert.deepEqual([send.held, send.confirmed, send.finished], [1, 4, false]);
  send.confirm(5, true);
  assert.deepEqual([send.held, send.finished], [0, true]);
});

test("send: another session goes on where the receiver is, not where the confirmation is", () => {
  const send = new ContinuedSend(100);
  send.attach(word(0));
  send.write(bytes(1, 2, 3, 4, 5, 6));
  send.finish();
  assert.deepEqual(send.take(5), bytes(1, 2, 3, 4, 5));
  send.detach();
  assert.equal(send.take(9), undefined);
  send.attach(word(4, 2));
  assert.deepEqual([send.kept, send.held], [2, 4]);
  assert.deepEqual([send.take(9), send.take(9)], [bytes(5, 6), "end"]);
  // The receiver's process died: it is back at what it had confirmed.
  send.detach();
  send.attach(word(2));
  assert.deepEqual([send.take(9), send.take(9)], [bytes(3, 4, 5, 6), "end"]);
});

test("send: after a crash writing goes on at the confirmed offset, sending at the received one", () => {
  const send = new ContinuedSend(100, true);
  assert.deepEqual([send.waitsForReceiver, send.kept], [true, 0]);
  send.attach(word(5, 2));
  assert.deepEqual([send.waitsForReceiver, send.written, send.kept], [false, 2, 2]);
  send.write(bytes(3, 4));
  assert.equal(send.take(9), undefined);
  assert.throws(() => send.finish(), { code: "CONFIG" });
  send.write(bytes(5, 6, 7));
  assert.deepEqual(send.take(9), bytes(6, 7));
  // The receiver crashes behind the sender: what was written again is there to be sent again.
  send.detach();
  send.attach(word(2));
  assert.deepEqual([send.take(9), send.take(9)], [bytes(3, 4), bytes(5, 6, 7)]);
});

test("send: after a crash behind the end nothing is left to do", () => {
  const send = new ContinuedSend(100, true);
  send.attach(word(7, 7, true));
  assert.deepEqual([send.finished, send.written], [true, 7]);
  assert.deepEqual([send.take(9), send.take(9)], ["end", undefined]);
});

test("send: what a receiver cannot have, and what is gone, is refused", () => {
  const send = new ContinuedSend(100);
  send.write(bytes(1, 2, 3));
  assert.throws(() => send.attach(word(1)), { code: "PROTOCOL" });
  send.attach(word(0));
  assert.throws(() => send.confirm(1, false), { code: "PROTOCOL" });
  send.take(9);
  assert.throws(() => send.attach(word(4)), { code: "PROTOCOL" });
  assert.throws(() => send.attach(word(1, 2)), { code: "PROTOCOL" });
  assert.throws(() => send.attach(word(2, 2, true)), { code: "PROTOCOL" });
  assert.throws(() => send.attach(word(3, 3, true)), { code: "PROTOCOL" });
  send.attach(word(2));
  assert.throws(() => send.confirm(4, false), { code: "PROTOCOL" });
  assert.throws(() => send.attach(word(1)), { code: "SESSION" });
});

test("send: a confirmation that is faster than the receiver's word counts, and is judged, with that", () => {
  const send = new ContinuedSend(100);
  send.attach(word(0));
  send.write(bytes(1, 2, 3));
  send.finish();
  assert.deepEqual([send.take(9), send.take(9)], [bytes(1, 2, 3), "end"]);
  send.detach();
  send.confirm(2, false);
  send.confirm(3, true);
  assert.deepEqual([send.held, send.finished], [3, false]);
  send.attach(word(3, 1));
  assert.deepEqual([send.held, send.finished], [0, true]);
  const other = new ContinuedSend(100);
  other.confirm(1, false);
  assert.throws(() => other.attach(word(0)), { code: "PROTOCOL" });
});

test("recv: reading confirms, told in steps", () => {
  const recv = new ContinuedRecv("read");
  assert.deepEqual(recv.attach(40), word(0));
  recv.take(9);
  assert.deepEqual([recv.confirmed, recv.tell()], [9, undefined]);
  recv.take(1);
  assert.deepEqual([recv.tell(), recv.tell()], [{ offset: 10, ended: false }, undefined]);
  recv.take(1);
  recv.end();
  assert.deepEqual([recv.tell(), recv.tell()], [{ offset: 11, ended: true }, undefined]);
  assert.throws(() => recv.take(1), { code: "PROTOCOL" });
  assert.deepEqual(recv.attach(40), word(11, 11, true));
});

test("recv: the application confirms what it was given, and no more", () => {
  const recv = new ContinuedRecv("explicit", 5);
  assert.deepEqual(recv.attach(10), word(5));
  recv.take(10);
  assert.deepEqual([recv.confirmed, recv.starved, recv.tell()], [5, true, undefined]);
  for (const wrong of [4, 16, 6.5, NaN, -1]) {
    assert.throws(() => recv.confirm(wrong), { code: "CONFIG" });
  }
  recv.confirm(6);
  assert.deepEqual([recv.starved, recv.tell()], [false, { offset: 6, ended: false }]);
  assert.deepEqual(recv.attach(10), word(15, 6));
  recv.end();
  assert.deepEqual([recv.atEnd, recv.ended], [true, false]);
  recv.confirm(15);
  assert.deepEqual([recv.ended, recv.tell()], [true, { offset: 15, ended: true }]);
});

test("recv: the sender is told what lasts, whatever was confirmed since", () => {
  const recv = new ContinuedRecv("explicit");
  recv.attach(10);
  recv.take(9);
  const first = recv.note(4);
  recv.end();
  const second = recv.note(9);
  assert.deepEqual([recv.confirmed, recv.ended, recv.tell()], [9, true, undefined]);
  assert.deepEqual(recv.attach(10), word(9, 0));
  recv.last(first);
  assert.deepEqual(recv.tell(), { offset: 4, ended: false });
  recv.last(second);
  // It was stored with the other one.
  recv.last(first);
  assert.deepEqual(recv.tell(), { offset: 9, ended: true });
});

test("recv: an end that an earlier process confirmed stays", () => {
  const recv = new ContinuedRecv("explicit", 5, true);
  assert.deepEqual([recv.atEnd, recv.attach(1)], [true, word(5, 5, true)]);
});

/** A direction of one stream: what each process has, what lasts, and a line with bytes on their way. */
class World {
  readonly content: Uint8Array;
  /** What the receiving application made safe, and what its process has besides. */
  readonly safe: number[] = [];
  process: number[] = [];
  /** Bytes that sessions were given, ever. */
  carried = 0;
  readonly #prng: Prng;
  readonly #mode: ConfirmMode;
  #send: ContinuedSend;
  #recv: ContinuedRecv;
  #line: (Uint8Array | "end")[] = [];
  #words: { offset: number; ended: boolean }[] = [];
  #stored = { offset: 0, ended: false };
  #attached = false;
  /** The receiver's, on its way to the sender. */
  #word: ReceivedWord | undefined;

  constructor(seed: number, mode: ConfirmMode) {
    this.#prng = new Prng(seed);
    this.#mode = mode;
    this.content = Uint8Array.from({ length: this.#prng.integer(0, 3000) }, (_, i) => i % 251);
    this.#send = new ContinuedSend(200);
    this.#recv = new ContinuedRecv(mode);
  }

  get done(): boolean {
    return this.#send.finished && this.#recv.ended;
  }

  /** One step of anybody; cuts and crashes while `rough`. */
  step(rough: boolean): void {
    const dice = this.#prng.integer(0, 99);
    if (!this.#attached) return this.#attach(dice);
    if (rough && dice < 6) return this.#cut();
    if (rough && dice < 9) return this.#crashSender();
    if (rough && dice < 12 && this.#mode === "explicit") return this.#crashReceiver();
    if (dice < 40) return this.#write();
    if (dice < 60) return this.#carry();
    if (dice < 80) return this.#read();
    if (dice < 90) return this.#confirm();
    this.#hear();
  }

  /** What the receiver confirms meanwhile may overtake its word. */
  #attach(dice: number): void {
    if (this.#word === undefined) this.#word = this.#recv.attach(200);
    else if (dice < 20) this.#confirm();
    else if (dice < 50) this.#hear();
    else {
      this.#send.attach(this.#word);
      this.#word = undefined;
      this.#attached = true;
    }
  }

  #hear(): void {
    const told = this.#words.shift();
    if (told !== undefined) this.#send.confirm(told.offset, told.ended);
  }

  #cut(): void {
    this.#attached = false;
    this.#word = undefined;
    this.#send.detach();
    this.#line = [];
    this.#words = [];
  }

  #crashSender(): void {
    this.#cut();
    this.#send = new ContinuedSend(200, true);
  }

  #crashReceiver(): void {
    this.#cut();
    this.#recv = new ContinuedRecv("explicit", this.#stored.offset, this.#stored.ended);
    this.process = [];
    this.safe.length = this.#stored.offset;
  }

  #write(): void {
    if (this.#send.full || this.#send.ended) return;
    const from = this.#send.written;
    const to = Math.min(this.content.length, from + this.#prng.integer(1, 90));
    if (from < to) this.#send.write(this.content.slice(from, to));
    else if (!this.#send.finished) this.#send.finish();
  }

  #carry(): void {
    const item = this.#send.take(this.#prng.integer(1, 70));
    if (item === undefined) return;
    this.#line.push(item);
    if (item !== "end") this.carried += item.length;
  }

  #read(): void {
    const item = this.#line.shift();
    if (item === "end") this.#recv.end();
    else if (item !== undefined) {
      this.#recv.take(item.length);
      this.process.push(...item);
    }
    if (this.#mode === "read") this.#tell();
  }

  #confirm(): void {
    if (this.#mode === "read") return;
    // First the bytes are safe, then the confirmation, then the sender hears of it; a crash may come between.
    const offset = this.#prng.integer(this.#recv.confirmed, this.#recv.received);
    this.safe.push(...this.process.splice(0, offset - this.safe.length));
    this.#recv.confirm(offset);
    this.#stored = { offset, ended: this.#recv.ended };
    this.#tell();
  }

  #tell(): void {
    const told = this.#recv.tell();
    if (told !== undefined) this.#words.push(told);
  }

  get delivered(): Uint8Array {
    return Uint8Array.from([...this.safe, ...this.process]);
  }
}

for (const mode of ["read", "explicit"] as const) {
  test(`random cuts and crashes (${mode}): nothing is lost, nothing doubled`, () => {
    for (let seed = 1; seed <= 300; seed++) {
      const world = new World(seed, mode);
      for (let step = 0; step < 2000 && !world.done; step++) world.step(true);
      for (let step = 0; step < 20_000 && !world.done; step++) world.step(false);
      assert.equal(world.done, true, `seed ${seed} comes to an end`);
      assert.deepEqual(world.delivered, world.content, `seed ${seed}`);
    }
  });
}
