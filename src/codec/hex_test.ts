import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { fromHex, toHex } from "./hex.ts";

test("hex: every byte string comes back, from either case", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    const text = toHex(bytes);
    assert.match(text, /^([0-9a-f]{2})*$/);
    assert.deepEqual(fromHex(text), new Uint8Array(bytes));
    assert.deepEqual(fromHex(text.toUpperCase()), new Uint8Array(bytes));
  }));
});

test("hex: anything else is refused without repeating it", () => {
  const wrong: [string, number | undefined][] = [
    ["5ec", undefined],
    ["5ecre7", 3],
    ["0x", 1],
    [" 0", 0],
    ["0\n", 1],
    ["@`", 0],
    ["g0", 0],
    ["G0", 0],
    ["\u0130\u0130", 0],
  ];
  for (const [text, offset] of wrong) {
    assert.throws(
      () => fromHex(text),
      (error) =>
        error instanceof SttError && error.code === "HEX" && error.offset === offset &&
        !error.message.includes("5ec"),
      JSON.stringify(text),
    );
  }
});
