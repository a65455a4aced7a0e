import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeValue, type SttValue } from "../../codec/values.ts";
import { writeVarint } from "../../codec/varint.ts";
import { toHex } from "../../codec/hex.ts";
import { SttError } from "../../errors.ts";
import {
  type Block,
  BLOCK_MAX_BYTES,
  decodeFinalAnswer,
  decodeOffer,
  decodeOfferAnswer,
  decodePrefix,
  decodeTrailer,
  encodeFinalAnswer,
  encodeOffer,
  encodeOfferAnswer,
  encodePrefix,
  encodeTrailer,
  takeBlock,
  TRAILER_BYTES,
} from "./wire.ts";

function framed(value: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(10);
  const size = writeVarint(prefix, 0, value.length);
  return Uint8Array.from([...prefix.subarray(0, size), ...value]);
}

function block(bytes: Uint8Array): Block {
  const taken = takeBlock(bytes);
  assert(taken !== undefined);
  assert.equal(taken.size, bytes.length);
  return taken.block;
}

function protocolError(act: () => unknown): void {
  assert.throws(act, (error: unknown) => error instanceof SttError && error.code === "PROTOCOL");
}

test("an offer is a varint length and a canonical dict", () => {
  const bytes = encodeOffer({ name: "a", size: 3, mode: "file" });
  assert.equal(
    toHex(bytes),
    "424100000004" +
      "31000000046d6f6465" + "310000000466696c65" +
      "31000000046e616d65" + "310000000161" +
      "310000000473697a65" + "1003" +
      "3100000003737474" + "310000000466696c65",
  );
});

test("the blocks of a resumed file: an offer that says so, {kept}, {prefix}, {offset}", () => {
  assert.equal(
    toHex(encodeOffer({ name: "a", size: 3, mode: "file", resume: true })),
    "4e4100000005" +
      "31000000046d6f6465" + "310000000466696c65" +
      "31000000046e616d65" + "310000000161" +
      "3100000006726573756d65" + "02" +
      "310000000473697a65" + "1003" +
      "3100000003737474" + "310000000466696c65",
  );
  assert.equal(toHex(encodeOfferAnswer({ kept: 2 })), "10410000000131000000046b6570741002");
  const prefix = new Uint8Array(32).fill(0xab);
  assert.equal(
    toHex(encodePrefix(prefix)),
    "35" + "4100000001" + "3100000006707265666978" + "3000000020" + "ab".repeat(32),
  );
});

test("what asks for no resumption gets none, and odd blocks of one are refused", () => {
  const pipe = new Map<string, SttValue>([
    ["stt", "file"],
    ["name", "x"],
    ["size", null],
    ["mode", "pipe"],
    ["resume", true],
  ]);
  assert.equal(decodeOffer(pipe).resume, undefined);
  const file = new Map(pipe).set("size", 5).set("mode", "file");
  assert.equal(decodeOffer(file).resume, true);
  for (const other of [false, 1, "true", null]) {
    assert.equal(decodeOffer(new Map(file).set("resume", other)).resume, undefined);
  }
  for (const kept of [0, -1, 1.5, "1", null]) {
    protocolError(() => decodeOfferAnswer(new Map<string, SttValue>([["kept", kept]])));
  }
  const short = new Uint8Array(31);
  for (const prefix of [short, "x", undefined]) {
    const block = new Map<string, SttValue>(prefix === undefined ? [] : [["prefix", prefix]]);
    protocolError(() => decodePrefix(block));
  }
});

test("blocks come back as they were", () => {
  for (const size of [0, 1, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
    const offer = { name: "r\u00e9sum\u00e9 \u{1f4c4}.pdf", size, mode: "file" as const };
    assert.deepEqual(decodeOffer(block(encodeOffer(offer))), offer);
  }
  const pipe = { name: "log", size: null, mode: "pipe" as const };
  assert.deepEqual(decodeOffer(block(encodeOffer(pipe))), pipe);
  assert.deepEqual(decodeOfferAnswer(block(encodeOfferAnswer({ offset: 77 }))), { offset: 77 });
  assert.deepEqual(decodeOfferAnswer(block(encodeOfferAnswer({ kept: 77 }))), { kept: 77 });
  const no = { error: 0x103, reason: "full" };
  assert.deepEqual(decodeOfferAnswer(block(encodeOfferAnswer(no))), no);
  assert.deepEqual(decodeFinalAnswer(block(encodeFinalAnswer(no))), no);
  assert.deepEqual(decodeFinalAnswer(block(encodeFinalAnswer({ ok: true }))), { ok: true });
  const hash = new Uint8Array(32).fill(9);
  assert.deepEqual(decodeTrailer(block(encodeTrailer(hash))), hash);
  assert.equal(encodeTrailer(hash).length, TRAILER_BYTES);
  assert.deepEqual(decodePrefix(block(encodePrefix(hash))), hash);
});

test("unknown keys are ignored", () => {
  const offer = new Map<string, SttValue>([
    ["stt", "file"],
    ["name", "x"],
    ["size", 1],
    ["mode", "file"],
    ["mtime", 5],
  ]);
  assert.deepEqual(decodeOffer(block(framed(encodeValue(offer)))), {
    name: "x",
    size: 1,
    mode: "file",
  });
});

test("a block is incomplete until its last byte", () => {
  const bytes = encodeOffer({ name: "name", size: 1000, mode: "file" });
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(takeBlock(bytes.subarray(0, length)), undefined, `${length} bytes`);
  }
  assert.equal(takeBlock(Uint8Array.from([...bytes, 1, 2, 3]))?.size, bytes.length);
});

test("a length above 4096 is refused before its bytes come", () => {
  const prefix = new Uint8Array(10);
  const size = writeVarint(prefix, 0, BLOCK_MAX_BYTES + 1);
  protocolError(() => takeBlock(prefix.subarray(0, size)));
  protocolError(() => takeBlock(Uint8Array.of(0xff, 0xff, 0xff)));
  protocolError(() => takeBlock(Uint8Array.of(0x80, 0x00)));
  const largest = writeVarint(prefix, 0, BLOCK_MAX_BYTES);
  assert.equal(takeBlock(prefix.subarray(0, largest)), undefined);
});

test("blocks that are no canonical dict are refused", () => {
  protocolError(() => takeBlock(framed(encodeValue([1, 2]))));
  protocolError(() => takeBlock(framed(encodeValue("file"))));
  protocolError(() => takeBlock(framed(Uint8Array.of(0xee))));
  // Unsorted keys.
  const unsorted = Uint8Array.of(
    0x41,
    0,
    0,
    0,
    2,
    0x31,
    0,
    0,
    0,
    1,
    98,
    0,
    0x31,
    0,
    0,
    0,
    1,
    97,
    0,
  );
  protocolError(() => takeBlock(framed(unsorted)));
});

test("every wrong field of an offer is refused", () => {
  const good: Record<string, SttValue> = { stt: "file", name: "x", size: 1, mode: "file" };
  const wrong: Record<string, SttValue>[] = [
    { ...good, stt: 1 },
    { ...good, name: 5 },
    { ...good, name: null },
    { ...good, size: -1 },
    { ...good, size: 1.5 },
    { ...good, size: -0 },
    { ...good, size: "1" },
    { ...good, size: 2n ** 60n },
    { ...good, size: null },
    { ...good, mode: "folder" },
    { ...good, mode: 0 },
    { name: "x", size: 1, mode: "file" },
    { stt: "file", size: 1, mode: "file" },
    { stt: "file", name: "x", mode: "file" },
    { stt: "file", name: "x", size: 1 },
  ];
  for (const fields of wrong) {
    protocolError(() => decodeOffer(new Map(Object.entries(fields))));
  }
  assert.throws(
    () => decodeOffer(new Map(Object.entries({ ...good, stt: "request" }))),
    (error: unknown) => error instanceof SttError && error.code === "UNSUPPORTED",
  );
});

test("wrong answers and trailers are refused", () => {
  for (const fields of [{}, { offset: -1 }, { offset: "0" }, { error: "x" }, { error: 1.5 }]) {
    protocolError(() => decodeOfferAnswer(new Map(Object.entries<SttValue>(fields))));
  }
  for (const fields of [{}, { ok: false }, { ok: 1 }]) {
    protocolError(() => decodeFinalAnswer(new Map(Object.entries<SttValue>(fields))));
  }
  for (const fields of [{}, { sha256: "00" }, { sha256: new Uint8Array(31) }]) {
    protocolError(() => decodeTrailer(new Map(Object.entries<SttValue>(fields))));
  }
});

test("any bytes are a block, incomplete, or PROTOCOL", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      takeBlock(bytes);
    } catch (error) {
      assert(error instanceof SttError && error.code === "PROTOCOL");
    }
  }));
});
