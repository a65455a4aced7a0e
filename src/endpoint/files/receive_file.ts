/**
 * The receiving side of the file service.
 *
 * @module
 */
import { isAbsolute } from "node:path";
import process from "node:process";
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";
import { checkFileName } from "./file_name.ts";
import { type FileDestination, ForwardedBytes, PartFile } from "./part_file.ts";
import { agreeOnStart, type PrefixState } from "./prefix.ts";
import { isPartName, resumable, type ResumeLimits, resumeLimits } from "./kept_parts.ts";
import { FILE_REFUSALS, fileError, refusal, refusalError, refusalOf } from "./refusals.ts";
import {
  decodeOffer,
  decodeTrailer,
  encodeFinalAnswer,
  encodeOfferAnswer,
  type FileOffer,
  TRAILER_BYTES,
} from "./wire.ts";

/** How far a transfer is. */
export interface FileProgress {
  /** Name of the file, as it was offered. */
  readonly name: string;
  /** Bytes done. */
  readonly bytes: number;
  /** Bytes in all, or null while nobody knows. */
  readonly size: number | null;
  /** Bytes of those done that an earlier transfer brought. */
  readonly resumed: number;
}

/** Options of {@link receiveFile} and {@link receiveFiles}: one of `directory` and `write`. */
export interface ReceiveFileOptions {
  /** Folder that files appear in, under their own names and nowhere else. */
  readonly directory?: string;
  /** Takes the bytes instead of a folder. They are verified only after the last one was handed over. */
  readonly write?: (chunk: Uint8Array) => void | Promise<void>;
  /** Replace files of the same name. Default false. */
  readonly overwrite?: boolean;
  /** Largest file taken, in bytes. Default: no limit but the disk's. */
  readonly maxBytes?: number;
  /** Decides over each offer; false declines it. The name has passed the name rules. */
  readonly accept?: (offer: FileOffer) => boolean | Promise<boolean>;
  /** Called after every chunk. */
  readonly onProgress?: (progress: FileProgress) => void;
  /**
   * With `directory`: keep what came of a file of a known size from 1 MiB on when its transfer breaks off, hidden beside
   * its place, and go on there when a sender offers the same name and size and proves the same first bytes (SPEC 12.4).
   * True for the default limits. Default false: nothing stays behind.
   */
  readonly resume?: boolean | ResumeLimits;
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

/** One transfer of {@link receiveFiles}. */
export type FileOutcome =
  | (ReceivedFile & { readonly ok: true })
  | {
    /** It did not arrive, and nothing of it is left but what `resume` keeps. */
    readonly ok: false;
    /** The name that was offered, unchecked; undefined when not even that arrived. */
    readonly name: string | undefined;
    /** Why; what the sender was told holds less. */
    readonly error: SttError;
  };

const MAX_READ_BYTES = 1_048_576;

/**
 * Receives the one file that a peer sends on a stream.
 *
 * It is written beside its place under a hidden name, verified, synced, and only then appears under its own. Whatever
 * goes wrong, the sender is told (without any path of this machine), and nothing stays behind
 * but what `resume` keeps.
 *
 * @throws {SttError} FILE_NAME, FILE_EXISTS, FILE_IO, FILE_HASH, FILE_TOO_LARGE, REFUSED (`accept` said no), UNSUPPORTED
 *   (the stream is of another service), PROTOCOL, STREAM_RESET (the sender gave up), the error that ended the session;
 *   the signal's reason when aborted.
 */
export async function receiveFile(
  stream: SttStream,
  options: ReceiveFileOptions,
): Promise<ReceivedFile> {
  checkOptions(options);
  return await receiveOffered(stream, options, () => undefined);
}

/**
 * Files that a peer sends, one after the other, until the session ends. A file that fails is an outcome too, and the
 * next one follows.
 *
 * @throws {SttError} the error that ended the session, unless it ended in order; the signal's reason when aborted.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen, receiveFiles, sendFile } from "@seigr/stt";
 * import { mkdtemp, readFile, rm } from "node:fs/promises";
 * import { tmpdir } from "node:os";
 * import { join } from "node:path";
 *
 * const directory = await mkdtemp(join(tmpdir(), "stt-"));
 * const seed = generateSeed();
 * const app = "stt-files/1";
 * const listener = await listen("mem:files-example", { seed, app });
 * const client = await connect("mem:files-example", { seed, app });
 * const server = (await listener.nextPeer())!;
 *
 * const sending = sendFile(client, {
 *   name: "hello.txt",
 *   size: 5,
 *   source: [new TextEncoder().encode("hello")],
 * });
 * for await (const file of receiveFiles(server, { directory })) {
 *   if (file.ok) console.log(await readFile(join(directory, file.name), "utf8")); // "hello"
 *   break;
 * }
 * console.log((await sending).bytes); // 5
 * await listener.close();
 * await rm(directory, { recursive: true });
 * ```
 */
export async function* receiveFiles(
  peer: Peer,
  options: ReceiveFileOptions,
): AsyncGenerator<FileOutcome, void, void> {
  checkOptions(options);
  const { signal } = options;
  for (;;) {
    const stream = await peer.acceptStream(signal === undefined ? {} : { signal });
    if (stream === null) return;
    let name: string | undefined;
    try {
      const file = await receiveOffered(stream, options, (offered) => {
        name = offered;
      });
      yield { ok: true, ...file };
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      yield { ok: false, name, error };
    }
  }
}

/** Tells a sender that this side takes no files. */
export function declineFile(stream: SttStream): void {
  answerRefusal(stream, "declined");
}

function checkOptions({ directory, write, maxBytes, resume }: ReceiveFileOptions): void {
  if ((directory === undefined) === (write === undefined)) {
    throw new SttError("CONFIG", "cannot receive files: name one of directory and write");
  }
  if (maxBytes !== undefined && !(maxBytes >= 0)) {
    throw new SttError("CONFIG", `cannot use option maxBytes: ${maxBytes} is not 0 or above`);
  }
  if (resumeLimits(resume) !== undefined && write !== undefined) {
    throw new SttError("CONFIG", "cannot use option resume: write keeps nothing");
  }
}

async function receiveOffered(
  stream: SttStream,
  options: ReceiveFileOptions,
  onName: (name: string) => void,
): Promise<ReceivedFile> {
  const { signal } = options;
  const blocks = new BlockStream(stream, signal);
  let destination: FileDestination | undefined;
  try {
    signal?.throwIfAborted();
    const offer = decodeOffer(await blocks.block());
    onName(offer.name);
    destination = await takeOffer(offer, options);
    const start = await agreeOnStart(blocks, destination, signal);
    const { bytes, sha256 } = await receiveBytes(blocks, offer, destination, start, options);
    // Verified and about to be kept: from here on an abort comes too late.
    const path = await destination.commit();
    destination = undefined;
    await confirm(stream);
    const { name, mode } = offer;
    return { name, path, bytes, mode, sha256, resumed: start.offset };
  } catch (thrown) {
    const error = senderGaveUp(thrown);
    if (brokeOff(error, signal)) await destination?.keep();
    else await destination?.discard();
    answerRefusal(stream, signal?.aborted === true ? "cancelled" : refusalOf(error));
    throw error;
  }
}

/** True when nothing is known against the bytes: the session ended, or somebody gave up. */
function brokeOff(error: unknown, signal: AbortSignal | undefined): boolean {
  if (signal?.aborted === true) return true;
  if (!(error instanceof SttError)) return false;
  return !error.code.startsWith("FILE_") &&
    !(["PROTOCOL", "REFUSED", "UNSUPPORTED"] as readonly string[]).includes(error.code);
}

/** The file is kept whether or not the sender hears of it: it may be gone by now. */
async function confirm(stream: SttStream): Promise<void> {
  try {
    await stream.write(encodeFinalAnswer({ ok: true }), { own: true });
    await stream.end();
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
  }
}

async function takeOffer(
  offer: FileOffer,
  options: ReceiveFileOptions,
): Promise<FileDestination> {
  const { directory, write, maxBytes = Infinity, accept, overwrite = false, resume } = options;
  checkFileName(offer.name, process.platform === "win32");
  if (isAbsolute(offer.name)) {
    throw new SttError("FILE_NAME", "cannot use file name: it is an absolute path");
  }
  if (write === undefined && isPartName(offer.name)) {
    throw new SttError("FILE_NAME", "cannot use file name: it is one of parts of files");
  }
  if (offer.size !== null && offer.size > maxBytes) throw tooLarge(maxBytes);
  if (accept !== undefined && await accept(offer) !== true) {
    throw new SttError("REFUSED", `cannot take ${JSON.stringify(offer.name)}: it was declined`);
  }
  if (write !== undefined) return new ForwardedBytes(write);
  const size = offer.resume === true && resumable(offer.size) ? offer.size : undefined;
  const limits = resumeLimits(resume);
  return await PartFile.create(
    directory as string,
    offer.name,
    overwrite,
    limits === undefined || size === undefined ? undefined : { size, limits },
  );
}

async function receiveBytes(
  blocks: BlockStream,
  offer: FileOffer,
  destination: FileDestination,
  { offset, hash }: PrefixState,
  options: ReceiveFileOptions,
): Promise<{ readonly bytes: number; readonly sha256: Uint8Array }> {
  const { maxBytes = Infinity, onProgress, signal } = options;
  let bytes = offset;
  const take = async (chunk: Uint8Array): Promise<void> => {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    hash.update(chunk);
    await write(destination, chunk);
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

async function write(destination: FileDestination, chunk: Uint8Array): Promise<void> {
  try {
    await destination.write(chunk);
  } catch (cause) {
    throw fileError("write", "the output", cause);
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

/** A RESET with a code of the file service says more than "reset". */
function senderGaveUp(error: unknown): unknown {
  if (!(error instanceof SttError) || error.code !== "STREAM_RESET" || error.wire === null) {
    return error;
  }
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
