/**
 * One folder on its way out: entries are announced ahead, and files travel in the order of the receiver's answers.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { SttError } from "../../errors.ts";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";
import type { FailedEntry } from "./folder_scan.ts";
import { fileRange, wholeFile } from "./folder_source.ts";
import {
  decodeFolderAnswer,
  encodeFolderOffer,
  encodeFolderWord,
  FOLDER_WINDOW,
  type FolderAnswer,
  type FolderEntry,
  outOfOrder,
} from "./folder_wire.ts";
import { Outbox } from "./outbox.ts";
import { Interest } from "./prefix.ts";
import { FILE_REFUSALS, refusal, refusalError, type RefusalName } from "./refusals.ts";
import type { SendFolderOptions } from "./send_folder.ts";
import { decodeOfferAnswer } from "./wire.ts";

/** Files up to this size are read whole. */
const SMALL_BYTES = 262_144;
/** Small files that are read ahead of their turn. */
const READ_AHEAD = 8;

/** One entry from its announcement until the receiver's last word on it. */
interface Outgoing {
  readonly entry: FolderEntry;
  /** Where the first byte to travel is, once the receiver has said so. */
  offset: number | undefined;
  /** Of the bytes before it. */
  hash: Hash | undefined;
  kept: number | undefined;
  /** The whole of a small file, being read. */
  content: Promise<Uint8Array> | undefined;
  /** The receiver has refused it. */
  error: SttError | undefined;
}

/** The opener's side of one stream. */
export class FolderSending {
  entries = 0;
  bytes = 0;
  resumed = 0;
  readonly failed: FailedEntry[] = [];
  readonly #stream: SttStream;
  readonly #root: string;
  readonly #name: string;
  readonly #all: readonly FolderEntry[];
  readonly #size: number;
  readonly #options: SendFolderOptions;
  readonly #stop: AbortController = new AbortController();
  readonly #blocks: BlockStream;
  readonly #outbox: Outbox;
  readonly #interest: Interest;
  readonly #open: Map<number, Outgoing> = new Map();
  /** Entries that the receiver waits for, in the order of its answers. */
  readonly #ready: number[] = [];
  #next = 0;
  /** Bytes of this side that are done, for the progress. */
  #done = 0;
  #news: () => void = () => undefined;
  #finished = false;

  constructor(
    stream: SttStream,
    root: string,
    name: string,
    all: readonly FolderEntry[],
    size: number,
    options: SendFolderOptions,
  ) {
    const { signal } = options;
    const either = signal === undefined
      ? this.#stop.signal
      : AbortSignal.any([signal, this.#stop.signal]);
    this.#stream = stream;
    this.#root = root;
    this.#name = name;
    this.#all = all;
    this.#size = size;
    this.#options = options;
    this.#blocks = new BlockStream(stream, either);
    this.#outbox = new Outbox(stream, either);
    this.#interest = new Interest(stream, either);
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const attempt = `cannot send folder ${JSON.stringify(this.#name)}`;
    let reading: Promise<void> | undefined;
    try {
      await this.#blocks.write(encodeFolderOffer({
        name: this.#name,
        entries: this.#all.length,
        bytes: this.#size,
        mode: "folder",
        resume: this.#options.resume !== false,
      }));
      const answer = decodeOfferAnswer(await this.#blocks.block());
      if ("error" in answer) throw refusalError(attempt, answer);
      if (!("offset" in answer) || answer.offset !== 0) throw outOfOrder("it begins at 0");
      reading = this.#read(attempt).catch((error: unknown) => {
        // Ends whatever the other half waits for.
        this.#stop.abort(error);
        this.#news();
        throw error;
      });
      reading.catch(() => undefined);
      await this.#write();
      await reading;
    } catch (thrown) {
      // A stream that was stopped has its reason in the receiver's last block.
      const error = stopped(thrown) ? await reading?.catch(reasonOf) ?? thrown : thrown;
      const name: RefusalName = signal?.aborted === true || remote(error) ? "cancelled" : "source";
      this.#stream.reset(FILE_REFUSALS[name].wire);
      this.#stream.stop(FILE_REFUSALS[name].wire);
      throw signal?.aborted === true ? signal.reason : error;
    } finally {
      for (const { content } of this.#open.values()) content?.catch(() => undefined);
    }
  }

  async #write(): Promise<void> {
    for (;;) {
      this.#stop.signal.throwIfAborted();
      while (this.#next < this.#all.length && this.#open.size < FOLDER_WINDOW) {
        await this.#announce();
      }
      this.#readAhead();
      const n = this.#ready.shift();
      if (n !== undefined) {
        await this.#serve(n);
        continue;
      }
      if (this.#next === this.#all.length && this.#open.size === 0) break;
      const news = new Promise<void>((resolve) => {
        this.#news = resolve;
      });
      await this.#outbox.flush();
      // What came while the batch was on its way is seen here.
      if (this.#ready.length === 0 && this.#open.size > 0) await news;
    }
    await this.#outbox.add(encodeFolderWord({ kind: "end" }));
    await this.#outbox.flush();
    await this.#stream.end({ signal: this.#stop.signal });
  }

  async #announce(): Promise<void> {
    const entry = this.#all[this.#next] as FolderEntry;
    this.#open.set(this.#next++, {
      entry,
      offset: undefined,
      hash: undefined,
      kept: undefined,
      content: undefined,
      error: undefined,
    });
    await this.#outbox.add(encodeFolderWord({ kind: "entry", entry }));
  }

  /** The receiver's words, until the last one. */
  async #read(attempt: string): Promise<void> {
    for (;;) {
      const answer = decodeFolderAnswer(await this.#blocks.block());
      if (answer.kind === "error" && answer.n === undefined) {
        throw refusalError(attempt, answer.refusal);
      }
      if (answer.kind === "ok" && answer.n === undefined) {
        if (this.#open.size > 0 || this.#next < this.#all.length) {
          throw outOfOrder("it is not complete");
        }
        this.#finished = true;
        return;
      }
      this.#take(answer);
      this.#news();
    }
  }

  #take(answer: FolderAnswer): void {
    const n = answer.n as number;
    const open = this.#open.get(n);
    if (open === undefined) throw outOfOrder(`entry ${n} is not open`);
    const size = open.entry.size;
    if (answer.kind === "ok" || answer.kind === "error") {
      if (answer.kind === "ok") this.#settled(n, open);
      else this.#refused(n, open, answer);
      return;
    }
    if (size === undefined || open.offset !== undefined) throw outOfOrder("no file waits for it");
    if (answer.kind === "kept") {
      if (answer.kept > size || open.kept !== undefined) throw outOfOrder("kept is too large");
      open.kept = answer.kept;
    } else {
      if (answer.offset !== 0 && answer.offset !== open.kept) {
        throw outOfOrder("the offset is neither 0 nor what was kept");
      }
      if (answer.offset === 0) open.hash = undefined;
      open.offset = answer.offset;
    }
    this.#ready.push(n);
  }

  #settled(n: number, { entry, offset }: Outgoing): void {
    if (entry.size !== undefined && offset === undefined) throw outOfOrder("it has no bytes yet");
    this.#open.delete(n);
    this.entries++;
    this.bytes += entry.size ?? 0;
    this.resumed += offset ?? 0;
    this.#progress();
  }

  #refused(
    n: number,
    open: Outgoing,
    { refusal }: FolderAnswer & { readonly kind: "error" },
  ): void {
    const { path } = open.entry;
    open.error = refusalError(`cannot send ${JSON.stringify(path)}`, refusal);
    this.failed.push({ path, error: open.error });
    // A file that it waited for is given up when its turn comes; of any other this was the last word.
    if (open.offset === undefined || !this.#ready.includes(n)) this.#open.delete(n);
  }

  /** The disk works while earlier files travel. */
  #readAhead(): void {
    let ahead = 0;
    for (const n of this.#ready) {
      if (++ahead > READ_AHEAD) return;
      const open = this.#open.get(n);
      if (open?.offset !== 0 || (open.entry.size ?? Infinity) > SMALL_BYTES) continue;
      open.content ??= wholeFile(this.#root, open.entry);
      open.content.catch(() => undefined);
    }
  }

  async #serve(n: number): Promise<void> {
    const open = this.#open.get(n);
    if (open === undefined) return;
    try {
      if (open.error !== undefined) throw open.error;
      if (open.offset === undefined) await this.#prove(n, open);
      else if (open.content !== undefined) await this.#sendWhole(n, await open.content);
      else await this.#sendFrom(n, open, open.offset);
    } catch (error) {
      this.#stop.signal.throwIfAborted();
      this.#options.signal?.throwIfAborted();
      if (!(error instanceof SttError) || error.code !== "FILE_IO" && open.error === undefined) {
        throw error;
      }
      this.#open.delete(n);
      if (open.error === undefined) this.failed.push({ path: open.entry.path, error });
      const name = open.error === undefined ? "source" : "cancelled";
      await this.#outbox.add(encodeFolderWord({ kind: "given-up", n, refusal: refusal(name) }));
    }
  }

  async #prove(n: number, open: Outgoing): Promise<void> {
    const kept = open.kept ?? 0;
    const hash = createHash("sha256");
    for await (const chunk of fileRange(this.#root, open.entry, 0, kept)) {
      this.#interest.throwIfOver();
      hash.update(chunk);
    }
    open.hash = hash;
    const prefix = new Uint8Array(hash.copy().digest());
    await this.#outbox.add(encodeFolderWord({ kind: "prefix", n, prefix }));
  }

  async #sendWhole(n: number, content: Uint8Array): Promise<void> {
    const sha256 = new Uint8Array(createHash("sha256").update(content).digest());
    await this.#outbox.add(encodeFolderWord({ kind: "data", n, bytes: content.length, sha256 }));
    await this.#outbox.add(content);
    this.#sent(content.length);
  }

  async #sendFrom(n: number, open: Outgoing, offset: number): Promise<void> {
    const { entry } = open;
    const hash = open.hash ?? createHash("sha256");
    this.#sent(offset);
    for await (const chunk of fileRange(this.#root, entry, offset)) {
      if (open.error !== undefined) throw open.error;
      hash.update(chunk);
      await this.#outbox.add(encodeFolderWord({ kind: "data", n, bytes: chunk.length }));
      await this.#outbox.add(chunk);
      this.#sent(chunk.length);
    }
    const sha256 = new Uint8Array(hash.digest());
    await this.#outbox.add(encodeFolderWord({ kind: "data", n, bytes: 0, sha256 }));
  }

  #sent(bytes: number): void {
    this.#done += bytes;
    this.#progress();
  }

  #progress(): void {
    if (this.#finished) return;
    this.#options.onProgress?.({
      name: this.#name,
      bytes: this.#done,
      size: this.#size,
      resumed: this.resumed,
      entries: this.entries,
      allEntries: this.#all.length,
    });
  }
}

function stopped(error: unknown): boolean {
  return error instanceof SttError && error.code === "STREAM_STOPPED";
}

function reasonOf(error: unknown): unknown {
  return error;
}

function remote(error: unknown): boolean {
  return error instanceof SttError && error.remote;
}
