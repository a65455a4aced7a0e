/** Between the notations of README.md and the types of `src/`. @module */
import { encodeValue, Float, fromHex, type SttValue, toHex } from "../../src/codec/mod.ts";
import type { JsonObject } from "../protocol.ts";

/** What JSON gives: requests come from outside, and each operation reads the fields that README.md documents for it. */
export type Arguments = ReturnType<typeof JSON.parse>;
export type Operation = (a: Arguments) => unknown;

export function integer(text: string | number): number | bigint {
  const value = BigInt(text);
  const small = value >= BigInt(Number.MIN_SAFE_INTEGER) &&
    value <= BigInt(Number.MAX_SAFE_INTEGER);
  return small ? Number(value) : value;
}

function floatOf(hexText: string): Float {
  if (hexText.length !== 16) throw new Error("a float needs 8 bytes");
  return Float.fromBits(BigInt(`0x${hexText}`));
}

function floatHex(value: Float | number): string {
  // What was decoded carries its bits into what is encoded: tag 21, then the 8 bytes.
  return toHex(encodeValue(typeof value === "number" ? new Float(value) : value).subarray(1));
}

/** Values of the host language that must have no encoding, by the names in the data. */
const NATIVE: Readonly<Record<string, () => unknown>> = {
  set: () => new Set([1]),
  object: () => new Date(0),
  complex: () => Symbol("1j"),
  undefined: () => undefined,
  function: () => () => 0,
  symbol: () => Symbol("s"),
  "array with a hole": () => new Array(1),
};

/** The notation with `t`. */
export function fromTyped(value: Arguments): SttValue {
  switch (value.t) {
    case "null":
      return null;
    case "bool":
    case "str":
      return value.v;
    case "int":
      return integer(value.v);
    case "float":
      return floatOf(value.ieee754_be_hex);
    case "bytes":
      return fromHex(value.hex);
    case "list":
      return value.v.map(fromTyped);
    case "dict":
      return new Map(value.entries.map(([key, item]: [Arguments, Arguments]) => [
        typeof key === "string" ? key : fromTyped(key),
        fromTyped(item),
      ]));
    case "native": {
      const make = NATIVE[value.name];
      if (make === undefined) throw new UnsupportedOperation(`value ${value.name}`);
      return make() as SttValue;
    }
    default:
      throw new Error(`unknown notation ${value.t}`);
  }
}

export function toTyped(value: SttValue): JsonObject {
  if (value === null) return { t: "null" };
  if (typeof value === "boolean") return { t: "bool", v: value };
  if (typeof value === "string") return { t: "str", v: value };
  if (typeof value === "bigint") return { t: "int", v: value.toString() };
  if (value instanceof Float) return { t: "float", ieee754_be_hex: floatHex(value) };
  if (typeof value === "number") {
    const isInteger = Number.isSafeInteger(value) && !Object.is(value, -0);
    return isInteger
      ? { t: "int", v: String(value) }
      : { t: "float", ieee754_be_hex: floatHex(value) };
  }
  if (value instanceof Uint8Array) return { t: "bytes", hex: toHex(value) };
  if (Array.isArray(value)) return { t: "list", v: value.map(toTyped) };
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return { t: "dict", entries: entries.map(([key, item]) => [key, toTyped(item)]) };
}

/** The notation without `t`, as handshake fields use it. */
export function fromField(field: Arguments): SttValue {
  if (field.int !== undefined) return integer(field.int);
  if (field.text !== undefined) return field.text;
  if (field.bytes !== undefined) return fromHex(field.bytes);
  if (field.bool !== undefined) return field.bool;
  if (field.list !== undefined) return field.list.map(fromField);
  if (field.dict !== undefined) return fromFields(field.dict);
  if (field.float !== undefined) return floatOf(field.float);
  return null;
}

export function fromFields(fields: Arguments): Map<string, SttValue> {
  return new Map(Object.entries(fields).map(([name, field]) => [name, fromField(field)]));
}

export function toField(value: SttValue): JsonObject {
  if (value === null) return { null: true };
  if (typeof value === "boolean") return { bool: value };
  if (typeof value === "string") return { text: value };
  if (value instanceof Uint8Array) return { bytes: toHex(value) };
  if (Array.isArray(value)) return { list: value.map(toField) };
  if (value instanceof Map) return { dict: toFields(value) };
  const typed = toTyped(value);
  return typed.t === "float"
    ? { float: typed.ieee754_be_hex as string }
    : { int: typed.v as string };
}

export function toFields(fields: ReadonlyMap<string, SttValue>): JsonObject {
  return Object.fromEntries([...fields].map(([name, value]) => [name, toField(value)]));
}

/** The adapter cannot do what a request asks for. */
export class UnsupportedOperation extends Error {}

/** A refusal whose name in the data is no error code. */
export class RefusedOperation extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}
