/** Data of the schema of vectors/reference/values.json. @module */
import { type Case, type Check, Failure } from "../case.ts";
import type { Json } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { decodeValue, encodeValue, sameValue, type Typed } from "../twin/values.ts";
import { attempt } from "./expect.ts";
import { type DataFile, type Entry, type EntryCase, FileCases } from "./section.ts";

export function valueCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "2");
  cases.ignore("value_notation");
  cases.list("valid", valid);
  cases.list("decode_cases", (entry) => [{ run: (check) => decodeCase(check, entry) }]);
  cases.list("encode_errors", (entry) => [encodeError(entry)]);
  return cases.finish();
}

function json(value: Typed): Json {
  return value as unknown as Json;
}

/** What both ways of a "valid" entry come to; SPEC 2 may be stricter than the reference, but then in both. */
function judge(check: Check, entry: Entry): "valid" | string {
  const encoded = attempt(() => hex(encodeValue(entry.value)));
  const decoded = attempt(() => decodeValue(unhex(entry.hex)));
  if ("refused" in encoded && "refused" in decoded && encoded.refused === decoded.refused) {
    return encoded.refused;
  }
  check.data(entry.hex, "value" in encoded ? encoded.value : encoded.refused, "hex");
  if ("refused" in decoded) {
    throw new Failure(`data mismatch: hex is refused with ${decoded.refused}`);
  }
  if (!sameValue(decoded.value, entry.value)) {
    check.data(entry.value, json(decoded.value), "value");
  }
  return "valid";
}

const NAN = /^(7f|ff)f(?!0{13}$)/;

function valid(entry: Entry): EntryCase[] {
  const isNan = entry.value?.t === "float" && NAN.test(entry.value.ieee754_be_hex);
  return [
    {
      name: "encode",
      run: async (check) => {
        const verdict = judge(check, entry);
        const request = { op: "value.encode", value: entry.value };
        if (verdict !== "valid") return await check.refuses(request, verdict);
        const { hex: actual } = await check.ok(request);
        // NaN survives, but a host's number type need not carry its payload bits.
        if (isNan && actual !== entry.hex && NAN.test(String(actual).slice(2))) {
          return check.note(`NaN is written as ${actual}, not with the bits of ${entry.hex}`);
        }
        check.equal(actual ?? null, entry.hex, "hex");
      },
    },
    {
      name: "decode",
      run: async (check) => {
        const verdict = judge(check, entry);
        const request = { op: "value.decode", hex: entry.hex };
        if (verdict !== "valid") return await check.refuses(request, verdict);
        const { value } = await check.ok(request);
        const actual = value as unknown as Typed;
        if (sameValue(actual, entry.value)) return;
        if (isNan && actual.t === "float" && NAN.test(actual.ieee754_be_hex)) {
          return check.note(`NaN is read as ${actual.ieee754_be_hex}`);
        }
        check.equal(value ?? null, entry.value, "value");
      },
    },
    {
      name: "canonical",
      run: async (check) => {
        const verdict = judge(check, entry);
        const request = { op: "value.decode", hex: entry.hex, canonical: true };
        if (verdict !== "valid") return await check.refuses(request, verdict);
        await check.ok(request);
      },
    },
  ];
}

/** `hex`, or the compact form: a unit repeated, between a head and a tail. */
export function hexOf(entry: Entry): string {
  if (entry.hex !== undefined) return entry.hex;
  const { head = "", unit, times, tail = "" } = entry.hex_repeat;
  return head + unit.repeat(times) + tail;
}

/** Beyond this the reference runs out of stack, sooner or later. */
const CERTAIN_DEPTH = 450;

async function decodeCase(check: Check, entry: Entry): Promise<void> {
  const text = hexOf(entry);
  const bytes = unhex(text);
  checkReference(check, entry, bytes);
  const strict = attempt(() => decodeValue(bytes));
  const request = { op: "value.decode", hex: text };
  if ("refused" in strict) {
    await check.refuses(request, ...alike(strict.refused));
    return;
  }
  const { value } = await check.ok(request);
  if (!sameValue(value as unknown as Typed, strict.value)) {
    check.equal(value ?? null, json(strict.value), "value");
  }
}

function checkReference(check: Check, entry: Entry, bytes: Uint8Array): void {
  const { result } = entry;
  if (result === undefined || (entry.hex_repeat?.times ?? 0) > CERTAIN_DEPTH) return;
  const lax = attempt(() => decodeValue(bytes, { lax: true }));
  const outcome = "value" in lax ? "accepted" : "refused";
  check.data(
    result.error === undefined ? "accepted" : "refused",
    outcome,
    "the reference's result",
  );
  if (!("value" in lax)) return;
  // Nested lists come with their result in words.
  const words = /^decodes to (\d+) nested lists around null$/.exec(String(result.ok));
  if (words !== null && !sameValue(nestedLists(Number(words[1])), lax.value)) {
    check.data(result.ok, "something else", "the reference's value");
  }
  if (typeof result.ok !== "object") return;
  if (!sameValue(result.ok, lax.value)) {
    check.data(result.ok, json(lax.value), "the reference's value");
  }
}

/** A short value and a length past the end are two views of the same fault. */
export function alike(code: string): string[] {
  return code === "VALUE_LENGTH" || code === "VALUE_INCOMPLETE"
    ? ["VALUE_LENGTH", "VALUE_INCOMPLETE"]
    : [code];
}

const NATIVE: readonly (readonly [RegExp, string])[] = [
  [/^set /, "set"],
  [/^object/, "object"],
  [/^complex/, "complex"],
  [/^tuple/, "tuple"],
  [/^bytearray/, "bytearray"],
];

/** The inputs are words about Python objects; those with a counterpart in the notation become requests. */
function encodeError(entry: Entry): EntryCase {
  const input = String(entry.input);
  return {
    title: `encode ${input}`,
    run: async (check) => {
      if (entry.result?.error === undefined) {
        throw new Failure("data mismatch: encode_errors without an error");
      }
      const value = inputOf(input);
      const native = (value as { t: string }).t === "native";
      const made = attempt(() => hex(encodeValue(value as Typed)));
      if ("value" in made && !native) {
        // The reference writes no unsigned integers (SPEC 2 does), and refuses nothing else that SPEC 2 takes.
        if (!/^int \d+$/.test(input)) throw new Failure(`data mismatch: SPEC.md encodes ${input}`);
        await check.gives({ op: "value.encode", value: value as Json }, { hex: made.value });
        return;
      }
      await check.refuses(
        { op: "value.encode", value: value as Json },
        ..."refused" in made ? codesOf(input, made.refused) : [],
      );
    },
  };
}

function codesOf(input: string, code: string): string[] {
  return input.startsWith("dict") ? ["VALUE_KEY", "VALUE_TYPE"] : [code];
}

function nestedLists(depth: number): Typed {
  let value: Typed = { t: "null" };
  for (let i = 0; i < depth; i++) value = { t: "list", v: [value] };
  return value;
}

function inputOf(input: string): unknown {
  const integer = /^int (-?\d+)$/.exec(input);
  if (integer !== null) return { t: "int", v: integer[1] };
  const nested = /^(\d+) nested lists$/.exec(input);
  // Any depth above 64 must be refused alike; JSON readers of programs under test give up before thousands of levels.
  if (nested !== null) return nestedLists(Math.min(Number(nested[1]), 100));
  const surrogate = /lone surrogate U\+([0-9A-F]{4})/i.exec(input);
  if (surrogate !== null) {
    return { t: "str", v: String.fromCharCode(Number.parseInt(surrogate[1] as string, 16)) };
  }
  const one = { t: "int", v: "1" };
  if (/^dict with int key/.test(input)) return { t: "dict", entries: [[one, one]] };
  if (/^dict with bytes key/.test(input)) {
    return { t: "dict", entries: [[{ t: "bytes", hex: "61" }, one]] };
  }
  if (/^dict with keys/.test(input)) return { t: "dict", entries: [[one, one], ["a", one]] };
  const native = NATIVE.find(([pattern]) => pattern.test(input));
  return { t: "native", name: native?.[1] ?? input };
}
