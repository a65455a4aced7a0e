import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SEGMENT_BYTES } from "./entropy.ts";
import { type Fate, joined, pattern, type Side } from "./stream_pipe_test.ts";

interface Plan {
  readonly kind: number;
  readonly sizes: readonly number[];
}

interface Link {
  readonly room: number;
  readonly fates: readonly Fate[];
  readonly reads: readonly boolean[];
}

const LARGEST_MESSAGE = 3002;
const LIMITS = { maxData: 3000, maxStreamData: 1000, maxStreams: 3 };

const plans = fc.array(
  fc.record({
    kind: fc.constantFrom(0, 2, 4, 5),
    sizes: fc.array(
      fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 3000 })),
      { maxLength: 6 },
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

function link(...fates: Fate[]): fc.Arbitrary<Link> {
  return fc.record({
    room: fc.integer({ min: 16, max: 600 }),
    fates: fc.array(fc.constantFrom<Fate>("pass", ...fates), { minLength: 20, maxLength: 60 }),
    reads: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
  });
}

/** What a stream of the plan should deliver: the bytes joined, or the messages. */
function content(plan: Plan): Uint8Array[] {
  return plan.sizes.map((size, index) => pattern(size, index));
}

class Reader {
  readonly parts: Map<number, Uint8Array[]> = new Map();
  readonly kinds: Map<number, number> = new Map();
  readonly ended: Set<number> = new Set();
  /** What the sender gave up: zeros stand for it in `parts`. */
  readonly gaps: { readonly id: number; readonly start: number; readonly end: number }[] = [];

  read(side: Side): void {
    for (const event of side.drain()) {
      if (event.type === "opened") {
        this.kinds.set(event.id, event.kind);
        this.parts.set(event.id, []);
      }
      assert.notEqual(event.type, "reset");
    }
    for (const [id, kind] of this.kinds) {
      while (side.set.has(id) && !this.ended.has(id)) {
        const item = kind === 0
          ? side.set.read(id, 333)
          : kind === 2
          ? side.set.readSegment(id)
          : side.set.readMessage(id);
        if (item === undefined) break;
        if (item === null) this.ended.add(id);
        else if (item instanceof Uint8Array) this.parts.get(id)!.push(item);
        else if (item.data !== undefined) this.parts.get(id)!.push(item.data);
        else {
          this.gaps.push({ id, start: item.offset, end: item.offset + item.gap });
          this.parts.get(id)!.push(new Uint8Array(item.gap));
        }
      }
      // Ours is ended when the peer's is, so that both go.
      if (side.set.info(id)?.sendState === "open" && this.ended.has(id)) side.set.finish(id);
    }
  }
}

function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function run(plan: readonly Plan[], how: Link, reliable: boolean, grow: boolean): void {
  const maxSessionWindow = grow ? 12_000 : LIMITS.maxData;
  const maxStreamWindow = grow ? 4000 : LIMITS.maxStreamData;
  const { a, b } = joined({
    local: LIMITS,
    reliable,
    maxSessionWindow,
    maxStreamWindow,
  });
  a.set.setRtt(10);
  b.set.setRtt(10);
  const waiting = [...plan];
  const opened: { id: number; plan: Plan }[] = [];
  const reader = new Reader();
  let fate = 0;
  let quiet = 0;
  for (let round = 0; quiet < 3; round++) {
    assert.ok(round < 5000, "comes to an end");
    while (waiting.length > 0) {
      const next = waiting[0]!;
      const id = a.set.open(next.kind, (round * 300) % 1001);
      if (id === undefined) break;
      waiting.shift();
      opened.push({ id, plan: next });
      for (const part of content(next)) {
        if (next.kind >= 4) a.set.writeMessage(id, part);
        else a.set.write(id, part);
      }
      a.set.finish(id);
    }
    // Faults end at some time, so that everything can arrive.
    const next = (): Fate => round > 300 ? "pass" : how.fates[fate++ % how.fates.length]!;
    const count = a.transmit(how.room, round, 20) + b.transmit(how.room, round, 20) +
      a.sent.length + b.sent.length;
    a.deliver(b, round, next);
    b.deliver(a, round, next);
    if (how.reads[round % how.reads.length]! || round > 300) reader.read(b);
    a.drain();
    const held = b.set.stats().recvBuffered;
    // Besides the window, what must be whole to be read: a message, or a segment.
    const unit = plan.some((one) => one.kind === 2) ? SEGMENT_BYTES : LARGEST_MESSAGE;
    assert.ok(held <= maxSessionWindow + unit * LIMITS.maxStreams, `${held} held`);
    quiet = count === 0 && waiting.length === 0 && round > 300 ? quiet + 1 : 0;
  }
  for (const { id, plan: one } of opened) {
    const parts = reader.parts.get(id) ?? [];
    if (one.kind === 5) {
      const key = (part: Uint8Array) => part.length + ":" + part.join();
      assert.deepEqual(parts.map(key).sort(), content(one).map(key).sort());
    } else if (one.kind === 4) assert.deepEqual(parts, content(one));
    else {
      const bytes = joinParts(content(one));
      for (const gap of reader.gaps) if (gap.id === id) bytes.fill(0, gap.start, gap.end);
      assert.deepEqual(joinParts(parts), bytes);
    }
  }
  if (reliable) assert.deepEqual(reader.gaps, []);
  for (const { id } of reader.gaps) assert.equal(reader.kinds.get(id), 2);
  const missing = reader.gaps.reduce((sum, gap) => sum + gap.end - gap.start, 0);
  assert.equal(b.set.stats().weighted.bytesMissing, missing);
  assert.ok(a.set.stats().weighted.bytesGivenUp >= missing, "some came before they were given up");
  assert.equal(a.set.isIdle(), true);
  assert.equal(a.set.stats().sendBuffered + b.set.stats().recvBuffered, 0);
  assert.equal(reader.ended.size, plan.length, "every end was seen");
  assert.equal(a.set.stats().open + b.set.stats().open, 0, "both forget every stream");
  assert.equal(a.set.stats().bytesSent, b.set.stats().bytesReceived);
}

test("a lossless link delivers everything once, in order, within all limits", () => {
  fc.assert(
    fc.property(plans, link(), fc.boolean(), (plan, how, grow) => run(plan, how, true, grow)),
    { numRuns: 60 },
  );
});

test("loss, reordering, duplicates and late packets change nothing", () => {
  const how = link("lost", "late", "delayed", "twice", "pass", "pass");
  fc.assert(
    fc.property(plans, how, fc.boolean(), (plan, one, grow) => run(plan, one, false, grow)),
    { numRuns: 150 },
  );
});

test("a stream of which a whole window was given up before its first byte came goes on", () => {
  const fates: Fate[] = ["pass", "pass", "lost", "pass", "lost", "pass", "lost", "pass", "lost"];
  fates.push("lost", "lost", "pass", "pass", "pass", "pass", "pass", "pass", "pass", "lost");
  fates.push("pass", "pass", "pass");
  const plan = [
    { kind: 0, sizes: [502] },
    { kind: 0, sizes: [252] },
    { kind: 5, sizes: [999, 0] },
    { kind: 2, sizes: [970, 31] },
    { kind: 0, sizes: [] },
  ];
  const reads = [true, false, false, false, true];
  run(plan, { room: 253, fates, reads }, false, false);
});
