import assert from "node:assert/strict";
import { test } from "node:test";
import { sameToken } from "./same_token.ts";

test("tokens are the same when every bit is", () => {
  const token = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 255]);
  assert.equal(sameToken(token, token.slice()), true);
  for (let bit = 0; bit < 64; bit++) {
    const other = token.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    assert.equal(sameToken(token, other), false, `bit ${bit}`);
  }
});

test("bytes of another length are no token", () => {
  for (const length of [0, 7, 9]) {
    assert.equal(sameToken(new Uint8Array(length), new Uint8Array(length)), false);
    assert.equal(sameToken(new Uint8Array(8), new Uint8Array(length)), false);
  }
});
