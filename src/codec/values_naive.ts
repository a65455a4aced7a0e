import { type ErrorCode, SttError } from "../errors.ts";
import { Float, type SttValue } from "./value_types.ts";

/** The obvious value codec: what value_encoder.ts and value_decoder.ts must agree with. For tests only. */
export function encodeValueNaive(value: SttValue): number[] {
  if (value === null) return [0];
  if (typeof value === "boolean") return [value ? 2 : 1];
  if (typeof value === "string") return [0x31, ...sized(new TextEncoder().encode(value))];
  if (value instanceof Uint8Array) return [0x30, ...sized(value)];
  if (value instanceof Float) return float(value);
  if (typeof value === "number") {
    if (!Number.isInteger(value) || Object.is(value, -0)) return float(new Float(value));
    return integer(BigInt(value));
  }
  if (typeof value === "bigint") return integer(value);
  if (Array.isArray(value)) {
    return [0x40, ...big(BigInt(value.length), 4), ...value.flatMap(encodeValueNaive)];
  }
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  const encoded = entries.map(([key, item]) => ({
    points: [...key].map((point) => point.codePointAt(0) as number),
    bytes: [...encodeValueNaive(key), ...encodeValueNaive(item)],
  }));
  encoded.sort((a, b) => comparePoints(a.points, b.points));
  return [0x41, ...big(BigInt(entries.length), 4), ...encoded.flatMap(({ bytes }) => bytes)];
}

function comparePoints(a: number[], b: number[]): number {
  const at = a.findIndex((point, index) => point !== b[index]);
  return at < 0 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1);
}

function sized(bytes: Uint8Array): number[] {
  return [...big(BigInt(bytes.length), 4), ...bytes];
}

function big(value: bigint, size: number): number[] {
  const hex = BigInt.asUintN(size * 8, value).toString(16).padStart(size * 2, "0");
  return Array.from(
    { length: size },
    (_, index) => parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );
}

function integer(value: bigint): number[] {
  for (const [tag, size] of [[0x10, 1], [0x11, 2], [0x12, 4], [0x13, 8]] as const) {
    if (BigInt.asIntN(size * 8, value) === value) return [tag, ...big(value, size)];
  }
  return [0x17, ...big(value, 8)];
}

function float(value: Float): number[] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value.value);
  const bits = Number.isNaN(value.value) ? 0x7ff8n << 48n : view.getBigUint64(0);
  return [0x21, ...big(value.nanBits ?? bits, 8)];
}

/** The value and the bytes behind it; throws the code of the refusal. Knows no canonical form and no limits but depth. */
export function decodeValueNaive(bytes: number[], depth = 0): { value: SttValue; rest: number[] } {
  const [tag, ...body] = need(bytes, 1);
  switch (tag) {
    case 0x00:
      return { value: null, rest: body };
    case 0x01:
    case 0x02:
      return { value: tag === 0x02, rest: body };
    case 0x10:
    case 0x11:
    case 0x12:
    case 0x13:
      return number(body, 2 ** (tag - 0x10), true);
    case 0x14:
    case 0x15:
    case 0x16:
    case 0x17:
      return number(body, 2 ** (tag - 0x14), false);
    case 0x20:
    case 0x21:
      return real(body, tag === 0x20 ? 4 : 8);
    case 0x30:
    case 0x31: {
      const { count, rest } = counted(body);
      const content = new Uint8Array(rest.slice(0, count));
      return { value: tag === 0x30 ? content : text(content), rest: rest.slice(count) };
    }
    case 0x40:
    case 0x41:
      if (depth === 64) refuse("VALUE_DEPTH");
      return tag === 0x40 ? list(body, depth + 1) : dict(body, depth + 1);
    default:
      return refuse("VALUE_TAG");
  }
}

function list(body: number[], depth: number): { value: SttValue; rest: number[] } {
  let { count, rest } = counted(body);
  const value: SttValue[] = [];
  for (; count > 0; count--) {
    const item = decodeValueNaive(rest, depth);
    value.push(item.value);
    rest = item.rest;
  }
  return { value, rest };
}

function dict(body: number[], depth: number): { value: SttValue; rest: number[] } {
  let { count, rest } = counted(body);
  const value: Map<string, SttValue> = new Map();
  for (; count > 0; count--) {
    if (need(rest, 1)[0] !== 0x31) refuse("VALUE_KEY");
    const key = decodeValueNaive(rest, depth);
    if (value.has(key.value as string)) refuse("VALUE_DUPLICATE_KEY");
    const item = decodeValueNaive(key.rest, depth);
    value.set(key.value as string, item.value);
    rest = item.rest;
  }
  return { value, rest };
}

function number(
  body: number[],
  size: number,
  signed: boolean,
): { value: SttValue; rest: number[] } {
  const raw = need(body, size).slice(0, size).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const wide = signed ? BigInt.asIntN(size * 8, raw) : raw;
  const safe = Number.isSafeInteger(Number(wide));
  return { value: safe ? Number(wide) : wide, rest: body.slice(size) };
}

function real(body: number[], size: number): { value: SttValue; rest: number[] } {
  const view = new DataView(new Uint8Array(need(body, size).slice(0, size)).buffer);
  const rest = body.slice(size);
  const value = size === 4 ? view.getFloat32(0) : view.getFloat64(0);
  if (Number.isNaN(value) && size === 8) {
    const float = Float.fromBits(view.getBigUint64(0));
    return { value: float.nanBits === undefined ? NaN : float, rest };
  }
  const whole = Number.isInteger(value) && !Object.is(value, -0);
  return { value: whole ? new Float(value) : value, rest };
}

function counted(body: number[]): { count: number; rest: number[] } {
  const count = Number(`0x${hex(need(body, 4).slice(0, 4))}`);
  const rest = body.slice(4);
  if (count > rest.length) refuse("VALUE_LENGTH");
  return { count, rest };
}

function text(content: Uint8Array): string {
  const escaped = hex([...content]).replace(/../g, "%$&");
  try {
    return decodeURIComponent(escaped);
  } catch (cause) {
    if (cause instanceof URIError) return refuse("VALUE_UTF8");
    throw cause;
  }
}

function hex(bytes: number[]): string {
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function need(bytes: number[], count: number): number[] {
  return bytes.length < count ? refuse("VALUE_INCOMPLETE") : bytes;
}

function refuse(code: ErrorCode): never {
  throw new SttError(code, "cannot decode value");
}
