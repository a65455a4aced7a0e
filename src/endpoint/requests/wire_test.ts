import { test } from "node:test";
import assert from "node:assert/strict";
import { fromHex, toHex } from "../../codec/hex.ts";
import { encodeValue, type SttValue } from "../../codec/values.ts";
import { encodeVarint } from "../../codec/varint.ts";
import { encodeServiceBlock, mayBeBlock, takeServiceBlock } from "../service_block.ts";
import { PartBuffer } from "./part_buffer.ts";
import {
  decodeFailure,
  decodeRequestHeader,
  encodeFailure,
  encodeItem,
  encodeRequestHeader,
  nameFault,
} from "./wire.ts";

const block = (fields: Record<string, SttValue>): Map<string, SttValue> =>
  new Map(Object.entries(fields));

test("a header survives the wire, with and without a deadline", () => {
  for (const header of [{ to: "sensor/1" }, { to: "é".repeat(127), deadline: 2 ** 53 - 1 }]) {
    const taken = takeServiceBlock(encodeRequestHeader(header), "request");
    assert.ok(taken !== undefined);
    assert.deepEqual(decodeRequestHeader(taken.block), header);
  }
});

test("headers that nobody should send are refused", () => {
  const good = { stt: "request", to: "a" };
  const bad: Record<string, SttValue>[] = [
    { to: "a" },
    { ...good, stt: 1 },
    { stt: "request" },
    { ...good, to: 7 },
    { ...good, to: "" },
    { ...good, to: "a\u0000b" },
    { ...good, to: "x".repeat(256) },
    { ...good, deadline: 0 },
    { ...good, deadline: -1 },
    { ...good, deadline: 1.5 },
    { ...good, deadline: "5" },
    { ...good, deadline: null },
    { ...good, deadline: 2n ** 53n },
  ];
  for (const fields of bad) {
    assert.throws(() => decodeRequestHeader(block(fields)), { code: "PROTOCOL" });
  }
  assert.throws(() => decodeRequestHeader(block({ stt: "file", to: "a" })), {
    code: "UNSUPPORTED",
  });
  // Keys of later versions are no reason to refuse.
  assert.deepEqual(decodeRequestHeader(block({ ...good, later: [1, 2] })), { to: "a" });
});

test("names are 1 to 255 bytes without control characters", () => {
  for (const name of ["a", "sensor/1", "é".repeat(127), "x".repeat(255), "😀"]) {
    assert.equal(nameFault(name), undefined);
  }
  assert.notEqual(nameFault(5 as unknown as string), undefined);
  for (const name of ["", "x".repeat(256), "é".repeat(128), "a\nb", "\u0085", "\ud800"]) {
    assert.notEqual(nameFault(name), undefined, JSON.stringify(name));
    assert.throws(() => encodeRequestHeader({ to: name }), { code: "CONFIG" });
  }
});

test("failures survive the wire; reasons are cut at a character", () => {
  for (
    const [reason, kept] of [["no", "no"], ["é".repeat(200), "é".repeat(128)], [
      `x${"é".repeat(200)}`,
      `x${"é".repeat(127)}`,
    ], ["", ""]] as const
  ) {
    const buffer = new PartBuffer();
    buffer.push(encodeFailure({ error: 0x101, reason }));
    assert.equal(buffer.part(0), "failure");
    const taken = buffer.block("failure");
    assert.deepEqual(decodeFailure(taken?.block ?? new Map()), { error: 0x101, reason: kept });
    buffer.skip(taken?.size ?? 0);
    assert.equal(buffer.pending, 0);
  }
  for (
    const fields of [
      {},
      { error: 0, reason: "" },
      { error: -1, reason: "" },
      { error: "1", reason: "" },
      { error: 1 },
      { error: 1, reason: 5 },
      { error: 1, reason: "é".repeat(129) },
    ] as Record<string, SttValue>[]
  ) {
    assert.throws(() => decodeFailure(block(fields)), { code: "PROTOCOL" });
  }
});

test("items come out as they went in, however they are cut", () => {
  const items = [0, 1, 126, 127, 128, 1000, 16383].map((size) => new Uint8Array(size).fill(size));
  const bytes = items.flatMap((item) => [...encodeItem(item)]);
  for (const step of [1, 2, 7, 4096, bytes.length]) {
    const buffer = new PartBuffer();
    const got: string[] = [];
    for (let at = 0; at < bytes.length; at += step) {
      buffer.push(Uint8Array.from(bytes.slice(at, at + step)));
      for (let part = buffer.part(16383); part !== undefined; part = buffer.part(16383)) {
        got.push(toHex(part as Uint8Array));
      }
    }
    assert.deepEqual(got, items.map(toHex), `steps of ${step}`);
    assert.equal(buffer.pending, 0);
  }
});

test("an item above the limit is refused by its length alone", () => {
  const buffer = new PartBuffer();
  buffer.push(encodeVarint(1002));
  assert.throws(() => buffer.part(1000), { code: "BUFFER_EXCEEDED", limit: 1000 });
  const fits = new PartBuffer();
  fits.push(encodeVarint(1001));
  assert.equal(fits.part(1000), undefined);
});

test("lengths that are not minimal, too long or above 2^53 are refused", () => {
  for (
    const text of [
      "8000",
      "818000",
      "ffffffffffffffff7f",
      "80".repeat(8),
      "ff".repeat(10),
      "ffffffffffffff7f",
    ]
  ) {
    const buffer = new PartBuffer();
    buffer.push(fromHex(text));
    assert.throws(() => buffer.part(1000), { code: "PROTOCOL" }, text);
  }
});

test("a promise of much takes no memory before the bytes come", () => {
  const buffer = new PartBuffer();
  buffer.push(encodeVarint(2 ** 30));
  for (let i = 0; i < 100; i++) {
    buffer.push(Uint8Array.of(i));
    assert.equal(buffer.part(2 ** 31), undefined);
  }
  const all = buffer.takeAll();
  assert.equal(all.length, encodeVarint(2 ** 30).length + 100);
  assert.ok(all.buffer.byteLength <= 4 * all.length, `${all.buffer.byteLength} bytes are held`);
});

test("a small item does not keep a large chunk alive", () => {
  const buffer = new PartBuffer();
  const chunk = new Uint8Array(65_536);
  chunk.set(encodeItem(Uint8Array.of(1, 2, 3)));
  buffer.push(chunk);
  const item = buffer.part(10) as Uint8Array;
  assert.deepEqual([...item], [1, 2, 3]);
  assert.ok(item.buffer.byteLength < 100);
});

test("a block has at most 4096 bytes of dict", () => {
  const filled = (size: number): Map<string, SttValue> => block({ x: new Uint8Array(size) });
  assert.equal(encodeServiceBlock(filled(4080), "block").length, 2 + 4096);
  assert.throws(() => encodeServiceBlock(filled(4081), "block"), { code: "CONFIG", limit: 4096 });
});

test("what begins no block is told apart early", () => {
  assert.equal(mayBeBlock(encodeRequestHeader({ to: "a" }).subarray(0, 2)), true);
  assert.equal(mayBeBlock(new TextEncoder().encode("GET /")), false);
  assert.equal(mayBeBlock(new Uint8Array(0)), undefined);
  assert.equal(mayBeBlock(Uint8Array.of(5)), undefined);
  assert.equal(mayBeBlock(Uint8Array.of(0x80)), undefined);
  // 4097 bytes, and a length that is not minimal.
  assert.equal(mayBeBlock(fromHex("812041")), false);
  assert.equal(mayBeBlock(fromHex("800041")), false);
  assert.equal(mayBeBlock(encodeValue(new Map()).subarray(0, 1)), undefined);
});
