import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TcpOrder } from "./tcp_order.ts";

test("segments in any order, doubled and overlapping, give the bytes of the connection", () => {
  const BYTES = Uint8Array.from({ length: 64 }, (_, index) => index);
  const piece = fc.tuple(fc.nat(63), fc.integer({ min: 1, max: 20 }));
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 60 }),
      // Also where sequences wrap around.
      fc.constantFrom(0, 1000, 0xffff_ffe0, 0x7fff_fff0),
      (pieces, base) => {
        const order = new TcpOrder();
        const out: number[] = [];
        const take = (bytes: Uint8Array): void => void out.push(...bytes);
        order.push(base, true, new Uint8Array(0), take);
        const here = new Set<number>();
        for (const [from, length] of pieces) {
          const payload = BYTES.subarray(from, from + length);
          for (const byte of payload) here.add(byte);
          order.push((base + 1 + from) >>> 0, false, payload, take);
          let whole = 0;
          while (here.has(whole)) whole++;
          assert.deepEqual(out, [...BYTES.subarray(0, whole)]);
        }
        assert.equal(order.broken, false);
      },
    ),
    { numRuns: 500 },
  );
});

test("what waits behind a gap does not make each further segment cost a look at all of it", () => {
  const order = new TcpOrder();
  let bytes = 0;
  const take = (part: Uint8Array): void => void (bytes += part.length);
  order.push(0, true, new Uint8Array(0), take);
  const one = new Uint8Array(1);
  const far = 1_500_000;
  for (let index = 0; index < 4000; index++) order.push(far + 2 * (4000 - index), false, one, take);
  // 60 times as long, were each compared with all that wait.
  for (let index = 0; index < far; index++) order.push(1 + index, false, one, take);
  assert.equal(bytes, far);
  for (let index = 0; index < 4000; index++) order.push(far + 1 + 2 * index, false, one, take);
  assert.equal(bytes, far + 8000);
});
