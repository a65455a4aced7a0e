import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeValue } from "../codec/values.ts";
import { dial, fieldsIn, provider, seed, sent, withFields } from "./fixture_test.ts";
import { helloNonces } from "./hello_scan.ts";
import { encodeRetry } from "./retry.ts";

const HELLO = sent(dial(), 0);
const NONCE = fieldsIn(HELLO).get("nonce") as Uint8Array;

test("the nonce of a HELLO is found, whatever else is in it and wherever it is cut behind it", () => {
  assert.deepEqual(helloNonces(HELLO), [NONCE]);
  const cookie = new Uint8Array(256).fill(0x31);
  assert.deepEqual(helloNonces(withFields(HELLO, { cookie, zeta: [1, 2], alpha: "n" })), [NONCE]);
});

test("entries that hide in other fields do not hide the nonce", () => {
  const other = new Uint8Array(32).fill(9);
  const entry = encodeValue({ nonce: other }).subarray(5);
  const found = helloNonces(withFields(HELLO, { cookie: entry, zeta: entry }));
  assert.deepEqual(found, [other, NONCE, other]);
});

test("other messages and HELLOs cut before their type have none", () => {
  const retry = encodeRetry(provider, seed(1).retryKey, NONCE, { code: 4 });
  assert.deepEqual(helloNonces(retry), []);
  const type = HELLO.findIndex((_, at) =>
    new TextDecoder().decode(HELLO.subarray(at, at + 5)) === "HELLO"
  );
  assert.ok(type > 0);
  for (let length = 0; length < type + 5; length++) {
    assert.deepEqual(helloNonces(HELLO.subarray(0, length)), []);
  }
});

const TYPE = encodeValue({ type: "HELLO" }).subarray(5);
const ENTRY = encodeValue({ nonce: NONCE }).subarray(5);

test("the two entries are looked for by all of their bytes, from the first byte of the frame to its last", () => {
  for (const [first, second] of [[TYPE, ENTRY], [ENTRY, TYPE]] as const) {
    const frame = Uint8Array.from([...first, ...second]);
    assert.deepEqual(helloNonces(frame), [NONCE]);
    for (let length = 0; length < frame.length; length++) {
      assert.deepEqual(helloNonces(frame.subarray(0, length)), []);
    }
    const nonceAt = frame.findIndex((_, at) => NONCE.every((byte, i) => frame[at + i] === byte));
    for (let at = 0; at < frame.length; at++) {
      if (at >= nonceAt && at < nonceAt + NONCE.length) continue;
      const flipped = frame.slice();
      flipped[at]! ^= 1;
      assert.deepEqual(helloNonces(flipped), [], `byte ${at}`);
    }
  }
  assert.deepEqual(helloNonces(Uint8Array.from([...TYPE, ...ENTRY, ...ENTRY])), [NONCE, NONCE]);
});

test("frames above 4100 bytes have none", () => {
  const padded = (length: number) =>
    Uint8Array.from({ length }, (_, at) => [...TYPE, ...ENTRY][at] ?? 0);
  assert.deepEqual(helloNonces(padded(4100)), [NONCE]);
  assert.deepEqual(helloNonces(padded(4101)), []);
});
