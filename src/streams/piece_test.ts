import assert from "node:assert/strict";
import { test } from "node:test";
import { PieceBudget, PieceMap } from "./piece.ts";

test("neighbouring gaps are one piece, in whatever order they come", () => {
  const map = new PieceMap(new PieceBudget(100));
  for (const start of [50_000, 40_000, 10_000, 0, 20_000, 30_000]) {
    map.insert(start, 10_000, undefined);
  }
  assert.equal(map.pieces.length, 1);
  map.insert(60_000, 5, new Uint8Array(5));
  map.insert(60_005, 100, undefined);
  assert.deepEqual(map.pieces.map((piece) => [piece.start, piece.end]), [
    [0, 60_000],
    [60_000, 60_005],
    [60_005, 60_105],
  ]);
  assert.equal(map.takeGap(0), 60_000);
  assert.equal(map.bufferedBytes, 5);
});
