/**
 * The sending side of a transfer, whatever the bytes come from.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";
import { checkFileName } from "./file_name.ts";
import { type FileRange, provePrefix } from "./prefix.ts";
import type { FileProgress } from "./progress.ts";
import { FILE_REFUSALS, refusalError, type RefusalName } from "./refusals.ts";
import type { FileHash, FileRuntime } from "./runtime.ts";
import { decodeFinalAnswer, decodeOfferAnswer, encodeOffer, encodeTrailer } from "./wire.ts";

/** Options of sending that do not depend on where the bytes come from. */
export interface TransferOptions {
  /** 0 to 1000, default 500. */
  readonly priority?: number;
  /** Called after every chunk that was handed to the session. */
  readonly onProgress?: (progress: FileProgress) => void;
  /** Gives up: the receiver is told and keeps nothing. */
  readonly signal?: AbortSignal;
}

/** A file that the receiver has verified and keeps. */
export interface SentFile {
  /** Name that the receiver was given. */
  readonly name: string;
  /** Size. */
  readonly bytes: number;
  /** 32 bytes. */
  readonly sha256: Uint8Array;
  /** Bytes that the receiver had from an earlier transfer, and that did not travel again. */
  readonly resumed: number;
}

/** What is sent. */
export interface FileSource {
  readonly name: string;
  readonly size: number | null;
  readonly chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
  /** True when the chunks may be given away. */
  readonly own: boolean;
  /** The bytes from a position on, where they can be read again. */
  readonly range?: FileRange;
  close(): Promise<void>;
}

/** Sends what the source gives on a stream of its own, and closes the source. */
export async function sendSource(
  peer: Peer,
  source: FileSource,
  runtime: FileRuntime,
  options: TransferOptions,
): Promise<SentFile> {
  const { signal, priority } = options;
  try {
    checkFileName(source.name, false);
    const stream = await peer.openStream({
      ...(signal === undefined ? {} : { signal }),
      ...(priority === undefined ? {} : { priority }),
    });
    return await transfer(stream, source, runtime, options);
  } finally {
    await source.close();
  }
}

async function transfer(
  stream: SttStream,
  source: FileSource,
  runtime: FileRuntime,
  options: TransferOptions,
): Promise<SentFile> {
  const { signal } = options;
  const blocks = new BlockStream(stream, signal);
  const attempt = `cannot send ${JSON.stringify(source.name)}`;
  let chunks = new Chunks(source.chunks);
  let verdict: Verdict | undefined;
  try {
    const { name, size, range } = source;
    await blocks.write(encodeOffer({
      name,
      size,
      mode: size === null ? "pipe" : "file",
      ...(range === undefined ? {} : { resume: true }),
    }));
    // A file is there: the disk reads while the offer travels. Pipes and other sources lose what is taken and not
    // wanted, and may be silent for long.
    if (source.own && size !== null) chunks.prefetch();
    const answer = decodeOfferAnswer(await blocks.block());
    if ("error" in answer) throw refusalError(attempt, answer);
    let start: Start = { read: 0, offset: 0, hash: runtime.sha256() };
    if ("offset" in answer) {
      start = { ...start, offset: answer.offset };
    } else {
      if (range === undefined || size === null || answer.kept > size) throw behindEnd(answer.kept);
      // One reader of the file at a time.
      await chunks.settled();
      const { offset, hash } = await provePrefix(
        blocks,
        range,
        answer.kept,
        attempt,
        runtime,
        signal,
      );
      start = { read: offset, offset, hash };
      chunks = new Chunks(range(offset));
    }
    // From here on the receiver may refuse at any time, so somebody always listens.
    verdict = new Verdict(blocks, attempt);
    const bytes = await sendBytes(stream, source, chunks, start, verdict, options);
    const sha256 = new Uint8Array(start.hash.digest());
    await blocks.write(encodeTrailer(sha256));
    await stream.end(signal === undefined ? {} : { signal });
    await verdict.outcome;
    return { name, bytes, sha256, resumed: start.offset };
  } catch (error) {
    // A stream that was stopped has its reason in the receiver's last block.
    const stopped = error instanceof SttError && error.code === "STREAM_STOPPED";
    const reported = stopped ? await stoppedReason(blocks, verdict, attempt, error) : error;
    const name = refusalToSend(reported, signal);
    stream.reset(FILE_REFUSALS[name].wire);
    stream.stop(FILE_REFUSALS[name].wire);
    throw reported;
  } finally {
    chunks.close();
  }
}

/** Where the bytes begin. */
interface Start {
  /** Bytes of the source that are in `hash` already and need not be read. */
  readonly read: number;
  /** First byte that travels. */
  readonly offset: number;
  readonly hash: FileHash;
}

type Step = IteratorResult<Uint8Array, unknown>;

/** The chunks of a source, the first of them ahead of its time. A source that nothing was taken from stays untouched. */
class Chunks {
  readonly #chunks: FileSource["chunks"];
  #iterator: AsyncIterator<Uint8Array> | Iterator<Uint8Array> | undefined;
  #first: Promise<Step> | undefined;

  constructor(chunks: FileSource["chunks"]) {
    this.#chunks = chunks;
  }

  prefetch(): void {
    this.#first = Promise.resolve(this.#take());
    // Whoever takes it is told; a refusal comes first.
    this.#first.catch(() => undefined);
  }

  /** Resolves when nothing is being read any more. */
  async settled(): Promise<void> {
    await this.#first?.catch(() => undefined);
  }

  next(): Step | Promise<Step> {
    const first = this.#first;
    this.#first = undefined;
    return first ?? this.#take();
  }

  #take(): Step | Promise<Step> {
    const chunks = this.#chunks;
    this.#iterator ??= Symbol.asyncIterator in chunks
      ? chunks[Symbol.asyncIterator]()
      : chunks[Symbol.iterator]();
    return this.#iterator.next();
  }

  /** Not to be awaited: a source that is silent now would hold a failure back. */
  close(): void {
    Promise.resolve(this.#iterator?.return?.()).catch(() => undefined);
  }
}

/** The receiver's last block, read while the bytes go out. */
class Verdict {
  /** Resolves on {ok}; rejects with the refusal, or with what ended the stream. */
  readonly outcome: Promise<void>;
  #failed = false;
  #failure: unknown;
  /** One slot, not a race of promises: those would pile up on `outcome` with every chunk. */
  #onFailure: ((error: unknown) => void) | undefined;

  constructor(blocks: BlockStream, attempt: string) {
    this.outcome = this.#read(blocks, attempt);
    this.outcome.catch((error) => {
      this.#failed = true;
      this.#failure = error;
      this.#onFailure?.(error);
    });
  }

  /** What `step` gives, unless the transfer fails before: a source may be silent for long. */
  unlessFailed<T>(step: () => T | Promise<T>): Promise<T> {
    if (this.#failed) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#onFailure = reject;
      Promise.resolve(step()).then(resolve, reject);
    });
  }

  async #read(blocks: BlockStream, attempt: string): Promise<void> {
    const answer = decodeFinalAnswer(await blocks.block());
    if ("error" in answer) throw refusalError(attempt, answer);
  }
}

async function stoppedReason(
  blocks: BlockStream,
  verdict: Verdict | undefined,
  attempt: string,
  stopped: SttError,
): Promise<unknown> {
  try {
    await (verdict ?? new Verdict(blocks, attempt)).outcome;
  } catch (error) {
    const silent = error instanceof SttError && error.code === "PROTOCOL" && !error.remote;
    if (!silent) return error;
  }
  return refusalError(attempt, { error: stopped.wire ?? 0, reason: "the receiver stopped" });
}

function refusalToSend(error: unknown, signal: AbortSignal | undefined): RefusalName {
  if (signal?.aborted === true) return "cancelled";
  if (!(error instanceof SttError) || error.remote) return "cancelled";
  if (error.wire === FILE_REFUSALS.offset.wire) return "offset";
  return error.code === "FILE_IO" ? "source" : "cancelled";
}

async function sendBytes(
  stream: SttStream,
  { name, size, own }: FileSource,
  chunks: Chunks,
  { read, offset, hash }: Start,
  verdict: Verdict,
  options: TransferOptions,
): Promise<number> {
  const { signal, onProgress } = options;
  if (size !== null && offset > size) throw behindEnd(offset);
  let bytes = read;
  for (;;) {
    const step = await verdict.unlessFailed(() => chunks.next());
    if (step.done === true) break;
    const chunk = step.value;
    hash.update(chunk);
    // What the receiver has already is hashed and not sent: the SHA-256 is that of the whole file.
    const from = Math.min(chunk.length, Math.max(0, offset - bytes));
    bytes += chunk.length;
    if (size !== null && bytes > size) throw changed(name, "grew");
    if (from < chunk.length) {
      await stream.write(chunk.subarray(from), {
        own,
        ...(signal === undefined ? {} : { signal }),
      });
    }
    onProgress?.({ name, bytes, size, resumed: offset });
  }
  if (size !== null && bytes < size) throw changed(name, "shrank");
  if (bytes < offset) throw behindEnd(offset);
  return bytes;
}

function changed(name: string, how: string): SttError {
  return new SttError(
    "FILE_IO",
    `cannot send ${JSON.stringify(name)}: it ${how} while it was read`,
  );
}

function behindEnd(offset: number): SttError {
  return new SttError(
    "PROTOCOL",
    `cannot send file: the receiver asks for bytes from ${offset} on, behind its end`,
    { wire: FILE_REFUSALS.offset.wire },
  );
}

/**
 * Bytes of the application's own, as a source.
 *
 * @throws {SttError} CONFIG without a name, or with a size that is none.
 */
export function sourceOf(
  source: FileSource["chunks"],
  name: string | undefined,
  size: number | undefined,
): FileSource {
  if (size !== undefined && !(Number.isSafeInteger(size) && size >= 0)) {
    throw new SttError("CONFIG", `cannot use option size: ${size} is not a whole number from 0`);
  }
  if (name === undefined) {
    throw new SttError("CONFIG", "cannot send file: a source needs a name");
  }
  const close = (): Promise<void> => Promise.resolve();
  return { name, size: size ?? null, chunks: source, own: false, close };
}
