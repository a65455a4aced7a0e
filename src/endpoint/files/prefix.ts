/**
 * How both sides agree on the first bytes of a file that the receiver has already (SPEC 12.4). The sender proves them: a
 * hash from the receiver would tell anybody who knows a name and a size what the file begins with.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { SttStream } from "../stt_stream.ts";
import type { BlockStream } from "./block_stream.ts";
import type { FileDestination } from "./destination.ts";
import { refusalError } from "./refusals.ts";
import type { FileHash, FileRuntime } from "./runtime.ts";
import { decodeOfferAnswer, decodePrefix, encodeOfferAnswer, encodePrefix } from "./wire.ts";

/** The bytes of a file from `from` on, up to `to`. */
export type FileRange = (from: number, to?: number) => AsyncIterable<Uint8Array>;

/** Where the bytes begin, and the hash of all before. */
export interface PrefixState {
  readonly offset: number;
  readonly hash: FileHash;
}

/** Tells work on the disk that nobody waits for it any more: what is there of a large file takes long to hash. */
export class Interest {
  readonly #signal: AbortSignal | undefined;
  #lost: { readonly error: unknown } | undefined;

  /** Until the stream is stopped, the session ends, or the signal is aborted. */
  constructor(stream: SttStream, signal: AbortSignal | undefined) {
    this.#signal = signal;
    stream.finished.catch((error: unknown) => {
      this.#lost = { error };
    });
  }

  get isOver(): boolean {
    return this.#lost !== undefined || this.#signal?.aborted === true;
  }

  /** @throws What ended it. */
  throwIfOver(): void {
    this.#signal?.throwIfAborted();
    if (this.#lost !== undefined) throw this.#lost.error;
  }
}

function fromStart(runtime: FileRuntime): PrefixState {
  return { offset: 0, hash: runtime.sha256() };
}

/**
 * The receiver's side: answers the offer, and goes on with what it has only if the sender has the same.
 *
 * @throws {SttError} PROTOCOL, FILE_IO, what ended the session.
 */
export async function agreeOnStart(
  blocks: BlockStream,
  destination: FileDestination,
  runtime: FileRuntime,
  signal: AbortSignal | undefined,
): Promise<PrefixState> {
  const { earlier } = destination;
  let state = fromStart(runtime);
  if (earlier !== undefined) {
    await blocks.write(encodeOfferAnswer({ kept: earlier.bytes }));
    // Both sides read their disks at the same time.
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
    const interest = new Interest(blocks.stream, either);
    const reading = hashOf(earlier.read(), runtime.sha256(), interest);
    reading.catch(() => undefined);
    let same = false;
    try {
      const proof = decodePrefix(await blocks.block());
      const hash = await reading;
      // What was not read to its end says nothing against what is kept.
      interest.throwIfOver();
      const mine = hash?.copy().digest();
      same = mine !== undefined && runtime.equal(proof, mine);
      if (same) state = { offset: earlier.bytes, hash: hash as FileHash };
    } finally {
      stop.abort();
      await reading.catch(() => undefined);
    }
    signal?.throwIfAborted();
    await earlier.decide(same);
  }
  await blocks.write(encodeOfferAnswer({ offset: state.offset }));
  return state;
}

/** The hash of everything, or undefined when it cannot be read (there is nothing to go on with), or nobody waits for it. */
export async function hashOf<Hash extends { update(bytes: Uint8Array): unknown }>(
  chunks: AsyncIterable<Uint8Array>,
  hash: Hash,
  interest: Interest,
): Promise<Hash | undefined> {
  try {
    for await (const chunk of chunks) {
      if (interest.isOver) return undefined;
      hash.update(chunk);
    }
  } catch (error) {
    if (error instanceof SttError) return undefined;
    throw error;
  }
  return hash;
}

/**
 * The sender's side: the answer to {kept}.
 *
 * @throws {SttError} PROTOCOL, FILE_IO, the receiver's refusal, what ended the session.
 */
export async function provePrefix(
  blocks: BlockStream,
  range: FileRange,
  kept: number,
  attempt: string,
  runtime: FileRuntime,
  signal: AbortSignal | undefined,
): Promise<PrefixState> {
  const hash = runtime.sha256();
  const interest = new Interest(blocks.stream, signal);
  let bytes = 0;
  for await (const chunk of range(0, kept)) {
    interest.throwIfOver();
    hash.update(chunk);
    bytes += chunk.length;
  }
  if (bytes < kept) throw new SttError("FILE_IO", `${attempt}: it shrank while it was read`);
  await blocks.write(encodePrefix(new Uint8Array(hash.copy().digest())));
  const answer = decodeOfferAnswer(await blocks.block());
  if ("error" in answer) throw refusalError(attempt, answer);
  if ("offset" in answer && answer.offset === kept) return { offset: kept, hash };
  if ("offset" in answer && answer.offset === 0) return fromStart(runtime);
  throw new SttError("PROTOCOL", `${attempt}: the receiver begins neither at 0 nor at ${kept}`);
}
