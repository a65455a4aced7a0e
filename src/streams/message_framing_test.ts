import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeVarint } from "../codec/varint.ts";
import { LengthPrefix, MessageScanner } from "./message_framing.ts";

test("messages are counted however the bytes are cut", () => {
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 20 }),
    fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 }),
    (sizes, cuts) => {
      const bytes: number[] = [];
      for (const size of sizes) bytes.push(...encodeVarint(size), ...new Uint8Array(size));
      const scanner = new MessageScanner(300);
      let cut = 0;
      for (let at = 0; at < bytes.length;) {
        const length = cuts[cut++ % cuts.length]!;
        scanner.scan(Uint8Array.from(bytes.slice(at, at + length)));
        at += length;
      }
      assert.equal(scanner.complete, sizes.length);
      assert.equal(scanner.inside, false);
      assert.equal(scanner.tooLarge, undefined);
    },
  ));
});

test("the end inside a prefix or a body is inside a message", () => {
  const scanner = new MessageScanner(1000);
  scanner.scan(Uint8Array.of(0x80));
  assert.equal(scanner.inside, true);
  scanner.scan(Uint8Array.of(0x01));
  assert.equal(scanner.inside, true);
  scanner.scan(new Uint8Array(128));
  assert.equal(scanner.inside, false);
});

test("a message above the limit is told, and nothing behind it is looked at", () => {
  const scanner = new MessageScanner(10);
  scanner.scan(Uint8Array.of(10, ...new Uint8Array(10), 11, 0xff, 0xff, 0xff, 0xff));
  assert.equal(scanner.complete, 1);
  assert.equal(scanner.tooLarge, 11);
});

test("a length that is not minimal or not below 2^53 is refused", () => {
  const bad = [[0x80, 0x00], [0x81, 0x80, 0x00], Array(8).fill(0xff), [
    ...Array(7).fill(0xff),
    0x7f,
  ]];
  for (const bytes of bad) {
    const prefix = new LengthPrefix();
    assert.throws(() => {
      for (const byte of bytes) prefix.push(byte);
    }, { code: "PROTOCOL" });
  }
  const largest = encodeVarint(Number.MAX_SAFE_INTEGER);
  const prefix = new LengthPrefix();
  let value: number | undefined;
  for (const byte of largest) value = prefix.push(byte);
  assert.equal(value, Number.MAX_SAFE_INTEGER);
});
