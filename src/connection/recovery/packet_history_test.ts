import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { packetFor } from "./packet_for_test.ts";
import { PacketHistory } from "./packet_history.ts";

test("packets are found by sequence or the next above", () => {
  const history = new PacketHistory();
  for (const sequence of [3, 4, 9]) history.add(packetFor(sequence, 0));
  assert.equal(history.size, 3);
  assert.equal(history.span, 7);
  assert.equal(history.from(0)?.sequence, 3);
  assert.equal(history.from(4)?.sequence, 4);
  assert.equal(history.from(5)?.sequence, 9);
  assert.equal(history.from(10), undefined);
});

test("behaves like a sorted list whatever is added and removed", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.integer({ min: 1, max: 5 }), fc.nat(100), fc.integer({ min: 0, max: 2 })),
        {
          maxLength: 600,
        },
      ),
      (steps) => {
        const history = new PacketHistory();
        let expected: number[] = [];
        let next = 0;
        for (const [gap, pick, removals] of steps) {
          next += gap === 5 ? 90 : gap > 2 ? 1 : gap;
          history.add(packetFor(next, 0));
          expected.push(next);
          for (let count = 0; count < removals && expected.length > 0; count++) {
            const from = expected[0]! + Math.floor((next - expected[0]! + 1) * pick / 100);
            const found = history.from(from);
            assert.equal(found?.sequence, expected.find((sequence) => sequence >= from));
            if (found === undefined) continue;
            history.remove(found);
            expected = expected.filter((sequence) => sequence !== found.sequence);
          }
          assert.equal(history.size, expected.length);
          assert.equal(history.span, expected.length === 0 ? 0 : next + 1 - expected[0]!);
        }
        const left: number[] = [];
        for (let p = history.from(0); p !== undefined; p = history.from(p.sequence + 1)) {
          left.push(p.sequence);
        }
        assert.deepEqual(left, expected);
      },
    ),
    { numRuns: 200 },
  );
});

test("an old packet that stays does not make every ACK walk over all that are gone", () => {
  const history = new PacketHistory();
  const count = 200_000;
  history.add(packetFor(0, 0));
  for (let sequence = 1; sequence <= count; sequence++) {
    const packet = packetFor(sequence, 0);
    history.add(packet);
    history.remove(packet);
    // Without shortened paths this is 2 * 10^10 steps and does not end in the time of a test.
    assert.equal(history.from(1), undefined);
  }
  assert.equal(history.span, count + 1);
});
