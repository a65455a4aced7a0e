import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../testing/prng.ts";
import { SEGMENT_BYTES, transmissions } from "./entropy.ts";
import { joined, pattern, settle, type Side } from "./stream_pipe_test.ts";
import { StreamChunk } from "./types.ts";

const LARGE = { maxData: 16_777_216, maxStreamData: 8_388_608, maxStreams: 8 };
const ROOM = 1150;
/** What a frame of this room holds at an offset below 2^21. */
const FRAME_BYTES = ROOM - 10;

/** Sends and loses, in both directions with this probability, until both sides are idle. */
function exchange(a: Side, b: Side, loss: number, prng: Prng, look: () => void): void {
  const fate = () => prng.chance(loss) ? "lost" as const : "pass" as const;
  for (let round = 0; !a.set.isIdle() || !b.set.isIdle(); round++) {
    assert.ok(round < 10_000, "comes to an end");
    a.transmit(ROOM, round, 64);
    b.transmit(ROOM, round, 64);
    look();
    a.deliver(b, round, fate);
    b.deliver(a, round, fate);
  }
  look();
}

/** Reads a weighted stream; every byte must be the one sent in its place, and nothing may be left out. */
class Reader {
  whole = 0;
  missing = 0;
  ended = false;
  offset = 0;
  readonly #side: Side;
  readonly #id: number;
  readonly #sent: Uint8Array;

  constructor(side: Side, id: number, sent: Uint8Array) {
    this.#side = side;
    this.#id = id;
    this.#sent = sent;
  }

  read(): void {
    while (!this.ended && this.#side.set.kindOf(this.#id) !== undefined) {
      const item = this.#side.set.readSegment(this.#id);
      if (item === undefined) return;
      if (item === null) this.ended = true;
      else if (item.gap !== undefined) this.#gap(item.offset, item.gap);
      else this.#data(item.offset, item.data);
    }
  }

  #gap(offset: number, length: number): void {
    assert.equal(offset, this.offset);
    assert.ok(length > 0);
    this.missing += length;
    this.offset += length;
  }

  #data(offset: number, data: Uint8Array): void {
    assert.equal(offset, this.offset);
    assert.deepEqual(data, this.#sent.slice(offset, offset + data.length));
    assert.ok(offset % SEGMENT_BYTES + data.length <= SEGMENT_BYTES, "of one segment");
    if (data.length === SEGMENT_BYTES) this.whole++;
    this.offset += data.length;
  }
}

/** Target, and how many equally likely values make bytes of an entropy that leads to it. */
const CLASSES: readonly (readonly [target: number, values: number])[] = [
  [0.99, 256],
  [0.95, 100],
  [0.90, 45],
  [0.80, 8],
  [0.70, 1],
];

/** Sends over a link that loses one frame in five; returns the share of the segments that came whole. */
function share(values: number, own: number | undefined, target: number, seed: number): number {
  const loss = 0.2;
  const segments = 100;
  const prng = new Prng(seed);
  const sent = Uint8Array.from(
    { length: segments * SEGMENT_BYTES },
    () => prng.integer(0, values - 1),
  );
  const { a, b } = joined({ local: LARGE, reliable: false });
  a.set.followLoss(() => loss);
  const id = a.set.open(2) ?? assert.fail();
  a.set.setTarget(id, own);
  a.set.write(id, sent.slice());
  a.set.finish(id);
  const times = new Uint8Array(sent.length);
  const reader = new Reader(b, id, sent);
  exchange(a, b, loss, prng, () => {
    for (const { chunk } of a.sent) {
      for (let at = 0; at < (chunk?.length ?? 0); at++) times[chunk!.offset + at]!++;
    }
    reader.read();
  });
  assert.equal(reader.ended, true);
  assert.equal(reader.offset, sent.length);
  const stats = a.set.stats().weighted;
  const { givenUp } = stats;
  assert.ok(segments - reader.whole <= givenUp);
  assert.deepEqual(
    stats.classes.filter((one) => one.segments > 0),
    [{ target: own === undefined ? target : "own", segments, givenUp }],
  );
  assert.equal(b.set.stats().weighted.bytesMissing, reader.missing);
  assert.ok(stats.bytesGivenUp >= reader.missing);
  const n = transmissions(target, Math.ceil(SEGMENT_BYTES / FRAME_BYTES), loss);
  assert.ok(times.every((count) => count <= n), `nothing is sent more than ${n} times`);
  return 1 - givenUp / segments;
}

test("segments arrive as often as their entropy asks for", () => {
  for (const [target, values] of CLASSES) {
    const seeds = 4;
    let whole = 0;
    for (let seed = 1; seed <= seeds; seed++) whole += share(values, undefined, target, seed);
    whole /= seeds;
    const packets = Math.ceil(SEGMENT_BYTES / FRAME_BYTES);
    const n = transmissions(target, packets, 0.2);
    const expected = (1 - 0.2 ** n) ** packets;
    assert.ok(expected >= target);
    // Four standard deviations of 400 segments.
    const off = 4 * Math.sqrt(expected * (1 - expected) / 400);
    assert.ok(Math.abs(whole - expected) <= off, `${target}: ${whole}, expected ${expected}`);
  }
});

test("an own target stands in for the entropy", () => {
  const share1 = share(256, 0.5, 0.5, 7);
  assert.ok(share1 > 0.3 && share1 < 0.95, `${share1}`);
  assert.equal(share(1, 0.9999, 0.9999, 8), 1);
  assert.ok(share(256, 0, 0, 9) < 0.15, "with one transmission none of 15 frames may be lost");
});

test("the end and gaps arrive whatever is lost, for streams of any length", () => {
  for (let seed = 1; seed <= 60; seed++) {
    const prng = new Prng(seed);
    const length = prng.chance(0.2)
      ? prng.integer(1, 4) * SEGMENT_BYTES
      : prng.integer(0, 4 * SEGMENT_BYTES);
    const sent = pattern(length, seed);
    const local = { maxData: 60_000, maxStreamData: 20_000, maxStreams: 4 };
    const { a, b } = joined({ local, reliable: false });
    a.set.followLoss(() => 0);
    const id = a.set.open(2) ?? assert.fail();
    let written = 0;
    const reader = new Reader(b, id, sent);
    exchange(a, b, 0.4, prng, () => {
      reader.read();
      // Segments grow while parts of them are under way, or given up.
      for (let turn = 0; turn < 3 && written <= length; turn++) {
        const stop = Math.min(length, written + prng.integer(1, 9000));
        a.set.write(id, sent.slice(written, stop));
        written = stop;
        if (written < length) continue;
        a.set.finish(id);
        written = Infinity;
      }
    });
    assert.deepEqual([reader.offset, reader.ended], [length, true], `seed ${seed}`);
    assert.equal(a.set.info(id)?.sendState, "finished");
    assert.equal(a.set.stats().sendBuffered, 0);
    assert.equal(a.set.stats().weighted.segments, Math.ceil(length / SEGMENT_BYTES));
    assert.equal(a.set.stats().bytesSent, b.set.stats().bytesReceived);
    b.set.finish(id);
    settle(a, b);
    exchange(a, b, 0, prng, () => undefined);
    a.drain();
    b.drain();
    assert.equal(
      a.set.stats().open + b.set.stats().open,
      0,
      `seed ${seed}: both forget the stream`,
    );
  }
});

/** Frames of a stream as they go out, without a peer. */
function frames(side: Side): StreamChunk[] {
  const all: StreamChunk[] = [];
  for (let chunk = new StreamChunk(); side.set.nextData(ROOM, chunk); chunk = new StreamChunk()) {
    all.push(chunk);
  }
  return all;
}

function sender(bytes: number, maxStreamData = 1e6) {
  const { a } = joined({ local: { ...LARGE, maxStreamData }, reliable: false });
  const id = a.set.open(2) ?? assert.fail();
  a.set.write(id, new Uint8Array(bytes));
  return { set: a.set, side: a, id };
}

test("a frame holds bytes of one segment, and says where one starts", () => {
  const { side } = sender(40_000);
  const starts: number[] = [];
  for (const { offset, length, flags } of frames(side)) {
    assert.equal(
      Math.floor(offset / SEGMENT_BYTES),
      Math.floor((offset + length - 1) / SEGMENT_BYTES),
    );
    if ((flags & 0x08) !== 0) starts.push(offset);
  }
  assert.deepEqual(starts, [0, 16_384, 32_768]);
});

test("what is given up is not sent any more, also what never was", () => {
  const { set, side, id } = sender(50_000, 20_000);
  const sent = frames(side);
  assert.equal(set.info(id)?.sent, 20_000);
  // The second segment is under way up to the credit; the loss of its first frame is worth no repeat.
  const second = sent.find((chunk) => chunk.offset === SEGMENT_BYTES) ?? assert.fail();
  set.onLost(second.ref());
  assert.equal(set.hasData(), false);
  set.onFlowCredit(id, 30_000);
  assert.deepEqual(
    set.nextControl(100, 0),
    { type: "streamGap", stream: id, offset: SEGMENT_BYTES, length: 20_000 - SEGMENT_BYTES },
    "no further than credit reaches",
  );
  assert.deepEqual(frames(side).map(({ offset }) => offset)[0], 20_000);
  assert.equal(set.info(id)?.sent, 30_000);
  set.onFlowCredit(id, 45_000);
  const third = frames(side).find(({ offset }) => offset === 2 * SEGMENT_BYTES) ?? assert.fail();
  set.onFlowCredit(id, 60_000);
  set.onLost(third.ref());
  assert.deepEqual(set.nextControl(100, 0), {
    type: "streamGap",
    stream: id,
    offset: 2 * SEGMENT_BYTES,
    length: SEGMENT_BYTES,
  });
  assert.equal(frames(side)[0]?.offset, 3 * SEGMENT_BYTES, "of the third nothing else goes out");
});

test("a probe repeats no bytes, but an end and an announcement", () => {
  const { a } = joined({ local: LARGE, reliable: false });
  const id = a.set.open(2) ?? assert.fail();
  const [announcement] = frames(a);
  a.set.onProbe(announcement!.ref());
  assert.equal(a.set.hasData(), false);
  a.set.onLost(announcement!.ref());
  assert.equal(frames(a).length, 1, "a lost announcement goes again");
  a.set.write(id, new Uint8Array(500));
  const [data] = frames(a);
  a.set.onProbe(data!.ref());
  assert.equal(a.set.hasData(), false);
  assert.equal(a.set.stats().weighted.givenUp, 0);
  a.set.finish(id);
  const [end] = frames(a);
  a.set.onProbe(end!.ref());
  assert.deepEqual(frames(a).map(({ offset, length, fin }) => [offset, length, fin]), [
    [500, 0, true],
  ]);
  a.set.onLost(data!.ref());
  assert.equal(a.set.nextControl(100, 0)?.type, "streamGap", "one loss, not two");
});

test("a loss that was none takes nothing back, and later reports change nothing", () => {
  const { set, side, id } = sender(SEGMENT_BYTES);
  set.setTarget(id, 0.99);
  const [first, ...rest] = frames(side);
  set.onLost(first!.ref());
  const [again] = frames(side);
  assert.deepEqual(again!.ref(), first!.ref(), "0.99 at 0.1 % is worth two transmissions");
  set.onAcked(first!.ref());
  set.onLost(again!.ref());
  assert.equal(set.nextControl(100, 0), undefined);
  for (const chunk of rest) set.onAcked(chunk.ref());
  assert.equal(set.bufferedBytes(id), 0);
  const { segments, givenUp, transmissions: frameCount, retransmissions } = set.info(id)!.weighted!;
  assert.deepEqual([segments, givenUp, frameCount, retransmissions], [1, 0, rest.length + 2, 1]);
});

test("reset and stop end a weighted stream with gaps under way", () => {
  for (const how of ["reset", "stop"] as const) {
    for (let seed = 1; seed <= 20; seed++) {
      const { a, b } = joined({ local: LARGE, reliable: false });
      const id = a.set.open(2) ?? assert.fail();
      a.set.write(id, new Uint8Array(10 * SEGMENT_BYTES));
      let round = 0;
      exchange(a, b, 0.3, new Prng(seed), () => {
        if (round++ !== 2) return;
        if (how === "reset") a.set.reset(id, 0x155);
        else b.set.stop(id, 0x155);
      });
      const side = how === "reset" ? b : a;
      const other = how === "reset" ? "reset" : "stopped";
      assert.ok(side.drain().some((event) => event.type === other && event.code === 0x155));
      assert.equal(a.set.info(id)?.sendState, "reset");
      assert.equal(b.set.stats().recvBuffered, 0);
      assert.equal(a.set.stats().bytesSent, b.set.stats().bytesReceived);
    }
  }
});

test("on a reliable transport everything arrives and is counted", () => {
  const { a, b } = joined({ local: LARGE });
  const sent = pattern(3 * SEGMENT_BYTES + 10);
  const id = a.set.open(2) ?? assert.fail();
  a.set.write(id, sent);
  a.set.finish(id);
  settle(a, b);
  const reader = new Reader(b, id, sent);
  reader.read();
  assert.deepEqual([reader.whole, reader.missing, reader.ended], [3, 0, true]);
  const { segments, givenUp, retransmissions } = a.set.stats().weighted;
  assert.deepEqual([segments, givenUp, retransmissions], [4, 0, 0]);
});

test("targets are checked", () => {
  const { set, id } = sender(0);
  for (const target of [-0.1, 1.1, NaN]) {
    assert.throws(() => set.setTarget(id, target), { code: "CONFIG" });
  }
  for (const target of [0, 1, undefined]) set.setTarget(id, target);
});
