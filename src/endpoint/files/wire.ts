/**
 * The blocks of the file service (SPEC 12): a varint length and a canonical dict, at most 4096 bytes of it.
 *
 * @module
 */
import type { SttValue } from "../../codec/values.ts";
import { SttError } from "../../errors.ts";
import {
  type Block,
  BLOCK_MAX_BYTES,
  encodeServiceBlock,
  isCount,
  type TakenBlock,
  takeServiceBlock,
} from "../service_block.ts";

/** The application name that both sides announce when they use the file service (SPEC 12). */
export const FILES_APP = "stt-files/1";

const HASH_BYTES = 32;

export { type Block, BLOCK_MAX_BYTES, isCount };

/** What the sender says about a file before its bytes. */
export interface FileOffer {
  /** The name the sender wishes for: data from a stranger until the name rules have passed it. */
  readonly name: string;
  /** Bytes, 0 to 2^53-1; null when the sender does not know yet (`pipe` only). */
  readonly size: number | null;
  /** `file`: bytes of a known number. `pipe`: what a program writes, until its end. */
  readonly mode: "file" | "pipe";
  /** The sender can begin anywhere in the file, so it may go on where an earlier transfer broke off. */
  readonly resume?: true;
}

/** What the receiver answers to an offer: where to begin, or what it kept and wants to see proved, or why not. */
export type OfferAnswer = { readonly offset: number } | { readonly kept: number } | FileRefusal;

/** A refusal or failure as it goes over the wire. */
export interface FileRefusal {
  /** `FILE_REFUSALS`, 0x100 and above. */
  readonly error: number;
  /** For people; never holds a path of the receiver. */
  readonly reason: string;
}

/** What the receiver says last. */
export type FinalAnswer = { readonly ok: true } | FileRefusal;

export function malformed(why: string): SttError {
  return new SttError("PROTOCOL", `cannot decode file block: ${why}`);
}

export function encodeBlock(fields: Map<string, SttValue>): Uint8Array {
  return encodeServiceBlock(fields, "file block", "FILE_NAME");
}

/** As {@link takeServiceBlock}. */
export function takeBlock(bytes: Uint8Array): TakenBlock | undefined {
  return takeServiceBlock(bytes, "file block");
}

/** The first block of a stream. */
export function encodeOffer(offer: FileOffer): Uint8Array {
  return encodeBlock(
    new Map<string, SttValue>([
      ["stt", "file"],
      ["name", offer.name],
      ["size", offer.size],
      ["mode", offer.mode],
      ...(offer.resume === true ? [["resume", true] as const] : []),
    ]),
  );
}

/** @throws {SttError} UNSUPPORTED for another service, PROTOCOL for a malformed offer. */
export function decodeOffer(block: Block): FileOffer {
  const service = block.get("stt");
  if (typeof service !== "string") throw malformed("the first block names no service");
  if (service !== "file") {
    throw new SttError("UNSUPPORTED", "cannot take stream: it asks for another service than files");
  }
  const name = block.get("name");
  const size = block.get("size");
  const mode = block.get("mode");
  if (typeof name !== "string") throw malformed("name is not a string");
  if (mode !== "file" && mode !== "pipe") throw malformed("mode is neither file nor pipe");
  if (size !== null && !isCount(size)) throw malformed("size is neither a whole number nor null");
  if (size === null && mode === "file") throw malformed("a file needs a size");
  // Only what has a known size can be told from another file of the same name.
  const resume = size !== null && block.get("resume") === true;
  return resume ? { name, size, mode, resume } : { name, size, mode };
}

export function encodeOfferAnswer(answer: OfferAnswer): Uint8Array {
  if ("error" in answer) return encodeRefusal(answer);
  if ("kept" in answer) return encodeBlock(new Map<string, SttValue>([["kept", answer.kept]]));
  return encodeBlock(new Map<string, SttValue>([["offset", answer.offset]]));
}

export function decodeOfferAnswer(block: Block): OfferAnswer {
  if (block.has("error")) return refusalOfBlock(block);
  const kept = block.get("kept");
  if (kept !== undefined) {
    if (!isCount(kept) || kept === 0) throw malformed("kept is not a whole number from 1");
    return { kept };
  }
  const offset = block.get("offset");
  if (!isCount(offset)) throw malformed("the answer to the offer has neither offset nor error");
  return { offset };
}

/** The sender's answer to {kept}: the SHA-256 of as many first bytes of the file that it has now. */
export function encodePrefix(sha256: Uint8Array): Uint8Array {
  return encodeBlock(new Map<string, SttValue>([["prefix", sha256]]));
}

export function decodePrefix(block: Block): Uint8Array {
  return hashOfBlock(block, "prefix");
}

/** The block behind the bytes. */
export function encodeTrailer(sha256: Uint8Array): Uint8Array {
  return encodeBlock(new Map<string, SttValue>([["sha256", sha256]]));
}

export function decodeTrailer(block: Block): Uint8Array {
  return hashOfBlock(block, "sha256");
}

/** A SHA-256 that must be there. */
export function hashOfBlock(block: Block, key: "prefix" | "sha256"): Uint8Array {
  const sha256 = block.get(key);
  if (sha256 instanceof Uint8Array && sha256.length === HASH_BYTES) return sha256;
  throw malformed(`the block has no ${key} of 32 bytes`);
}

/**
 * Bytes of the trailer with its length. It is fixed: in bytes of unknown number the receiver finds the trailer as the
 * last ones before the end of the stream.
 */
export const TRAILER_BYTES: number = encodeTrailer(new Uint8Array(HASH_BYTES)).length;

export function encodeFinalAnswer(answer: FinalAnswer): Uint8Array {
  if ("error" in answer) return encodeRefusal(answer);
  return encodeBlock(new Map<string, SttValue>([["ok", true]]));
}

export function decodeFinalAnswer(block: Block): FinalAnswer {
  if (block.has("error")) return refusalOfBlock(block);
  if (block.get("ok") !== true) throw malformed("the last answer has neither ok nor error");
  return { ok: true };
}

function encodeRefusal(refusal: FileRefusal): Uint8Array {
  return encodeBlock(
    new Map<string, SttValue>([["error", refusal.error], ["reason", refusal.reason]]),
  );
}

export function refusalOfBlock(block: Block): FileRefusal {
  const error = block.get("error");
  const reason = block.get("reason");
  if (!isCount(error)) throw malformed("error is not a whole number");
  return { error, reason: typeof reason === "string" ? reason : "" };
}
