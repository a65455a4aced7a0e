import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { ErrorCode } from "../errors.ts";
import { fromHex, toHex } from "./hex.ts";
import {
  decodeValue,
  decodeValueAt,
  encodeValue,
  Float,
  type SttValue,
  type ValueDecodeOptions,
} from "./values.ts";

type Described =
  | { t: "null" }
  | { t: "bool"; v: boolean }
  | { t: "int" | "str"; v: string }
  | { t: "float"; ieee754_be_hex: string }
  | { t: "bytes"; hex: string }
  | { t: "list"; v: Described[] }
  | { t: "dict"; entries: [string, Described][] };

type Result = { ok: Described } | { error: unknown };

interface Vectors {
  valid: { value: Described; hex: string }[];
  decode_cases: { hex?: string; result: Result; note: string }[];
}

function read(name: string): unknown {
  const url = new URL(`../../vectors/reference/${name}`, import.meta.url);
  return JSON.parse(readFileSync(url, "utf8"));
}

const vectors = read("values.json") as Vectors;

function build(described: Described): SttValue {
  switch (described.t) {
    case "null":
      return null;
    case "bool":
    case "str":
      return described.v;
    case "int": {
      const value = BigInt(described.v);
      return Number.isSafeInteger(Number(value)) ? Number(value) : value;
    }
    case "float": {
      const float = Float.fromBits(BigInt(`0x${described.ieee754_be_hex}`));
      const plain = float.nanBits === undefined && !Number.isInteger(float.value);
      return plain || Object.is(float.value, -0) ? float.value : float;
    }
    case "bytes":
      return fromHex(described.hex);
    case "list":
      return described.v.map(build);
    case "dict":
      return new Map(described.entries.map(([key, value]) => [key, build(value)]));
  }
}

function refuses(hex: string, code: ErrorCode, options: ValueDecodeOptions = {}): void {
  assert.throws(() => decodeValue(fromHex(hex), options), { code }, hex);
}

test("values: the reference's valid vectors hold both ways", () => {
  for (const { value, hex } of vectors.valid) {
    const built = build(value);
    assert.equal(toHex(encodeValue(built)), hex);
    assert.deepEqual(decodeValue(fromHex(hex)), built);
    assert.deepEqual(decodeValue(fromHex(hex), { canonical: true }), built);
  }
});

test("values: the reference's four handshake messages hold both ways", () => {
  type Field = { text: string } | { bytes: string } | { int: string };
  type Message = { fields: Record<string, Field>; hex: string };
  const { cases } = read("handshake_messages.json") as { cases: Record<string, Message>[] };
  for (const messages of cases) {
    for (const name of ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]) {
      const { fields, hex } = messages[name] as Message;
      const value = Object.fromEntries(
        Object.entries(fields).map(([key, field]) => {
          if ("text" in field) return [key, field.text];
          return [key, "bytes" in field ? fromHex(field.bytes) : BigInt(field.int)];
        }),
      );
      assert.equal(toHex(encodeValue(value)), hex);
      const decoded = decodeValue(fromHex(hex), { canonical: true, maxDepth: 2, maxEntries: 32 });
      assert.equal(toHex(encodeValue(decoded)), hex);
    }
  }
});

test("values: odd input of the reference's decoder, judged by SPEC 2", () => {
  // What the reference tolerates or does not know, and SPEC 2 decides otherwise.
  const stricter: Record<string, ErrorCode> = {
    "100500ffee": "VALUE_TRAILING",
    "30000000056162": "VALUE_LENGTH",
    "31000000056162": "VALUE_LENGTH",
    "410000000231000000016110013100000001611002": "VALUE_DUPLICATE_KEY",
    "400000000130000000056162": "VALUE_LENGTH",
    "150000000000000001": "VALUE_TRAILING",
    "160000000000000001": "VALUE_TRAILING",
  };
  const richer: Record<string, SttValue> = { "170000000000000001": 1 };
  for (const { hex, result, note } of vectors.decode_cases) {
    if (hex === undefined) continue;
    const code = stricter[hex];
    if (code !== undefined) refuses(hex, code);
    else if (hex in richer) assert.deepEqual(decodeValue(fromHex(hex)), richer[hex], note);
    else if ("ok" in result) assert.deepEqual(decodeValue(fromHex(hex)), build(result.ok), note);
    else assert.throws(() => decodeValue(fromHex(hex)), { name: "SttError" }, note);
  }
});

test("values: each refusal has its own code, offset and limit", () => {
  const cases: [string, ErrorCode, number, RegExp][] = [
    ["", "VALUE_INCOMPLETE", 0, /1 bytes needed, 0 left \(offset 0\)$/],
    ["13000000", "VALUE_INCOMPLETE", 1, /8 bytes needed, 3 left \(offset 1\)$/],
    ["4000000001", "VALUE_LENGTH", 1, /count 1 exceeds 0 \(offset 1\)$/],
    ["30000000056162", "VALUE_LENGTH", 1, /length 5 exceeds 2 \(offset 1\)$/],
    ["400000000203", "VALUE_LENGTH", 1, /count 2 exceeds 1/],
    ["400000000103", "VALUE_TAG", 5, /unknown tag 03 \(offset 5\)$/],
    ["3100000001ff", "VALUE_UTF8", 5, /not valid UTF-8 \(offset 5\)$/],
    ["41000000021000", "VALUE_KEY", 5, /tag 10, not a string's 31 \(offset 5\)$/],
    ["0000", "VALUE_TRAILING", 1, /1 bytes follow it \(offset 1\)$/],
    ["41000000023100000001610031000000016100", "VALUE_DUPLICATE_KEY", 12, /twice \(offset 12\)$/],
  ];
  for (const [hex, code, offset, message] of cases) {
    assert.throws(() => decodeValue(fromHex(hex)), { code, offset, message }, hex);
  }
});

test("values: a count or length of 2^32-1 is refused before anything is allocated", () => {
  for (const tag of ["30", "31", "40", "41"]) {
    refuses(`${tag}ffffffff`, "VALUE_LENGTH");
    refuses(`${tag}ffffffff${"00".repeat(64)}`, "VALUE_LENGTH");
    refuses(`4000000001${tag}ffffffff`, "VALUE_LENGTH");
  }
});

test("values: depth 64 passes both ways, depth 65 neither", () => {
  const unit = "4000000001";
  const deep = decodeValue(fromHex(`${unit.repeat(63)}4000000000`));
  assert.equal(toHex(encodeValue(deep)), `${unit.repeat(63)}4000000000`);
  const hex = `${unit.repeat(64)}4000000000`;
  assert.throws(() => decodeValue(fromHex(hex)), {
    code: "VALUE_DEPTH",
    offset: 64 * 5,
    limit: 64,
    message: "cannot decode value: depth 65 exceeds 64 (offset 320)",
  });
  refuses(hex, "VALUE_DEPTH", { maxDepth: 1000 });
  assert.throws(() => encodeValue([deep]), { code: "VALUE_DEPTH", limit: 64 });
  assert.throws(() => encodeValue({ key: deep }), { code: "VALUE_DEPTH" });
  // A scalar is no container: it may lie in the 64th.
  assert.equal(toHex(encodeValue(decodeValue(fromHex(`${unit.repeat(64)}00`)))).length, 642);
  refuses(unit.repeat(400) + "00", "VALUE_DEPTH");
  const cycle: SttValue[] = [];
  cycle.push(cycle);
  assert.throws(() => encodeValue(cycle), { code: "VALUE_DEPTH" });
});

test("values: stricter limits of the caller", () => {
  refuses("40000000014000000000", "VALUE_DEPTH", { maxDepth: 1 });
  refuses("4000000000", "VALUE_DEPTH", { maxDepth: 0 });
  assert.equal(decodeValue(fromHex("00"), { maxDepth: 0 }), null);
  refuses("40000000030000" + "00", "VALUE_ENTRIES", { maxEntries: 2 });
  refuses("41000000023100000001610031000000016200", "VALUE_ENTRIES", { maxEntries: 1 });
  assert.deepEqual(decodeValue(fromHex("40000000020000"), { maxEntries: 2 }), [null, null]);
  // A string of more bytes than that has no entries.
  assert.equal(decodeValue(fromHex("3100000003616263"), { maxEntries: 1 }), "abc");
});

test("values: integers of every tag decode, the smallest signed form is written", () => {
  const cases: [string, number | bigint, string][] = [
    ["14ff", 255, "1100ff"],
    ["15ffff", 65_535, "120000ffff"],
    ["16ffffffff", 4_294_967_295, "1300000000ffffffff"],
    ["17ffffffffffffffff", 2n ** 64n - 1n, "17ffffffffffffffff"],
    ["178000000000000000", 2n ** 63n, "178000000000000000"],
    ["177fffffffffffffff", 2n ** 63n - 1n, "137fffffffffffffff"],
    ["138000000000000000", -(2n ** 63n), "138000000000000000"],
    ["13ffffffffffffff80", -128, "1080"],
    ["12ffffff7f", -129, "11ff7f"],
    ["13001fffffffffffff", Number.MAX_SAFE_INTEGER, "13001fffffffffffff"],
    ["130020000000000000", 2n ** 53n, "130020000000000000"],
    ["13ffe0000000000001", Number.MIN_SAFE_INTEGER, "13ffe0000000000001"],
    ["13ffe0000000000000", -(2n ** 53n), "13ffe0000000000000"],
  ];
  for (const [hex, value, written] of cases) {
    assert.deepEqual(decodeValue(fromHex(hex)), value, hex);
    assert.equal(toHex(encodeValue(value)), written);
    assert.equal(toHex(encodeValue(BigInt(value))), written);
    if (hex === written) assert.deepEqual(decodeValue(fromHex(hex), { canonical: true }), value);
    else refuses(hex, "VALUE_NOT_CANONICAL", { canonical: true });
  }
});

test("values: 1 and 1.0, 0 and -0 stay distinct, NaN keeps its bits", () => {
  const cases: [SttValue, string][] = [
    [1, "1001"],
    [new Float(1), "213ff0000000000000"],
    [0, "1000"],
    [new Float(0), "210000000000000000"],
    [-0, "218000000000000000"],
    [1.5, "213ff8000000000000"],
    [NaN, "217ff8000000000000"],
    [Float.fromBits(0x7ff8_0000_0000_0001n), "217ff8000000000001"],
    [Float.fromBits(0xfff8_0000_0000_0000n), "21fff8000000000000"],
    [Infinity, "217ff0000000000000"],
    [-Infinity, "21fff0000000000000"],
    [new Float(2 ** 53), "214340000000000000"],
    [5e-324, "210000000000000001"],
  ];
  for (const [value, hex] of cases) {
    assert.equal(toHex(encodeValue(value)), hex);
    assert.deepEqual(decodeValue(fromHex(hex), { canonical: true }), value);
  }
  assert.equal(toHex(encodeValue(new Float(1.5))), "213ff8000000000000");
  assert.equal(toHex(encodeValue(new Float(NaN))), "217ff8000000000000");
  assert.throws(() => new Float("1" as unknown as number), { code: "VALUE_TYPE" });
  assert.throws(() => Float.fromBits(-1n), { code: "VALUE_RANGE" });
});

test("values: float32 decodes, but is not canonical", () => {
  assert.equal(decodeValue(fromHex("203fc00000")), 1.5);
  assert.deepEqual(decodeValue(fromHex("203f800000")), new Float(1));
  assert.equal(decodeValue(fromHex("207fc00000")), NaN);
  assert.equal(decodeValue(fromHex("2080000000")), -0);
  refuses("203fc00000", "VALUE_NOT_CANONICAL", { canonical: true });
});

test("values: numbers that no tag holds are refused", () => {
  for (const value of [2 ** 53, -(2 ** 53), 1e300, 2n ** 64n, -(2n ** 63n) - 1n]) {
    assert.throws(() => encodeValue(value), { code: "VALUE_RANGE" }, String(value));
  }
});

test("values: keys sort by code point, not by UTF-16 unit", () => {
  const keys = ["\u{1f600}", "\uffff", "\u{10000}", "\ue000", "z", "\u00e9", "", "aa", "a"];
  const sorted = ["", "a", "aa", "z", "\u00e9", "\ue000", "\uffff", "\u{10000}", "\u{1f600}"];
  const bytes = encodeValue(new Map(keys.map((key) => [key, null])));
  const decoded = decodeValue(bytes, { canonical: true }) as Map<string, SttValue>;
  assert.deepEqual([...decoded.keys()], sorted);
  assert.notDeepEqual([...keys].sort(), sorted);
});

test("values: unsorted keys decode in the order of the wire, but are not canonical", () => {
  const hex = "410000000231000000016210013100000001611002";
  const decoded = decodeValue(fromHex(hex)) as Map<string, SttValue>;
  assert.deepEqual([...decoded], [["b", 1], ["a", 2]]);
  refuses(hex, "VALUE_UNSORTED", { canonical: true });
  const units = "41000000023100000004f09f9880003100000003efbfbf00";
  refuses(units, "VALUE_UNSORTED", { canonical: true });
});

test("values: __proto__ and its kind are keys like any other", () => {
  const hex = "41000000013100000009" + toHex(new TextEncoder().encode("__proto__")) + "4100000000";
  const decoded = decodeValue(fromHex(hex));
  assert.deepEqual(decoded, new Map([["__proto__", new Map()]]));
  assert.equal(toHex(encodeValue(decoded)), hex);
  const plain = JSON.parse('{"__proto__":{}}') as { [key: string]: SttValue };
  assert.equal(toHex(encodeValue(plain)), hex);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
});

test("values: a dict is a Map, a plain or a null-prototype object, and nothing else", () => {
  const hex = toHex(encodeValue(new Map([["a", 1]])));
  const bare = Object.assign(Object.create(null) as { [key: string]: SttValue }, { a: 1 });
  assert.equal(toHex(encodeValue({ a: 1 })), hex);
  assert.equal(toHex(encodeValue(bare)), hex);
  const hidden = Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "h", { enumerable: false });
  assert.equal(toHex(encodeValue(hidden)), hex);
  const foreign: unknown[] = [
    new Date(0),
    /x/,
    new Set([1]),
    new (class Point {
      x = 1;
    })(),
    Object.create({ inherited: 1 }),
    new Error("no"),
    new Uint16Array(1),
    new ArrayBuffer(1),
    new DataView(new ArrayBuffer(1)),
    Promise.resolve(1),
    undefined,
    () => 1,
    Symbol("no"),
    [undefined],
    new Array(1),
    { key: undefined },
    new Map([[1, 2]]),
  ];
  for (const value of foreign) {
    assert.throws(() => encodeValue(value as SttValue), { code: "VALUE_TYPE" });
  }
});

test("values: lone surrogates have no encoding, in strings and in keys", () => {
  for (const text of ["\ud800", "a\udc00", "\udc00\ud800", "\ud83d", "\ud83dx\ude00"]) {
    assert.throws(() => encodeValue(text), { code: "VALUE_UTF8" });
    assert.throws(() => encodeValue({ [text]: 1 }), { code: "VALUE_UTF8" });
  }
});

test("values: bad UTF-8 is refused in strings and in keys", () => {
  // Cut, surrogate, overlong, above U+10FFFF, stray continuation.
  for (const utf8 of ["c3", "eda080", "c080", "e08080", "f08080af", "f4908080", "80", "fe"]) {
    const string = `31${(utf8.length / 2).toString(16).padStart(8, "0")}${utf8}`;
    refuses(string, "VALUE_UTF8");
    refuses(`4100000001${string}00`, "VALUE_UTF8");
  }
});

test("values: a byte order mark is a character like any other", () => {
  assert.equal(decodeValue(fromHex("3100000003efbbbf")), "\ufeff");
  assert.equal(toHex(encodeValue("\ufeffa")), "3100000004efbbbf61");
});

test("values: decoding at an offset says how far it went", () => {
  assert.deepEqual(decodeValueAt(fromHex("ffff1005ee"), 2), { value: 5, size: 2 });
  assert.throws(() => decodeValueAt(fromHex("00"), 5), { code: "VALUE_INCOMPLETE" });
});

test("values: decoded byte strings outlive the buffer that they came from", () => {
  const wire = fromHex("30000000020102");
  const value = decodeValue(wire) as Uint8Array;
  wire.fill(0);
  assert.deepEqual([...value], [1, 2]);
});
