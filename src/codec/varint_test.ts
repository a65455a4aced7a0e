import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { type ErrorCode, SttError } from "../errors.ts";
import { fromHex, toHex } from "./hex.ts";
import { decodeVarint, encodeVarint, readVarintNumber, varintSize, writeVarint } from "./varint.ts";
import { decodeVarintNaive, encodeVarintNaive } from "./varint_naive.ts";

interface Vectors {
  valid: { value: string; hex: string; size: number }[];
  decode_only: { hex: string; offset: number; value: string; bytes_consumed: number }[];
  decode_overflow_accepted: { hex: string }[];
  invalid_decode: { hex: string; offset: number }[];
  invalid_encode: { value: string }[];
  encode_above_64_bits: { value: string; hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/reference/varint.json", import.meta.url), "utf8"),
) as Vectors;

function refused(run: () => unknown): SttError {
  try {
    run();
  } catch (error) {
    if (error instanceof SttError) return error;
    throw error;
  }
  return assert.fail("was not refused");
}

function narrow(value: bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

test("varint: the reference's valid vectors hold both ways", () => {
  for (const { value, hex, size } of vectors.valid) {
    const number = narrow(BigInt(value));
    assert.equal(toHex(encodeVarint(number)), hex);
    assert.equal(toHex(encodeVarint(BigInt(value))), hex);
    assert.equal(varintSize(number), size);
    assert.equal(varintSize(BigInt(value)), size);
    assert.deepEqual(decodeVarint(fromHex(hex)), { value: number, size });
  }
});

test("varint: where the reference decodes non-minimal forms, SPEC 1 refuses them", () => {
  for (const { hex, offset, value, bytes_consumed } of vectors.decode_only) {
    const bytes = fromHex(hex);
    if (encodeVarintNaive(BigInt(value)).length === bytes_consumed) {
      const decoded = decodeVarint(bytes, offset);
      assert.deepEqual(decoded, { value: narrow(BigInt(value)), size: bytes_consumed });
    } else {
      assert.equal(refused(() => decodeVarint(bytes, offset)).code, "VARINT_NON_MINIMAL", hex);
    }
  }
});

test("varint: more than 64 bits are refused, decoding and encoding", () => {
  for (const { hex } of vectors.decode_overflow_accepted) {
    assert.equal(refused(() => decodeVarint(fromHex(hex))).code, "VARINT_OVERFLOW", hex);
  }
  for (const { value, hex } of vectors.encode_above_64_bits) {
    assert.equal(refused(() => encodeVarint(BigInt(value))).code, "VARINT_RANGE");
    assert.equal(refused(() => decodeVarint(fromHex(hex))).code, "VARINT_OVERFLOW", hex);
  }
});

test("varint: what the reference refuses is refused, incomplete apart from malformed", () => {
  for (const { hex, offset } of vectors.invalid_decode) {
    const { code } = refused(() => decodeVarint(fromHex(hex), offset));
    const expected: ErrorCode = hex.length >= 20 ? "VARINT_OVERFLOW" : "VARINT_INCOMPLETE";
    assert.equal(code, expected, hex);
  }
  for (const { value } of vectors.invalid_encode) {
    assert.equal(refused(() => encodeVarint(BigInt(value))).code, "VARINT_RANGE");
    assert.equal(refused(() => varintSize(Number(value))).code, "VARINT_RANGE");
  }
});

test("varint: numbers that are no safe integer are refused", () => {
  for (const value of [-1, 0.5, NaN, Infinity, 2 ** 53, -0.5, 127.5, 1e300]) {
    assert.equal(refused(() => encodeVarint(value)).code, "VARINT_RANGE", String(value));
    assert.equal(refused(() => varintSize(value)).code, "VARINT_RANGE", String(value));
    const target = new Uint8Array(16);
    assert.equal(refused(() => writeVarint(target, 0, value)).code, "VARINT_RANGE", String(value));
  }
  assert.equal(toHex(encodeVarint(-0)), "00");
});

test("varint: both sides of every size boundary", () => {
  for (let bits = 7n; bits <= 63n; bits += 7n) {
    for (const value of [2n ** bits - 1n, 2n ** bits]) {
      const bytes = Uint8Array.from(encodeVarintNaive(value));
      assert.deepEqual(encodeVarint(value), bytes);
      assert.deepEqual(encodeVarint(narrow(value)), bytes);
      assert.deepEqual(decodeVarint(bytes), { value: narrow(value), size: bytes.length });
    }
  }
});

test("varint: the number reader stops at its end and at 2^53-1", () => {
  const bytes = fromHex("ffffffffffffff0f");
  assert.equal(readVarintNumber(bytes, 0, 8), Number.MAX_SAFE_INTEGER);
  const early = refused(() => readVarintNumber(bytes, 0, 7));
  assert.equal(early.code, "VARINT_INCOMPLETE");
  const large = refused(() => readVarintNumber(fromHex("ff8080808080808010"), 1, 9));
  assert.equal(large.code, "VARINT_RANGE");
  assert.equal(large.offset, 1);
  assert.equal(large.limit, Number.MAX_SAFE_INTEGER);
  assert.match(large.message, /9007199254740992 exceeds 9007199254740991 \(offset 1\)$/);
});

test("varint: a target that is too small is a bug of the caller", () => {
  for (const value of [0, 128, 2 ** 40, 2n ** 63n]) {
    const target = new Uint8Array(varintSize(value) - 1);
    assert.equal(refused(() => writeVarint(target, 0, value)).code, "INTERNAL");
  }
  const target = new Uint8Array(12).fill(0xee);
  assert.equal(writeVarint(target, 1, 2n ** 64n - 1n), 11);
  assert.deepEqual([target[0], target[11]], [0xee, 0xee]);
});

test("varint: agrees with its slow twin on every value", () => {
  const values = fc.oneof(
    fc.bigInt(0n, 2n ** 64n - 1n),
    fc.integer({ min: 0, max: 64 }).chain((bits) => fc.bigInt(0n, 2n ** BigInt(bits) - 1n)),
  );
  fc.assert(fc.property(values, (value) => {
    const bytes = Uint8Array.from(encodeVarintNaive(value));
    assert.deepEqual(encodeVarint(value), bytes);
    assert.deepEqual(encodeVarint(narrow(value)), bytes);
    assert.deepEqual(decodeVarint(bytes), { value: narrow(value), size: bytes.length });
  }));
});

test("varint: agrees with its slow twin on any bytes, codes included", () => {
  const byte = fc.oneof(
    fc.constantFrom(0x00, 0x01, 0x02, 0x7f, 0x80, 0x81, 0xff),
    fc.integer({ min: 0, max: 255 }),
  );
  const runs = fc.tuple(
    fc.array(fc.integer({ min: 0x80, max: 0xff }), { maxLength: 11 }),
    fc.array(byte, { maxLength: 3 }),
  ).map(([head, tail]) => [...head, ...tail]);
  fc.assert(
    fc.property(runs, (bytes) => {
      const expected = decodeVarintNaive(bytes);
      if (typeof expected === "string") {
        assert.equal(refused(() => decodeVarint(Uint8Array.from(bytes))).code, expected);
      } else {
        const decoded = decodeVarint(Uint8Array.from(bytes));
        assert.deepEqual(decoded, { value: narrow(expected.value), size: expected.size });
      }
    }),
    { numRuns: 1000 },
  );
});

test("what lies behind the end is not read, whatever it is", () => {
  const behind = [0x00, 0x01, 0x7f, 0x80, 0xff];
  for (const value of [128, 16_384, 2 ** 21, 2 ** 28, 2 ** 35, 2 ** 42, 2 ** 49, 2 ** 53 - 1]) {
    const encoded = encodeVarint(value);
    for (const byte of behind) {
      const bytes = new Uint8Array(encoded.length + 12).fill(byte);
      bytes.set(encoded, 1);
      assert.equal(readVarintNumber(bytes, 1, 1 + encoded.length), value);
      for (let end = 1; end <= encoded.length; end++) {
        assert.throws(() => readVarintNumber(bytes, 1, end), { code: "VARINT_INCOMPLETE" });
      }
    }
    // The array itself ends there.
    for (let length = 0; length < encoded.length; length++) {
      const cut = encoded.slice(0, length);
      assert.throws(() => readVarintNumber(cut, 0, length), { code: "VARINT_INCOMPLETE" });
    }
  }
});

test("numbers are written where there is just room, and nowhere else", () => {
  for (
    const value of [0, 127, 128, 16_383, 16_384, 2 ** 21, 2 ** 28 - 1, 2 ** 28, 2 ** 35, 2 ** 49]
  ) {
    const encoded = encodeVarint(value);
    const target = new Uint8Array(encoded.length + 1);
    assert.equal(writeVarint(target, 1, value), target.length);
    assert.deepEqual(target.slice(1), encoded);
    assert.throws(() => writeVarint(target, 2, value), { code: "INTERNAL" });
  }
});
