import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../codec/frame.ts";
import { fromHex, toHex } from "../codec/hex.ts";
import { decodeValue, type SttValue } from "../codec/values.ts";
import {
  dial,
  fieldsIn,
  readVectors,
  sent,
  type Typed,
  untypedDict,
  withFields,
} from "./fixture_test.ts";
import { encodeHandshakeFrame } from "./handshake_frame.ts";
import { decodeMessage, encodeMessage, messageValue } from "./messages.ts";
import { decodeReferenceMessage, encodeReferenceMessage } from "./reference_messages.ts";

interface ReferenceCase {
  [message: string]: { fields: Record<string, Typed>; hex: string } | string;
}

const reference = readVectors<{ cases: ReferenceCase[] }>("reference/handshake_messages.json");

function reasonFor(frame: Uint8Array): string {
  const message = decodeMessage(frame);
  return message.type === "refused" ? message.reason : message.type;
}

function hello(): Uint8Array {
  return sent(dial(), 0);
}

test("the reference's messages round trip byte for byte", () => {
  for (const entry of reference.cases) {
    for (const name of ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]) {
      const message = entry[name];
      assert.ok(typeof message === "object");
      const fields = untypedDict(message.fields);
      assert.equal(toHex(encodeReferenceMessage(fields)), message.hex);
      const decoded = decodeReferenceMessage(fromHex(message.hex));
      assert.deepEqual(new Map([...decoded].sort()), new Map([...fields].sort()));
    }
  }
});

test("the reference codec refuses what the reference has no message for", () => {
  const codes: [SttValue, string][] = [
    [new Map([["type", "RETRY"]]), "HANDSHAKE_MESSAGE"],
    [new Map([["type", "FINAL"]]), "HANDSHAKE_MESSAGE"],
  ];
  const bytes = (length: number): Uint8Array => new Uint8Array(length);
  const response = (lengths: [string, number]): SttValue =>
    new Map<string, SttValue>([
      ["type", "RESPONSE"],
      ["node_id", bytes(32)],
      ["nonce", bytes(32)],
      ["challenge", bytes(0)],
      ["challenge_metadata", bytes(0)],
      ["timestamp", 0],
      [lengths[0], bytes(lengths[1])],
    ]);
  encodeReferenceMessage(response(["nonce", 32]) as Map<string, SttValue>);
  for (const name of ["node_id", "nonce"]) {
    for (const length of [31, 33]) codes.push([response([name, length]), "HANDSHAKE_MESSAGE"]);
  }
  for (const [fields, code] of codes) {
    assert.throws(() => encodeReferenceMessage(fields as Map<string, SttValue>), { code });
  }
  assert.throws(() => decodeReferenceMessage(fromHex("00")), { code: "HANDSHAKE_MESSAGE" });
  assert.throws(() => decodeReferenceMessage(fromHex("ff")), { code: "VALUE_TAG" });
});

test("the reference's HELLO is no HELLO of STT/1: it lacks the fields that were added", () => {
  const entry = reference.cases[0]!.HELLO as { hex: string };
  assert.equal(reasonFor(encodeHandshakeFrame(fromHex(entry.hex))), "field");
});

test("every required field is required, and of its type", () => {
  const frame = hello();
  for (const name of fieldsIn(frame).keys()) {
    const reason = name === "type" ? "type" : "field";
    assert.equal(reasonFor(withFields(frame, { [name]: undefined })), reason, name);
    assert.equal(reasonFor(withFields(frame, { [name]: null })), reason, name);
    assert.equal(reasonFor(withFields(frame, { [name]: true })), reason, name);
  }
  assert.equal(reasonFor(withFields(frame, { suites: [] })), "field");
  assert.equal(reasonFor(withFields(frame, { suites: [1, "2"] })), "field");
  assert.equal(reasonFor(withFields(frame, { suites: [1, -0] })), "field", "a float");
  assert.equal(reasonFor(withFields(frame, { timestamp: -0 })), "field", "a float");
  assert.equal(reasonFor(withFields(frame, { cookie: 1 })), "field");
  assert.equal(reasonFor(withFields(frame, { cookie: new Uint8Array(20) })), "HELLO");
  assert.equal(reasonFor(withFields(frame, { type: "HELLO2" })), "type");
  assert.equal(reasonFor(withFields(frame, { type: "constructor" })), "type");
  assert.equal(reasonFor(encodeHandshakeFrame(fromHex("00"))), "type");
});

test("unknown fields are kept, in the value too", () => {
  const frame = withFields(hello(), { aaa: 1, zzz: [1, 2n ** 60n, "x"], __proto: null });
  const message = decodeMessage(frame);
  assert.ok(message.type === "HELLO");
  assert.equal(message.fields.get("aaa"), 1);
  assert.equal(toHex(encodeMessage(message.fields)), toHex(frame));
  const covered = decodeValue(messageValue(message.fields, "commitment", "cookie")) as Map<
    string,
    SttValue
  >;
  assert.equal(covered.get("aaa"), 1);
  assert.equal(covered.has("commitment"), false);
});

test("limits for strangers: 4096 bytes, depth 2, 32 entries", () => {
  const frame = hello();
  assert.equal(reasonFor(withFields(frame, { x: new Uint8Array(4096) })), "frame");
  assert.equal(reasonFor(withFields(frame, { x: new Uint8Array(3000) })), "HELLO");
  assert.equal(reasonFor(withFields(frame, { x: [1, 2] })), "HELLO");
  assert.equal(reasonFor(withFields(frame, { x: [[1]] })), "encoding");
  assert.equal(reasonFor(withFields(frame, { x: new Map([["y", new Map()]]) })), "encoding");
  assert.equal(reasonFor(withFields(frame, { x: new Array(32).fill(0) })), "HELLO");
  assert.equal(reasonFor(withFields(frame, { x: new Array(33).fill(0) })), "encoding");
  const many = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [`x${index}`, 0]));
  assert.equal(reasonFor(withFields(frame, { ...many, y: undefined })), "encoding");
});

test("every cut of a HELLO, and every byte behind it, is refused", () => {
  const frame = hello();
  for (let length = 0; length < frame.length; length++) {
    assert.equal(reasonFor(frame.subarray(0, length)), "frame");
  }
  assert.equal(reasonFor(Uint8Array.of(...frame, 0)), "frame");
});

test("a header field that is not zero is refused", () => {
  const payload = messageValue(fieldsIn(hello()));
  const zero = {
    type: 5,
    flags: 0,
    sessionId: new Uint8Array(8),
    sequence: 0,
    timestamp: 0,
    streamId: 0,
    metadata: new Uint8Array(0),
    payload,
  };
  assert.equal(reasonFor(encodeFrame(zero)), "HELLO");
  const breaches = [
    { type: 4 },
    { flags: 1 },
    { sessionId: new Uint8Array(8).fill(1) },
    { sequence: 1 },
    { sequence: 2n ** 63n },
    { timestamp: 1 },
    { streamId: 1 },
    { metadata: new Uint8Array(1) },
  ];
  for (const breach of breaches) {
    assert.equal(reasonFor(encodeFrame({ ...zero, ...breach })), "frame");
  }
});

test("property: no bytes make decoding throw, and what decodes encodes to the same bytes", () => {
  const genuine = hello();
  const mutated = fc.array(
    fc.tuple(fc.nat(genuine.length - 1), fc.nat(255)),
    { minLength: 1, maxLength: 4 },
  ).map((changes) => {
    const copy = genuine.slice();
    for (const [offset, byte] of changes) copy[offset] = byte;
    return copy;
  });
  const random = fc.uint8Array({ maxLength: 400 });
  const framed = random.map((bytes) => encodeHandshakeFrame(bytes));
  fc.assert(
    fc.property(fc.oneof(mutated, random, framed), (bytes) => {
      const message = decodeMessage(bytes);
      if (message.type !== "refused") {
        assert.equal(toHex(encodeMessage(message.fields)), toHex(bytes));
      }
    }),
    { numRuns: 2000 },
  );
});
