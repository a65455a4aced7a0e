import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { compareCodePoints, isWellFormed } from "./code_points.ts";
import { decodeValue, encodeValue, Float, type SttValue } from "./values.ts";
import { decodeValueNaive, encodeValueNaive } from "./values_naive.ts";

const text = fc.string({ unit: "binary", maxLength: 12 });
const { value: anyValue } = fc.letrec<{ value: SttValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    fc.integer({ min: -300, max: 300 }),
    fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n),
    fc.double().map((value) => Number.isInteger(value) ? new Float(value) : value),
    fc.bigInt(0n, 2n ** 64n - 1n).map((bits) => Float.fromBits(bits)),
    text,
    fc.uint8Array({ maxLength: 12 }),
    fc.array(tie("value"), { maxLength: 5 }),
    fc.uniqueArray(fc.tuple(text, tie("value")), { maxLength: 5, selector: ([key]) => key })
      .map((entries) => new Map(entries)),
    fc.dictionary(text, tie("value"), { maxKeys: 5 }),
  ),
}));

/** What an encoded value comes back as. */
function settled(value: SttValue): SttValue {
  if (typeof value === "bigint") {
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (value instanceof Float) {
    const whole = Number.isInteger(value.value) && !Object.is(value.value, -0);
    return whole || value.nanBits !== undefined ? value : value.value;
  }
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(settled);
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return new Map(entries.map(([key, item]) => [key, settled(item)]));
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof SttError) return error.code;
    throw error;
  }
}

test("values: whatever is encoded comes back, in one canonical form", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      const bytes = encodeValue(value);
      const decoded = decodeValue(bytes, { canonical: true });
      assert.deepEqual(decoded, settled(value));
      assert.deepEqual(encodeValue(decoded), bytes);
    }),
    { numRuns: 500 },
  );
});

test("values: the encoder agrees with its slow twin", () => {
  fc.assert(
    fc.property(anyValue, (value) => {
      assert.deepEqual(encodeValue(value), Uint8Array.from(encodeValueNaive(value)));
    }),
    { numRuns: 500 },
  );
});

const spoiled = fc.tuple(
  anyValue,
  fc.array(fc.tuple(fc.nat(), fc.oneof(fc.nat(255), fc.constantFrom(0, 0x31, 0x41))), {
    maxLength: 3,
  }),
  fc.nat(4),
).map(([value, changes, cut]) => {
  const bytes = encodeValue(value);
  for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
  return bytes.subarray(0, Math.max(bytes.length - cut, 0));
});

test("values: the decoder agrees with its slow twin on spoiled input, codes included", () => {
  fc.assert(
    fc.property(fc.oneof(spoiled, fc.uint8Array({ maxLength: 40 })), (bytes) => {
      let expected: SttValue = null;
      const code = codeOf(() => {
        const { value, rest } = decodeValueNaive([...bytes]);
        if (rest.length > 0) throw new SttError("VALUE_TRAILING", "bytes follow");
        expected = value;
      });
      assert.equal(codeOf(() => decodeValue(bytes)), code);
      if (code === "accepted") assert.deepEqual(decodeValue(bytes), expected);
    }),
    { numRuns: 2000 },
  );
});

test("values: what canonical decoding takes encodes to the same bytes, and nothing else does", () => {
  fc.assert(
    fc.property(spoiled, (bytes) => {
      if (codeOf(() => decodeValue(bytes)) !== "accepted") return;
      const again = encodeValue(decodeValue(bytes));
      const same = again.length === bytes.length && again.every((byte, at) => byte === bytes[at]);
      const canonical = codeOf(() => decodeValue(bytes, { canonical: true })) === "accepted";
      assert.equal(canonical, same);
    }),
    { numRuns: 2000 },
  );
});

test("values: random bytes only ever throw SttError", () => {
  const tags = fc.constantFrom(0x10, 0x13, 0x17, 0x20, 0x21, 0x30, 0x31, 0x40, 0x41, 0x00);
  const bytes = fc.array(fc.oneof(tags, fc.nat(255), fc.constant(0)), { maxLength: 80 });
  fc.assert(
    fc.property(bytes, fc.boolean(), (list, canonical) => {
      codeOf(() => decodeValue(Uint8Array.from(list), { canonical }));
    }),
    { numRuns: 3000 },
  );
});

test("code points: the order is that of the UTF-8 bytes", () => {
  const utf8 = new TextEncoder();
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (a, b) => {
      const [left, right] = [utf8.encode(a), utf8.encode(b)];
      const at = left.findIndex((byte, index) => byte !== right[index]);
      const order = at < 0 ? left.length - right.length : (left[at] ?? -1) - (right[at] ?? -1);
      assert.equal(Math.sign(compareCodePoints(a, b)), Math.sign(order));
    }),
    { numRuns: 1000 },
  );
});

test("code points: well formed is what UTF-8 brings back", () => {
  const units = fc.array(fc.constantFrom(0x61, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000));
  fc.assert(fc.property(units, (list) => {
    const value = String.fromCharCode(...list);
    const back = new TextDecoder("utf-8", { ignoreBOM: true })
      .decode(new TextEncoder().encode(value));
    assert.equal(isWellFormed(value), back === value);
  }));
});
