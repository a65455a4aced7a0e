/**
 * The blocks that streams of the toolkit's own services begin with (SPEC 12.3): a varint length and a canonical dict, at
 * most 4096 bytes of it.
 *
 * @module
 */
import { decodeVarint, varintSize, writeVarint } from "../codec/varint.ts";
import { decodeValue, encodeValue, type SttValue } from "../codec/values.ts";
import { type ErrorCode, SttError } from "../errors.ts";

/** Largest dict of a block, in bytes. */
export const BLOCK_MAX_BYTES = 4096;
const BLOCK_MAX_DEPTH = 4;
const BLOCK_MAX_ENTRIES = 32;
const TAG_DICT = 0x41;

/** A block as it was decoded; unknown keys are there and are ignored. */
export type Block = ReadonlyMap<string, SttValue>;

/** A block and the bytes that it took. */
export interface TakenBlock {
  readonly block: Block;
  readonly size: number;
}

/** @throws {SttError} `tooLarge` above 4096 bytes. `what` names the block. */
export function encodeServiceBlock(
  fields: Map<string, SttValue>,
  what: string,
  tooLarge: ErrorCode = "CONFIG",
): Uint8Array {
  const value = encodeValue(fields);
  if (value.length > BLOCK_MAX_BYTES) {
    throw new SttError(
      tooLarge,
      `cannot encode ${what}: ${value.length} bytes exceed ${BLOCK_MAX_BYTES}`,
      { limit: BLOCK_MAX_BYTES },
    );
  }
  const bytes = new Uint8Array(varintSize(value.length) + value.length);
  bytes.set(value, writeVarint(bytes, 0, value.length));
  return bytes;
}

/**
 * Takes the block at the start of `bytes`.
 *
 * @returns undefined while bytes are missing.
 * @throws {SttError} PROTOCOL as soon as what is there cannot become a block of at most 4096 bytes.
 */
export function takeServiceBlock(bytes: Uint8Array, what: string): TakenBlock | undefined {
  const length = blockLength(bytes, what);
  if (length === undefined) return undefined;
  const start = varintSize(length);
  if (bytes.length < start + length) return undefined;
  let value: SttValue;
  try {
    value = decodeValue(bytes.subarray(start, start + length), {
      canonical: true,
      maxDepth: BLOCK_MAX_DEPTH,
      maxEntries: BLOCK_MAX_ENTRIES,
    });
  } catch (cause) {
    throw new SttError("PROTOCOL", `cannot decode ${what}: no canonical value`, { cause });
  }
  if (!(value instanceof Map)) {
    throw new SttError("PROTOCOL", `cannot decode ${what}: the value is not a dict`);
  }
  return { block: value, size: start + length };
}

/**
 * Whether bytes can be the start of a block: its length, and the tag of a dict behind it. Undefined while too few are
 * there to tell.
 */
export function mayBeBlock(bytes: Uint8Array): boolean | undefined {
  let length: number | undefined;
  try {
    length = blockLength(bytes, "block");
  } catch {
    return false;
  }
  if (length === undefined) return undefined;
  const tag = bytes[varintSize(length)];
  return tag === undefined ? undefined : tag === TAG_DICT;
}

/** The length prefix; two bytes hold every length up to the limit. */
function blockLength(bytes: Uint8Array, what: string): number | undefined {
  const [first, second] = bytes;
  if (first === undefined) return undefined;
  if (first >= 0x80 && second === undefined) return undefined;
  let length: number | bigint;
  try {
    length = decodeVarint(bytes.subarray(0, 2)).value;
  } catch (cause) {
    throw new SttError("PROTOCOL", `cannot decode ${what}: no length of one or two bytes`, {
      cause,
    });
  }
  if (length > BLOCK_MAX_BYTES) {
    throw new SttError(
      "PROTOCOL",
      `cannot decode ${what}: length ${length} exceeds ${BLOCK_MAX_BYTES}`,
    );
  }
  return Number(length);
}

/** Whether a value is a whole number from 0 to 2^53-1. A float -0 decodes to the number -0. */
export function isCount(value: SttValue | undefined): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 &&
    !Object.is(value, -0);
}
