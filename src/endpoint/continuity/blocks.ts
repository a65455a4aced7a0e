/**
 * The blocks of the continuity service (SPEC 15.4): a varint length and a canonical dict, at most 4096 bytes of it.
 *
 * @module
 */
import { decodeValue, encodeValue, type SttValue } from "../../codec/values.ts";
import { decodeVarint, varintSize, writeVarint } from "../../codec/varint.ts";
import { SttError } from "../../errors.ts";
import type { SttStream } from "../stt_stream.ts";

/** What the first block of the control stream names. */
export const CONTINUITY_SERVICE = "continuity";
/** Application codes of the service: of a stream whose other side has lost its state, and of sessions. */
export const CODE_LOST = 0x181;
export const CODE_MALFORMED = 0x182;
export const CODE_REPLACED = 0x183;
/** Longest name of a stream, in bytes of UTF-8. */
export const STREAM_NAME_MAX_BYTES = 255;
/** Streams of one side that may live at once; their list has to fit a block. */
export const LIVE_STREAMS_MAX = 256;
/** Given-up streams of which the other side has not heard. */
export const ABORTS_MAX = 64;
/** Confirmations in one block. */
export const CONFIRMS_PER_BLOCK = 64;

const BLOCK_MAX_BYTES = 4096;
const MAX_DEPTH = 2;
const MAX_ENTRIES = 1024;
const UTF8 = new TextEncoder();

/** A dict as it was decoded; unknown keys are there and are ignored. */
type Block = ReadonlyMap<string, SttValue>;

/** First block of either side of the control stream. */
export interface Greeting {
  /** Streams of the sender's side that live. */
  readonly live: readonly number[];
  /** The next id that the sender will open. */
  readonly next: number;
  /** Streams that the sender gave up, of either side, with the code. */
  readonly aborted: readonly (readonly [stream: number, code: number])[];
  /** Unconfirmed bytes of a stream that the sender of this keeps. */
  readonly keep: number;
}

/** What one side says of a stream at the start of its carrier. */
export interface CarrierWord {
  /** Of the other side's direction: bytes from here on are wanted. */
  readonly received: number;
  /** Of the other side's direction: bytes below are never asked for again. */
  readonly confirmed: number;
  /** Of the other side's direction: its end was confirmed. */
  readonly ended: boolean;
  /** Of the own direction: the lowest offset that can still be sent. */
  readonly kept: number;
}

/** First block of a carrier, from the side that opened the stream. */
export interface CarrierOpening extends CarrierWord {
  readonly stream: number;
  /** The application's name of the stream, at most 255 bytes. */
  readonly name: string;
  /** Only the side that opened it sends. */
  readonly oneWay: boolean;
  /** The stream's first carrier: its bytes follow from offset 0, without a look at the answer. */
  readonly first: boolean;
}

/** How far a stream's receiver is. */
export interface Confirmation {
  readonly stream: number;
  readonly offset: number;
  readonly ended: boolean;
}

/** Further blocks of the control stream. */
export type ControlBlock =
  | { readonly type: "confirm"; readonly confirmations: readonly Confirmation[] }
  /** The side that opened these streams has forgotten them: both directions are over. */
  | { readonly type: "done"; readonly streams: readonly number[] }
  | { readonly type: "abort"; readonly stream: number; readonly code: number }
  /** The answer to "abort", and to a greeting that tells of one. */
  | { readonly type: "aborted"; readonly stream: number }
  /** The sender forgets everything: there will be no other session. */
  | { readonly type: "bye" }
  | { readonly type: "unknown" };

function malformed(why: string): SttError {
  return new SttError("PROTOCOL", `cannot decode continuity block: ${why}`);
}

function encode(fields: readonly (readonly [string, SttValue])[]): Uint8Array {
  const value = encodeValue(new Map(fields));
  if (value.length > BLOCK_MAX_BYTES) {
    throw new SttError(
      "INTERNAL",
      `cannot encode continuity block: ${value.length} bytes exceed ${BLOCK_MAX_BYTES}`,
      { limit: BLOCK_MAX_BYTES },
    );
  }
  const bytes = new Uint8Array(varintSize(value.length) + value.length);
  bytes.set(value, writeVarint(bytes, 0, value.length));
  return bytes;
}

/** @throws {SttError} CONFIG above 255 bytes. */
export function checkStreamName(name: string): string {
  const length = UTF8.encode(name).length;
  if (length <= STREAM_NAME_MAX_BYTES) return name;
  throw new SttError(
    "CONFIG",
    `cannot use stream name: ${length} bytes exceed ${STREAM_NAME_MAX_BYTES}`,
    { limit: STREAM_NAME_MAX_BYTES },
  );
}

export function encodeGreeting({ live, next, aborted, keep }: Greeting): Uint8Array {
  return encode([
    ["stt", CONTINUITY_SERVICE],
    ["live", [...live]],
    ["next", next],
    ["aborted", aborted.flat()],
    ["keep", keep],
  ]);
}

export function decodeGreeting(block: Block): Greeting {
  if (block.get("stt") !== CONTINUITY_SERVICE) throw malformed("it names another service");
  const live = block.get("live");
  if (!Array.isArray(live) || !live.every(isStreamId) || live.length > LIVE_STREAMS_MAX) {
    throw malformed(`live is not a list of up to ${LIVE_STREAMS_MAX} streams`);
  }
  const pairs = block.get("aborted");
  if (!Array.isArray(pairs) || pairs.length % 2 !== 0 || pairs.length > 2 * ABORTS_MAX) {
    throw malformed("aborted is no list of twos");
  }
  const aborted: [number, number][] = [];
  for (let at = 0; at < pairs.length; at += 2) aborted.push(pair(pairs.slice(at, at + 2)));
  return { live, next: count(block, "next"), aborted, keep: count(block, "keep") };
}

function wordEntries(word: CarrierWord): [string, SttValue][] {
  const { received, confirmed, ended, kept } = word;
  return [["received", received], ["confirmed", confirmed], ["ended", ended], ["kept", kept]];
}

export function encodeOpening(opening: CarrierOpening): Uint8Array {
  const { stream, name, oneWay, first } = opening;
  return encode([
    ["stream", stream],
    ["name", name],
    ["one_way", oneWay],
    ["first", first],
    ...wordEntries(opening),
  ]);
}

export function decodeOpening(block: Block): CarrierOpening {
  const stream = block.get("stream");
  const name = block.get("name");
  if (!isStreamId(stream)) throw malformed("stream is no id");
  if (typeof name !== "string" || UTF8.encode(name).length > STREAM_NAME_MAX_BYTES) {
    throw malformed(`name is not a string of at most ${STREAM_NAME_MAX_BYTES} bytes`);
  }
  const oneWay = block.get("one_way");
  const first = block.get("first");
  if (typeof oneWay !== "boolean") throw malformed("one_way is not a bool");
  if (typeof first !== "boolean") throw malformed("first is not a bool");
  return { stream, name, oneWay, first, ...decodeWord(block) };
}

export function encodeAnswer(answer: CarrierWord | { readonly abort: number }): Uint8Array {
  return encode("abort" in answer ? [["abort", answer.abort]] : wordEntries(answer));
}

export function decodeAnswer(block: Block): CarrierWord | { readonly abort: number } {
  if (block.has("abort")) return { abort: count(block, "abort") };
  return decodeWord(block);
}

function decodeWord(block: Block): CarrierWord {
  const received = count(block, "received");
  const confirmed = count(block, "confirmed");
  const ended = block.get("ended");
  if (confirmed > received) throw malformed(`confirmed ${confirmed} is above received ${received}`);
  if (typeof ended !== "boolean") throw malformed("ended is not a bool");
  if (ended && confirmed < received) throw malformed("ended before everything was confirmed");
  return { received, confirmed, ended, kept: count(block, "kept") };
}

export function encodeControl(block: Exclude<ControlBlock, { type: "unknown" }>): Uint8Array {
  switch (block.type) {
    case "confirm":
      return encode([[
        "confirm",
        block.confirmations.flatMap(({ stream, offset, ended }) => [stream, offset, ended ? 1 : 0]),
      ]]);
    case "done":
      return encode([["done", [...block.streams]]]);
    case "abort":
      return encode([["abort", [block.stream, block.code]]]);
    case "aborted":
      return encode([["aborted", block.stream]]);
    case "bye":
      return encode([["bye", true]]);
  }
}

export function decodeControl(block: Block): ControlBlock {
  if (block.has("confirm")) return decodeConfirm(block.get("confirm"));
  if (block.has("done")) {
    const streams = block.get("done");
    if (!Array.isArray(streams) || !streams.every(isStreamId)) throw malformed("done is no list");
    return { type: "done", streams };
  }
  if (block.has("abort")) {
    const [stream, code] = pair(block.get("abort"));
    return { type: "abort", stream, code };
  }
  if (block.has("aborted")) {
    const stream = block.get("aborted");
    if (!isStreamId(stream)) throw malformed("aborted is no stream");
    return { type: "aborted", stream };
  }
  return { type: block.get("bye") === true ? "bye" : "unknown" };
}

function pair(value: SttValue | undefined): [stream: number, code: number] {
  const [stream, code] = Array.isArray(value) ? value : [];
  if (!isStreamId(stream) || !isCount(code)) throw malformed("an abort names no stream and code");
  return [stream, code];
}

function decodeConfirm(list: SttValue | undefined): ControlBlock {
  if (!Array.isArray(list) || list.length % 3 !== 0) {
    throw malformed("confirm is no list of threes");
  }
  const confirmations: Confirmation[] = [];
  for (let at = 0; at < list.length; at += 3) {
    const [stream, offset, ended] = list.slice(at, at + 3);
    if (!isStreamId(stream) || !isCount(offset) || (ended !== 0 && ended !== 1)) {
      throw malformed("confirm holds no stream, offset, and 0 or 1");
    }
    confirmations.push({ stream, offset, ended: ended === 1 });
  }
  return { type: "confirm", confirmations };
}

function count(block: Block, key: string): number {
  const value = block.get(key);
  if (isCount(value)) return value;
  throw malformed(`${key} is not a whole number`);
}

function isCount(value: SttValue | undefined): value is number {
  // A float -0 decodes to the number -0.
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 &&
    !Object.is(value, -0);
}

function isStreamId(value: SttValue | undefined): value is number {
  return isCount(value) && value > 0 && value <= 0xffffffff;
}

/**
 * Takes the block at the start of `bytes`.
 *
 * @returns undefined while bytes are missing.
 * @throws {SttError} PROTOCOL as soon as what is there cannot become a block of at most 4096 bytes.
 */
export function takeBlock(
  bytes: Uint8Array,
): { readonly block: Block; readonly size: number } | undefined {
  const [first, second] = bytes;
  if (first === undefined || (first >= 0x80 && second === undefined)) return undefined;
  let length: number;
  try {
    length = Number(decodeVarint(bytes.subarray(0, 2)).value);
  } catch (cause) {
    throw new SttError(
      "PROTOCOL",
      "cannot decode continuity block: no length of one or two bytes",
      {
        cause,
      },
    );
  }
  if (length > BLOCK_MAX_BYTES) throw malformed(`length ${length} exceeds ${BLOCK_MAX_BYTES}`);
  const start = varintSize(length);
  if (bytes.length < start + length) return undefined;
  let value: SttValue;
  try {
    value = decodeValue(bytes.subarray(start, start + length), {
      canonical: true,
      maxDepth: MAX_DEPTH,
      maxEntries: MAX_ENTRIES,
    });
  } catch (cause) {
    throw new SttError("PROTOCOL", "cannot decode continuity block: no canonical value", { cause });
  }
  if (!(value instanceof Map)) throw malformed("the value is not a dict");
  return { block: value, size: start + length };
}

/** Blocks at the start of a stream, and the bytes behind them. */
export class BlockReader {
  readonly #stream: SttStream;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(stream: SttStream) {
    this.#stream = stream;
  }

  /** The next block, or null when the stream ends in its place. @throws {SttError} PROTOCOL for a malformed one. */
  async block(): Promise<Block | null> {
    for (;;) {
      const taken = takeBlock(this.#rest);
      if (taken !== undefined) {
        this.#rest = this.#rest.subarray(taken.size);
        return taken.block;
      }
      const chunk = await this.#stream.read();
      if (chunk === null) {
        if (this.#rest.length === 0) return null;
        throw malformed("the stream ended inside it");
      }
      // Never more than a block and one chunk: takeBlock refuses what is longer.
      this.#rest = concat(this.#rest, chunk);
    }
  }

  /** The next bytes, or null at the end. */
  async bytes(signal?: AbortSignal): Promise<Uint8Array | null> {
    if (this.#rest.length === 0) {
      return await this.#stream.read(signal === undefined ? {} : { signal });
    }
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    return rest;
  }
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
