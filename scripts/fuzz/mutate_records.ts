/**
 * Records of any kind with numbers at which limits lie.
 *
 * @module
 */
import { ByteWriter } from "../../src/codec/byte_writer.ts";
import {
  decodeRecords,
  recordSize,
  type SessionRecord,
  writeRecord,
} from "../../src/codec/records.ts";
import { SttError } from "../../src/errors.ts";
import type { Prng } from "../../src/testing/prng.ts";
import { mutateBytes } from "./mutate_bytes.ts";

const NUMBERS: [number, ...number[]] = [
  0,
  1,
  2,
  3,
  4,
  5,
  100,
  255,
  256,
  1000,
  4095,
  4096,
  65_536,
  262_144,
  1_048_576,
  2_147_483_648,
  4_294_967_295,
  Number.MAX_SAFE_INTEGER - 1,
  Number.MAX_SAFE_INTEGER,
];

function stream(prng: Prng): number {
  return prng.chance(0.85)
    ? prng.integer(1, 9)
    : prng.pick([2 ** 32 - 1, 2 ** 31, 511, 513, 10_000]);
}

function number(prng: Prng): number {
  return prng.chance(0.5) ? prng.integer(0, 3000) : prng.pick(NUMBERS);
}

function acknowledgement(prng: Prng): SessionRecord {
  let high = prng.chance(0.7) ? prng.integer(0, 40) : prng.pick(NUMBERS);
  const ranges: [number, number][] = [];
  const largest = high;
  for (let count = prng.integer(1, 5); count > 0 && high >= 0; count--) {
    const low = Math.max(0, high - prng.integer(0, 6));
    ranges.push([low, high]);
    high = low - prng.integer(2, 6);
  }
  return { type: "ack", largest, delayUs: number(prng), ranges };
}

/** Any record; it can be written. */
export function anyRecord(prng: Prng): SessionRecord {
  const reason = prng.bytes(prng.pick([0, 1, 20, 256]));
  switch (prng.integer(0, 14)) {
    case 0:
      return { type: "padding", count: prng.integer(1, 20) };
    case 1:
      return {
        type: prng.pick(["ping", "pong", "pathChallenge", "pathResponse"]),
        token: prng.bytes(8),
      };
    case 2:
      return {
        type: prng.pick(["flowCredit", "blocked"]),
        stream: prng.chance(0.3) ? 0 : stream(prng),
        limit: number(prng),
      };
    case 3:
      return { type: "keyRotation", epoch: prng.integer(0, 4) };
    case 4:
      return prng.chance(0.3)
        ? { type: "sessionClose", code: number(prng), reason }
        : { type: "error", stream: prng.integer(0, 5), code: number(prng), reason };
    case 5:
      return acknowledgement(prng);
    case 6:
      return {
        type: "streamReset",
        stream: stream(prng),
        code: number(prng),
        finalSize: number(prng),
      };
    case 7:
      return { type: "streamStop", stream: stream(prng), code: number(prng) };
    case 8:
      return { type: "streamsLimit", count: number(prng) };
    case 9: {
      const offset = number(prng);
      const length = Math.min(number(prng), Number.MAX_SAFE_INTEGER - offset);
      return { type: "streamGap", stream: stream(prng), offset, length };
    }
    case 10:
      return { type: "datagram", channel: prng.u32(), data: prng.bytes(prng.integer(0, 60)) };
    default: {
      const data = prng.bytes(prng.pick([0, 1, 10, 100, 700]));
      return {
        type: "streamData",
        stream: stream(prng),
        flags: prng.pick([0, 2, 4, 6, 8, 0x10, 0x20, 0x22, 0x26]),
        kind: prng.pick([0, 0, 2, 4, 5, 6]),
        offset: Math.min(number(prng), Number.MAX_SAFE_INTEGER - data.length),
        data,
      };
    }
  }
}

/** Records back to back. */
export function encodeRecords(records: readonly SessionRecord[]): Uint8Array {
  const bytes = new Uint8Array(records.reduce((sum, record) => sum + recordSize(record), 0));
  const writer = new ByteWriter(bytes);
  for (const record of records) writeRecord(writer, record);
  return bytes;
}

/** A payload of CONTROL with a record added, dropped, moved or replaced, or some bytes changed. */
export function mutateRecords(payload: Uint8Array, prng: Prng): Uint8Array {
  if (prng.chance(0.3)) return mutateBytes(payload, prng);
  const { records } = decodeRecords(payload);
  const at = prng.integer(0, records.length);
  const change = prng.integer(0, 5);
  if (change === 0) records.splice(at, 1);
  else if (change === 1 && records[at] !== undefined) records.splice(0, 0, records[at]);
  else records.splice(at, prng.chance(0.5) ? 1 : 0, anyRecord(prng));
  try {
    return encodeRecords(records);
  } catch (error) {
    // Some kinds end the payload and cannot stand before others.
    if (error instanceof SttError) return mutateBytes(payload, prng);
    throw error;
  }
}
