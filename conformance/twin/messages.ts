/** SPEC 6: the messages as typed fields, canonical values and HANDSHAKE frames. @module */
import { concat, hex, Refusal, same, unhex } from "./bytes.ts";
import { decodeFrame, encodeFrame } from "./frame.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";

/** One field in the notation of the data files. */
export type Field =
  | { readonly int: string }
  | { readonly text: string }
  | { readonly bytes: string }
  | { readonly bool: boolean }
  | { readonly list: readonly Field[] }
  | { readonly dict: Fields }
  | { readonly float: string }
  | { readonly null: true };

export type Fields = Readonly<Record<string, Field>>;

export function toTyped(field: Field): Typed {
  if ("int" in field) return { t: "int", v: field.int };
  if ("text" in field) return { t: "str", v: field.text };
  if ("bytes" in field) return { t: "bytes", hex: field.bytes };
  if ("bool" in field) return { t: "bool", v: field.bool };
  if ("list" in field) return { t: "list", v: field.list.map(toTyped) };
  if ("dict" in field) return toTypedDict(field.dict);
  if ("float" in field) return { t: "float", ieee754_be_hex: field.float };
  if ("null" in field) return { t: "null" };
  throw new Error(`unknown notation ${JSON.stringify(field)}`);
}

export function toTypedDict(fields: Fields): Typed {
  return {
    t: "dict",
    entries: Object.entries(fields).map(([key, field]) => [key, toTyped(field)]),
  };
}

export function toField(value: Typed): Field {
  switch (value.t) {
    case "int":
      return { int: value.v };
    case "str":
      return { text: value.v };
    case "bytes":
      return { bytes: value.hex };
    case "bool":
      return { bool: value.v };
    case "float":
      return { float: value.ieee754_be_hex };
    case "list":
      return { list: value.v.map(toField) };
    case "dict":
      return { dict: toFields(value) };
    default:
      return { null: true };
  }
}

export function toFields(value: Typed): Fields {
  if (value.t !== "dict") throw new Refusal("HANDSHAKE_MESSAGE");
  return Object.fromEntries(value.entries.map(([key, item]) => [key, toField(item)]));
}

export function encodeFields(fields: Fields): Uint8Array {
  return encodeValue(toTypedDict(fields));
}

export function without(fields: Fields, ...names: string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)));
}

/** The complete HANDSHAKE frame around a value. */
export function handshakeFrame(value: Uint8Array): Uint8Array {
  return encodeFrame({
    frame_type: 5,
    flags: 0,
    session_id: "0000000000000000",
    sequence: "0",
    timestamp: "0",
    stream_id: 0,
    crypto_metadata: null,
    payload: hex(value),
  });
}

type Shape = "int" | "ints" | number | "bytes" | "empty" | "list" | "text";

const SHAPES: Readonly<Record<string, Readonly<Record<string, Shape>>>> = {
  HELLO: {
    node_id: 32,
    nonce: 32,
    timestamp: "int",
    commitment: 16,
    version: "int",
    suites: "ints",
    seed_id: 8,
    capabilities: "int",
  },
  RESPONSE: {
    node_id: 32,
    nonce: 32,
    challenge: "bytes",
    challenge_metadata: "empty",
    timestamp: "int",
    suite: "int",
    session_id: 8,
  },
  AUTH_PROOF: { session_id: 8, proof: "bytes", proof_metadata: "empty", timestamp: "int" },
  FINAL: { session_id: 8, timestamp: "int", confirmation: 16 },
  RETRY: { nonce: 32, code: "int", cookie: "bytes", versions: "list", suites: "list", mac: 16 },
};

function fits(field: Field | undefined, shape: Shape): boolean {
  if (field === undefined) return false;
  const bytes = "bytes" in field ? field.bytes.length / 2 : undefined;
  if (typeof shape === "number") return bytes === shape;
  if (shape === "bytes") return bytes !== undefined;
  if (shape === "empty") return bytes === 0;
  if (shape === "int") return "int" in field;
  if (shape === "text") return "text" in field;
  if (!("list" in field)) return false;
  return field.list.every((item) => "int" in item) && (shape === "list" || field.list.length > 0);
}

export interface ReadMessage {
  readonly type: string;
  readonly fields: Fields;
  readonly value: Uint8Array;
}

/**
 * A handshake message of suites 1 and 2 out of a frame, or a refusal with one of the data's verdicts: frame, encoding,
 * type, field.
 */
export function readMessage(frame: Uint8Array): ReadMessage {
  const value = handshakePayload(frame);
  let typed: Typed;
  try {
    typed = decodeValue(value, { canonical: true, maxDepth: 2, maxEntries: 32 });
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("encoding", error.code);
    throw error;
  }
  // SPEC 6.2: a receiver re-encodes what it decoded and refuses a difference.
  if (!same(encodeValue(typed), value)) throw new Refusal("encoding");
  // A value of another kind is well encoded; it names no message.
  if (typed.t !== "dict") throw new Refusal("type");
  const fields = toFields(typed);
  const type = fields.type;
  const name = type !== undefined && "text" in type ? type.text : undefined;
  const shape = name === undefined || !Object.hasOwn(SHAPES, name) ? undefined : SHAPES[name];
  if (name === undefined || shape === undefined) throw new Refusal("type");
  for (const [field, wanted] of Object.entries(shape)) {
    if (!fits(fields[field], wanted)) throw new Refusal("field", field);
  }
  if (name === "HELLO" && fields.cookie !== undefined && !fits(fields.cookie, "bytes")) {
    throw new Refusal("field", "cookie");
  }
  if (name === "HELLO" && fields.ticket !== undefined && !fits(fields.ticket, 16)) {
    throw new Refusal("field", "ticket");
  }
  return { type: name, fields, value };
}

/** The payload of a frame that obeys the protection rule of SPEC 3. */
function handshakePayload(frame: Uint8Array): Uint8Array {
  let found: ReturnType<typeof decodeFrame>;
  try {
    found = decodeFrame(frame, 4096);
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal("frame", error.code);
    throw error;
  }
  if (found.consumed !== frame.length) throw new Refusal("frame");
  const zero = concat(Uint8Array.of(5), new Uint8Array(29));
  if (!same(found.header, zero) || found.frame.crypto_metadata !== null) throw new Refusal("frame");
  return unhex(found.frame.payload);
}

export function bytesOf(fields: Fields, name: string): Uint8Array {
  return unhex((fields[name] as { bytes: string }).bytes);
}

export function intOf(fields: Fields, name: string): bigint {
  return BigInt((fields[name] as { int: string }).int);
}

export function intsOf(fields: Fields, name: string): number[] {
  return (fields[name] as { list: { int: string }[] }).list.map((item) => Number(item.int));
}
