/**
 * The receiving side of a transfer, wherever the bytes go.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";
import type { FileDestination, FilePlace } from "./destination.ts";
import { agreeOnStart, type PrefixState } from "./prefix.ts";
import type { FileProgress } from "./progress.ts";
import { FILE_REFUSALS, refusal, refusalError, refusalOf } from "./refusals.ts";
import type { FileRuntime } from "./runtime.ts";
import {
  type Block,
  decodeOffer,
  decodeTrailer,
  encodeFinalAnswer,
  encodeOfferAnswer,
  type FileOffer,
  TRAILER_BYTES,
} from "./wire.ts";

/** Options of receiving that do not depend on where the bytes go. */
export interface TakeOptions {
  /** Largest file taken, in bytes. Default: no limit but that of the place it goes to. */
  readonly maxBytes?: number;
  /** Decides over each offer; false declines it. The name has passed the name rules. */
  readonly accept?: (offer: FileOffer) => boolean | Promise<boolean>;
  /** Called after every chunk. */
  readonly onProgress?: (progress: FileProgress) => void;
  /** Gives up: the sender is told, and nothing stays behind but what `resume` keeps. */
  readonly signal?: AbortSignal;
}

/** A file that arrived whole and verified. */
export interface ReceivedFile {
  /** Name that the sender gave; it has passed the name rules. */
  readonly name: string;
  /** Where it is; null when the bytes went to `write`. */
  readonly path: string | null;
  /** Size. */
  readonly bytes: number;
  /** `pipe` when the sender did not know the size beforehand. */
  readonly mode: "file" | "pipe";
  /** 32 bytes, verified. */
  readonly sha256: Uint8Array;
  /** Bytes that were here from an earlier transfer, and did not travel again. */
  readonly resumed: number;
}

const MAX_READ_BYTES = 1_048_576;

/** Tells a sender that this side takes no files. */
export function declineFile(stream: SttStream): void {
  answerRefusal(stream, "declined");
}

/** @throws {SttError} CONFIG. */
export function checkMaxBytes(maxBytes: number | undefined): void {
  if (maxBytes === undefined || maxBytes >= 0) return;
  throw new SttError("CONFIG", `cannot use option maxBytes: ${maxBytes} is not 0 or above`);
}

/** Receives the file that a stream offers next, or, as `first`, has offered already. */
export async function receiveOffered(
  stream: SttStream,
  place: FilePlace,
  runtime: FileRuntime,
  options: TakeOptions,
  onName: (name: string) => void,
  first?: { readonly blocks: BlockStream; readonly fields: Block },
): Promise<ReceivedFile> {
  const { signal } = options;
  const blocks = first?.blocks ?? new BlockStream(stream, signal);
  let destination: FileDestination | undefined;
  try {
    signal?.throwIfAborted();
    const offer = decodeOffer(first?.fields ?? await blocks.block());
    onName(offer.name);
    destination = await takeOffer(offer, place, options);
    const start = await agreeOnStart(blocks, destination, runtime, signal);
    const { bytes, sha256 } = await receiveBytes(
      blocks,
      offer,
      destination,
      start,
      runtime,
      options,
    );
    // Verified and about to be kept: from here on an abort comes too late.
    const path = await destination.commit();
    destination = undefined;
    await confirm(stream, encodeFinalAnswer({ ok: true }));
    const { name, mode } = offer;
    return { name, path, bytes, mode, sha256, resumed: start.offset };
  } catch (thrown) {
    const error = senderGaveUp(thrown);
    if (brokeOff(error, signal)) await destination?.keep();
    else await destination?.discard();
    answerFailure(stream, error, runtime, signal);
    throw error;
  }
}

/** Tells the sender as much of an error as it may know, and reads no more. */
export function answerFailure(
  stream: SttStream,
  error: unknown,
  runtime: FileRuntime,
  signal: AbortSignal | undefined,
): void {
  answerRefusal(
    stream,
    signal?.aborted === true ? "cancelled" : refusalOf(error, runtime.isFull),
  );
}

/** True when nothing is known against the bytes: the session ended, or somebody gave up. */
export function brokeOff(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted === true) return true;
  if (!(error instanceof SttError)) return false;
  return !error.code.startsWith("FILE_") &&
    !(["PROTOCOL", "REFUSED", "UNSUPPORTED"] as readonly string[]).includes(error.code);
}

/** The file is kept whether or not the sender hears of it: it may be gone by now. */
export async function confirm(stream: SttStream, answer: Uint8Array): Promise<void> {
  try {
    await stream.write(answer, { own: true });
    await stream.end();
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
  }
}

async function takeOffer(
  offer: FileOffer,
  place: FilePlace,
  { maxBytes = Infinity, accept }: TakeOptions,
): Promise<FileDestination> {
  place.checkName(offer.name);
  if (offer.size !== null && offer.size > maxBytes) throw tooLarge(maxBytes);
  if (accept !== undefined && await accept(offer) !== true) {
    throw new SttError("REFUSED", `cannot take ${JSON.stringify(offer.name)}: it was declined`);
  }
  return await place.open(offer);
}

async function receiveBytes(
  blocks: BlockStream,
  offer: FileOffer,
  destination: FileDestination,
  { offset, hash }: PrefixState,
  runtime: FileRuntime,
  options: TakeOptions,
): Promise<{ readonly bytes: number; readonly sha256: Uint8Array }> {
  const { maxBytes = Infinity, onProgress, signal } = options;
  let bytes = offset;
  const take = async (chunk: Uint8Array): Promise<void> => {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    hash.update(chunk);
    await write(destination, chunk, runtime);
    signal?.throwIfAborted();
    onProgress?.({ name: offer.name, bytes, size: offer.size, resumed: offset });
  };
  if (offer.size === null) await untilTrailer(blocks, take);
  else await exactly(blocks, offer.size - offset, take);
  const promised = decodeTrailer(await blocks.block());
  await blocks.expectEnd();
  const sha256 = new Uint8Array(hash.digest());
  if (!sha256.every((byte, index) => byte === promised[index])) {
    throw new SttError(
      "FILE_HASH",
      `cannot take ${JSON.stringify(offer.name)}: the SHA-256 does not match`,
    );
  }
  return { bytes, sha256 };
}

async function write(
  destination: FileDestination,
  chunk: Uint8Array,
  runtime: FileRuntime,
): Promise<void> {
  try {
    await destination.write(chunk);
  } catch (cause) {
    throw runtime.error("write", "the output", cause);
  }
}

async function exactly(
  blocks: BlockStream,
  size: number,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  for (let left = size; left > 0;) {
    const chunk = await blocks.bytes(Math.min(left, MAX_READ_BYTES));
    if (chunk === null) {
      throw new SttError("PROTOCOL", `cannot take file: it ended ${left} bytes early`);
    }
    left -= chunk.length;
    await take(chunk);
  }
}

/** The last bytes before the end are the trailer, so as many are always held back. */
async function untilTrailer(
  blocks: BlockStream,
  take: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  let held: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = await blocks.bytes(MAX_READ_BYTES);
    if (chunk === null) break;
    if (chunk.length >= TRAILER_BYTES) {
      if (held.length > 0) await take(held);
      await take(chunk.subarray(0, chunk.length - TRAILER_BYTES));
      held = chunk.slice(chunk.length - TRAILER_BYTES);
    } else {
      const joined = new Uint8Array(held.length + chunk.length);
      joined.set(held);
      joined.set(chunk, held.length);
      const ready = Math.max(0, joined.length - TRAILER_BYTES);
      if (ready > 0) await take(joined.slice(0, ready));
      held = joined.slice(ready);
    }
  }
  blocks.unread(held);
}

function tooLarge(limit: number): SttError {
  return new SttError("FILE_TOO_LARGE", `cannot take file: it is larger than ${limit} bytes`, {
    limit,
  });
}

/** A RESET or STOP with a code of the file service says more than "reset". */
export function senderGaveUp(error: unknown): unknown {
  if (!(error instanceof SttError) || error.wire === null) return error;
  if (error.code !== "STREAM_RESET" && error.code !== "STREAM_STOPPED") return error;
  const known = Object.values(FILE_REFUSALS).some(({ wire }) => wire === error.wire);
  return known ? refusalError("cannot take file", { error: error.wire, reason: "" }) : error;
}

/** Says why, and reads no more. The session may be over: then there is nobody to tell. */
function answerRefusal(stream: SttStream, name: Parameters<typeof refusal>[0]): void {
  try {
    stream.tryWrite(encodeOfferAnswer(refusal(name)), true);
    stream.end().catch(() => undefined);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
  }
  stream.stop(FILE_REFUSALS[name].wire);
}
