/**
 * Changes of values and of the messages made of them: the result is well formed again, which bytes alone seldom are.
 *
 * @module
 */
import { decodeFrame, encodeFrame } from "../../src/codec/frame.ts";
import { decodeValue, encodeValue, Float, type SttValue } from "../../src/codec/values.ts";
import { FRAME_HANDSHAKE } from "../../src/constants.ts";
import { SttError } from "../../src/errors.ts";
import type { Prng } from "../../src/testing/prng.ts";
import { mutateBytes } from "./mutate_bytes.ts";

const KEYS = [
  ["type", "node_id", "nonce", "timestamp", "commitment", "version", "suites", "seed_id"],
  ["capabilities", "cookie", "challenge", "suite", "session_id", "proof", "confirmation", "mac"],
  ["code", "versions", "max_idle", "max_data", "max_streams", "max_frame", "max_udp", "app"],
  ["reset", "migrate", "stt", "name", "size", "mode", "offset", "error", "reason", "sha256", "ok"],
  [
    "ticket",
    "resumed",
    "live",
    "next",
    "aborted",
    "keep",
    "stream",
    "one_way",
    "first",
    "received",
  ],
  [
    "confirmed",
    "ended",
    "kept",
    "confirm",
    "done",
    "abort",
    "bye",
    "id",
    "node",
    "seed",
    "tickets",
  ],
].flat() as [string, ...string[]];

const TEXTS = KEYS.concat(
  "",
  "HELLO",
  "RESPONSE",
  "AUTH_PROOF",
  "FINAL",
  "RETRY",
  "file",
  "é",
  "😀",
)
  .concat("\u0000", "__proto__", "constructor", "../x", "con", "a".repeat(65)) as [
    string,
    ...string[],
  ];

const NUMBERS: [number | bigint, ...(number | bigint)[]] = [
  0,
  1,
  -1,
  2,
  127,
  128,
  255,
  1200,
  65_535,
  65_536,
  2_097_152,
  2_097_153,
  2_147_483_648,
  4_294_967_295,
  Number.MAX_SAFE_INTEGER,
  1n << 53n,
  -(1n << 63n),
  (1n << 64n) - 1n,
  1_731_000_000_000,
];

/** Any small value. */
export function anyValue(prng: Prng, depth: number = 0): SttValue {
  switch (prng.integer(0, depth < 4 ? 8 : 6)) {
    case 0:
      return null;
    case 1:
      return prng.chance(0.5);
    case 2:
      return prng.pick(NUMBERS);
    case 3:
      return prng.bytes(prng.pick([0, 1, 8, 16, 31, 32, 33, 48, 64]));
    case 4:
      return prng.pick(TEXTS);
    case 5:
      return new Float(prng.pick([0, -0, 1.5, NaN, Infinity, 1e300, 1]));
    case 6:
      return prng.integer(-70_000, 70_000);
    case 7:
      return Array.from({ length: prng.integer(0, 4) }, () => anyValue(prng, depth + 1));
    default:
      return new Map(
        Array.from(
          { length: prng.integer(0, 4) },
          () => [prng.pick(TEXTS), anyValue(prng, depth + 1)],
        ),
      );
  }
}

/** The value with one change somewhere in it. */
export function mutateValue(value: SttValue, prng: Prng): SttValue {
  if (prng.chance(0.1)) return anyValue(prng);
  if (value instanceof Map && value.size > 0) return mutateDict(value, prng);
  if (Array.isArray(value) && value.length > 0) {
    const list = [...value];
    const at = prng.integer(0, list.length - 1);
    if (prng.chance(0.3)) list.splice(at, 1);
    else if (prng.chance(0.4)) list.splice(at, 0, list[at]!);
    else list[at] = mutateValue(list[at]!, prng);
    return list;
  }
  if (value instanceof Uint8Array) return mutateBytes(value, prng);
  if (typeof value === "number") {
    return prng.chance(0.5) ? value + prng.integer(-2, 2) : prng.pick(NUMBERS);
  }
  return anyValue(prng);
}

function mutateDict(dict: ReadonlyMap<string, SttValue>, prng: Prng): Map<string, SttValue> {
  const copy = new Map(dict);
  const keys = [...copy.keys()] as [string, ...string[]];
  const key = prng.pick(keys);
  switch (prng.integer(0, 5)) {
    case 0:
      copy.delete(key);
      break;
    case 1:
      copy.set(prng.pick(KEYS), anyValue(prng));
      break;
    case 2:
      copy.set(prng.pick(keys), copy.get(key)!);
      break;
    default:
      copy.set(key, mutateValue(copy.get(key)!, prng));
  }
  return copy;
}

/** Bytes that are a value, changed as a value; others stay as they are. */
export function mutateEncodedValue(bytes: Uint8Array, prng: Prng): Uint8Array {
  try {
    return encodeValue(mutateValue(decodeValue(bytes), prng));
  } catch (error) {
    if (error instanceof SttError) return bytes;
    throw error;
  }
}

/** A HANDSHAKE frame with a value in it, changed as one; of other frames a field. */
export function mutateFrame(bytes: Uint8Array, prng: Prng): Uint8Array {
  try {
    const { frame, size } = decodeFrame(bytes);
    const changed = { ...frame };
    if (frame.type === FRAME_HANDSHAKE && prng.chance(0.8)) {
      changed.payload = mutateEncodedValue(frame.payload, prng);
    } else mutateField(changed, prng);
    const encoded = encodeFrame(changed);
    const result = new Uint8Array(encoded.length + bytes.length - size);
    result.set(encoded);
    result.set(bytes.subarray(size), encoded.length);
    return result;
  } catch (error) {
    if (error instanceof SttError) return mutateBytes(bytes, prng);
    throw error;
  }
}

function mutateField(frame: ReturnType<typeof decodeFrame>["frame"], prng: Prng): void {
  switch (prng.integer(0, 7)) {
    case 0:
      frame.type = prng.pick([0, 1, 2, 3, 4, 5, 6, 0x7f, 0x80, 0xff]);
      return;
    case 1:
      frame.flags = prng.integer(0, 255);
      return;
    case 2:
      frame.sessionId = prng.chance(0.5) ? new Uint8Array(8) : prng.bytes(8);
      return;
    case 3:
      frame.sequence = BigInt.asUintN(64, BigInt(prng.pick(NUMBERS)));
      if (frame.sequence <= Number.MAX_SAFE_INTEGER) frame.sequence = Number(frame.sequence);
      return;
    case 4:
      frame.timestamp = prng.integer(0, 1 << 30);
      return;
    case 5:
      frame.streamId = prng.u32();
      return;
    case 6:
      frame.metadata = prng.bytes(prng.integer(0, 12));
      return;
    default:
      frame.payload = mutateBytes(frame.payload, prng);
  }
}
