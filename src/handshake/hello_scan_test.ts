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

test("other messages, HELLOs cut before the end of the nonce and long frames have none", () => {
  const retry = encodeRetry(provider, seed(1).retryKey, NONCE, { code: 4 });
  assert.deepEqual(helloNonces(retry), []);
  const type = HELLO.findIndex((_, at) =>
    new TextDecoder().decode(HELLO.subarray(at, at + 5)) === "HELLO"
  );
  assert.ok(type > 0);
  for (let length = 0; length < type + 5; length++) {
    assert.deepEqual(helloNonces(HELLO.subarray(0, length)), []);
  }
  const turned = Uint8Array.from([
    ...encodeValue({ type: "HELLO" }),
    ...encodeValue({ nonce: NONCE }),
  ]);
  assert.deepEqual(helloNonces(turned), [NONCE]);
  for (let length = 0; length < turned.length; length++) {
    assert.deepEqual(helloNonces(turned.subarray(0, length)), []);
  }
  const padded = (length: number) => Uint8Array.from({ length }, (_, at) => turned[at] ?? 0);
  assert.deepEqual(helloNonces(padded(4100)), [NONCE]);
  assert.deepEqual(helloNonces(padded(4101)), []);
});
