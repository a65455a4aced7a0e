import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isShortText, shortText, writeShortText } from "./short_text.ts";

test("short texts read and write as the runtime's coder does, or are left to it", () => {
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 40 }),
    fc.string({ unit: "binary-ascii", maxLength: 40 }),
  );
  fc.assert(fc.property(text, fc.nat(3), (value, before) => {
    const bytes = new TextEncoder().encode(value);
    const taken = isShortText(value);
    assert.equal(taken, bytes.length === value.length && bytes.length <= 32);
    const padded = new Uint8Array(before + bytes.length + 1);
    padded.set(bytes, before);
    const end = before + bytes.length;
    assert.equal(shortText(padded, before, end), taken ? value : undefined);
    if (!taken) return;
    const written = new Uint8Array(padded.length);
    writeShortText(written, before, value);
    assert.deepEqual(written, padded);
  }));
});
