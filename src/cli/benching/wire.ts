/**
 * The blocks of the measuring service (SPEC 12.12).
 *
 * @module
 */
import type { SttValue } from "../../codec/values.ts";
import { type Block, encodeServiceBlock } from "../../endpoint/service_block.ts";
import { SttError } from "../../errors.ts";

/** What both sides announce. */
export const BENCH_APP = "stt-bench/1";
/** Datagrams that are returned and counted. */
export const BENCH_CHANNEL = 1;
/** Longest time that a listener sends for one request. */
export const MAX_SOURCE_MS = 60_000;
/** Streams of one session at once. */
export const MAX_BENCH_STREAMS = 16;

/** Codes of RESET and STOP. */
export const BENCH_MALFORMED = 0x401;
export const BENCH_BUSY = 0x402;

/** What a stream measures. */
export type BenchRequest =
  /** Takes bytes and says how many came. */
  | { readonly mode: "sink" }
  /** Sends bytes for so long. */
  | { readonly mode: "source"; readonly ms: number }
  /** Says how many datagrams came since. */
  | { readonly mode: "datagrams" };

const encodeBlock = (fields: Map<string, SttValue>): Uint8Array =>
  encodeServiceBlock(fields, "measuring block");

/** The first block of a stream. */
export function encodeBenchRequest(request: BenchRequest): Uint8Array {
  const fields: [string, SttValue][] = [["stt", "bench"], ["mode", request.mode]];
  if (request.mode === "source") fields.push(["ms", request.ms]);
  return encodeBlock(new Map(fields));
}

function malformed(why: string): SttError {
  return new SttError("PROTOCOL", `cannot decode measuring block: ${why}`);
}

/** @throws {SttError} PROTOCOL */
export function decodeBenchRequest(block: Block): BenchRequest {
  if (block.get("stt") !== "bench") throw malformed("another service");
  const mode = block.get("mode");
  if (mode === "sink" || mode === "datagrams") return { mode };
  const ms = block.get("ms");
  if (mode !== "source") throw malformed("an unknown mode");
  if (typeof ms !== "number" || !(ms >= 1 && ms <= MAX_SOURCE_MS)) throw malformed("no time");
  return { mode, ms };
}

/** How much came. */
export function encodeCount(count: number): Uint8Array {
  return encodeBlock(new Map([["count", count]]));
}

/** @throws {SttError} PROTOCOL */
export function decodeCount(block: Block): number {
  const count = block.get("count");
  if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 0) {
    throw malformed("no count");
  }
  return count;
}
