import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { StreamSet } from "./stream_set.ts";
import { StreamChunk } from "./types.ts";

const LIMITS = { maxData: 4000, maxStreamData: 2000, maxStreams: 4 };

type Act = (set: StreamSet) => void;

const id = fc.constantFrom(1, 1, 3, 3, 5, 5, 7, 7, 1, 3, 5, 7, 2, 4);
const offset = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 2100 }));
/** Mostly one kind per stream: two of them on one end the run at once. */
const KINDS = [5, 0, 4, 2, 5];

const wire: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(
      id,
      fc.constantFrom(0, 0, 0, 8, 8, 8, 4),
      fc.constantFrom(0, ...Array(60).fill(0), 1),
      offset,
      fc.uint8Array({ maxLength: 40, max: 20 }),
    ).map(([id, flags, other, offset, data]): Act => (set) =>
      set.onData(id, flags, KINDS[(id >>> 1) + other] ?? 6, offset, data, 0)
    ),
  },
  fc.tuple(id, offset).map(([id, size]): Act => (set) => set.onReset(id, 7, size, 0)),
  id.map((id): Act => (set) => set.onStop(id, 8)),
  fc.tuple(id, offset).map(([id, limit]): Act => (set) => set.onFlowCredit(id, limit)),
  fc.tuple(fc.constantFrom(7, 7, 7, 7, 7, 7, 1), offset, fc.integer({ min: 0, max: 50 })).map(
    ([id, offset, length]): Act => (set) => set.onGap(id, offset, length),
  ),
  id.map((id): Act => (set) => set.onBlocked(id, 0)),
);

const own: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom(0, 2, 4, 5).map((kind): Act => (set) => void set.open(kind)),
  id.map((id): Act => (set) => void read(set, id)),
  id.map((id): Act => (set) => set.stop(id, 1)),
  id.map((id): Act => (set) => set.reset(id, 1)),
  id.map((id): Act => (set) => set.finish(id)),
  id.map((id): Act => (set) => void set.write(id, new Uint8Array(700))),
  id.map((id): Act => (set) => void set.writeMessage(id, new Uint8Array(300))),
  fc.constant<Act>(transmit),
  fc.constant<Act>((set) => {
    for (let event = set.nextEvent(); event !== undefined; event = set.nextEvent()) {
      assert.ok(event.type !== "opened" || set.has(event.id));
    }
  }),
);

function read(set: StreamSet, id: number): unknown {
  const kind = set.kindOf(id);
  if (kind === 4 || kind === 5) return set.readMessage(id);
  return kind === 2 || kind === 6 ? set.readSegment(id) : set.read(id);
}

function transmit(set: StreamSet): void {
  const chunk = new StreamChunk();
  for (let count = 0; set.hasControl(); count++) {
    assert.ok(count < 100, "records come to an end");
    assert.notEqual(set.nextControl(64, 0), undefined);
  }
  for (let count = 0; set.nextData(300, chunk); count++) {
    assert.ok(count < 100, "data comes to an end");
  }
  assert.equal(set.hasData(), false);
}

/** Own mistakes are refused with codes that are not sent. */
const COMMAND_CODES = new Set(["STREAM_CLOSED", "STREAM_RESET", "STREAM_STOPPED", "CONFIG"]);

test("whatever the peer sends, the answer is an error of the protocol and bounded memory", () => {
  const acts = fc.array(
    fc.oneof({ weight: 3, arbitrary: wire.map((act) => ({ act, remote: true })) }, {
      weight: 2,
      arbitrary: own.map((act) => ({ act, remote: false })),
    }),
    { maxLength: 120 },
  );
  fc.assert(
    fc.property(acts, (steps) => {
      const set = new StreamSet({
        role: "responder",
        reliable: true,
        local: LIMITS,
        maxMessageSize: 500,
        maxSessionWindow: 0,
        maxStreamWindow: 0,
      });
      set.setPeerLimits(LIMITS);
      for (const { act, remote } of steps) {
        try {
          act(set);
        } catch (error) {
          assert.ok(error instanceof SttError, String(error));
          if (remote) {
            assert.ok(error.wire !== null && error.code !== "INTERNAL", error.message);
            set.destroy(error);
            assert.equal(set.isIdle(), true);
            return;
          }
          const expected = COMMAND_CODES.has(error.code) || error.code === "BUFFER_EXCEEDED";
          assert.ok(expected, error.message);
        }
        const stats = set.stats();
        assert.ok(stats.recvBuffered >= 0 && stats.sendBuffered >= 0);
        assert.ok(stats.recvBuffered <= 4000 + 4 * 2000, `${stats.recvBuffered} held`);
      }
    }),
    { numRuns: 1500 },
  );
});
