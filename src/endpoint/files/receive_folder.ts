/**
 * The receiving side of the folder service (SPEC 12.10).
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import { nodeProvider } from "../../crypto/node_provider.ts";
import { SttError } from "../../errors.ts";
import type { BlockStream } from "./block_stream.ts";
import type { FileDestination } from "./destination.ts";
import { FailedEntries } from "./failed_entries.ts";
import { folderFile, type FolderFileOptions, SMALL_FILE_BYTES } from "./folder_file.ts";
import { checkFolderPath, foldedPath } from "./folder_path.ts";
import { FolderPlace, parentOf } from "./folder_place.ts";
import { tooLongPaths } from "./folder_limits.ts";
import type { FailedEntry } from "./folder_scan.ts";
import {
  decodeFolderWord,
  encodeFolderAnswer,
  FOLDER_WINDOW,
  type FolderAnswer,
  type FolderEntry,
  type FolderOffer,
  type FolderWord,
  outOfOrder,
} from "./folder_wire.ts";
import type { ResumeLimits } from "./kept_parts.ts";
import { nodeFiles } from "./node_runtime.ts";
import { AnswerQueue, Outbox } from "./outbox.ts";
import { hashOf, Interest } from "./prefix.ts";
import { refusal, refusalError, refusalOf } from "./refusals.ts";
import type { FolderProgress } from "./send_folder.ts";
import { encodeOfferAnswer } from "./wire.ts";

/** Files that are given their last sync at once. */
const COMMITS_AT_ONCE = 16;
/** Files above the small ones that are open at once: each takes a descriptor and two buffers. */
const LARGE_AT_ONCE = 16;
const READ_BYTES = 1_048_576;

/** A folder that arrived. */
export interface ReceivedFolder {
  /** Name that the sender gave; it has passed the name rules. */
  readonly name: string;
  /** Where it is. */
  readonly path: string;
  /** Tells it from a file. */
  readonly mode: "folder";
  /** Entries that are here, each file verified: files, and folders that hold none. */
  readonly entries: number;
  /** Bytes of those. */
  readonly bytes: number;
  /** Bytes of those that were here already, and did not travel again. */
  readonly resumed: number;
  /** What did not arrive, or could not be kept. */
  readonly failed: readonly FailedEntry[];
}

/** What the application allows. */
export interface FolderReceiving {
  readonly directory: string;
  readonly overwrite: boolean;
  readonly limits: Required<ResumeLimits> | undefined;
  readonly maxFolders: number;
  /** Of the paths of all entries together. */
  readonly maxPathBytes: number;
  readonly onProgress: ((progress: FolderProgress) => void) | undefined;
}

interface Incoming {
  readonly n: number;
  readonly path: string;
  readonly size: number;
  readonly options: FolderFileOptions;
  /** The sender named this path before. */
  readonly again: boolean;
  file: FileDestination | undefined;
  /** Of the bytes so far, once the sender may send them. */
  hash: Hash | undefined;
  /** Its last byte came: nothing more may be said of it. */
  whole: boolean;
  left: number;
  resumed: number;
}

/** Receives one folder whose offer was accepted. `stop` ends its waits when something goes wrong beside them. */
export class FolderReceiver {
  readonly #offer: FolderOffer;
  readonly #blocks: BlockStream;
  readonly #options: FolderReceiving;
  readonly #stop: AbortController;
  readonly #answers: AnswerQueue;
  readonly #interest: Interest;
  readonly #failed: FailedEntries = new FailedEntries();
  readonly #open: Map<number, Incoming> = new Map();
  /** Folded paths of all entries, and of those that are here: several may have one. */
  readonly #seen: Set<string> = new Set();
  readonly #here: Set<string> = new Set();
  readonly #commits: Set<Promise<void>> = new Set();
  readonly #waiting: Incoming[] = [];
  #large = 0;
  #count = 0;
  #announced = 0;
  #pathBytes = 0;
  #entries = 0;
  #bytes = 0;
  #resumed = 0;
  #done = 0;
  #place: FolderPlace | undefined;

  constructor(
    offer: FolderOffer,
    blocks: BlockStream,
    stop: AbortController,
    signal: AbortSignal,
    options: FolderReceiving,
  ) {
    this.#offer = offer;
    this.#blocks = blocks;
    this.#options = options;
    this.#stop = stop;
    this.#interest = new Interest(blocks.stream, signal);
    this.#answers = new AnswerQueue(new Outbox(blocks.stream, signal), (e) => this.#halt(e));
  }

  /** @throws {SttError} FILE_EXISTS, FILE_IO, FILE_TOO_LARGE, PROTOCOL, what ended the session. */
  async run(): Promise<ReceivedFolder> {
    const { name, resume } = this.#offer;
    const limits = resume ? this.#options.limits : undefined;
    this.#place = await FolderPlace.create({ ...this.#options, name, limits });
    this.#answers.add(encodeOfferAnswer({ offset: 0 }));
    for (;;) {
      const word = decodeFolderWord(await this.#blocks.block());
      if (word.kind === "end") break;
      await this.#take(word);
    }
    await this.#blocks.expectEnd();
    await Promise.all(this.#commits);
    this.#stop.signal.throwIfAborted();
    if (this.#open.size > 0) throw outOfOrder("it ended before its files");
    if (this.#count < this.#offer.entries) throw outOfOrder("entries are missing");
    await this.#answers.drained();
    const path = await this.#place.publish((folded) => this.#here.has(folded));
    return {
      name,
      path,
      mode: "folder",
      entries: this.#entries,
      bytes: this.#bytes,
      resumed: this.#resumed,
      failed: this.#failed.list,
    };
  }

  /** After an error: what came is kept for a later transfer, or nothing is. Never rejects. */
  async abandon(keep: boolean): Promise<void> {
    this.#stop.abort(new SttError("CLOSED", "the folder was given up"));
    this.#waiting.length = 0;
    await Promise.allSettled(this.#commits);
    for (const { file } of this.#open.values()) await (keep ? file?.keep() : file?.discard());
    await (keep ? this.#place?.keep() : this.#place?.discard());
  }

  /** Something beside the loop failed in a way that leaves nothing to go on for. */
  #halt(error: unknown): void {
    this.#stop.abort(error);
  }

  #say(answer: FolderAnswer): void {
    this.#answers.add(encodeFolderAnswer(answer));
  }

  async #take(word: Exclude<FolderWord, { readonly kind: "end" }>): Promise<void> {
    if (word.kind === "entry") return await this.#entry(word.entry);
    if (word.n >= this.#count) throw outOfOrder(`entry ${word.n} was not announced`);
    // It failed here while the word was on its way.
    const open = this.#open.get(word.n);
    if (open?.whole === true) throw outOfOrder(`entry ${word.n} had its last word`);
    if (word.kind === "data") return await this.#data(open, word);
    if (open === undefined) return;
    if (word.kind === "prefix") return await this.#prefix(open, word.prefix);
    // Closed first: one that is being opened at this moment sees that it is for nothing.
    this.#close(open);
    await open.file?.discard();
    const error = refusalError(`cannot take ${JSON.stringify(open.path)}`, word.refusal);
    this.#failed.add(open.path, error);
  }

  async #entry(entry: FolderEntry): Promise<void> {
    const n = this.#count++;
    if (this.#count > this.#offer.entries) throw outOfOrder("more entries than were offered");
    if (this.#open.size >= FOLDER_WINDOW) throw outOfOrder("too many entries wait");
    this.#announced += entry.size ?? 0;
    if (this.#announced > this.#offer.bytes) throw outOfOrder("more bytes than were offered");
    const { path } = entry;
    this.#pathBytes += new TextEncoder().encode(path).length;
    const { maxPathBytes } = this.#options;
    if (this.#pathBytes > maxPathBytes) throw tooLongPaths(maxPathBytes);
    const folded = foldedPath(path);
    try {
      checkFolderPath(path, process.platform === "win32");
      const again = this.#seen.has(folded);
      this.#seen.add(folded);
      if (entry.size === undefined) {
        await this.#folders.folder(path);
        this.#here.add(folded);
        this.#entries++;
        return this.#say({ kind: "ok", n });
      }
      await this.#folders.folder(parentOf(path));
      await this.#begin(this.#incoming(n, entry, again));
    } catch (error) {
      this.#refuse(n, path, error);
    }
  }

  get #folders(): FolderPlace {
    return this.#place as FolderPlace;
  }

  #incoming(
    n: number,
    { path, size, executable }: FolderEntry & { readonly size: number },
    again: boolean,
  ): Incoming {
    const limits = this.#offer.resume ? this.#options.limits : undefined;
    const incoming: Incoming = {
      n,
      path,
      size,
      options: {
        path: join(this.#folders.root, path),
        size,
        executable,
        hidden: !this.#folders.merging,
        limits,
        // Two entries of one name, where the file system does not tell case apart: the second is one too many.
        overwrite: !again,
        guard: () => this.#folders.stands(parentOf(path)),
      },
      again,
      file: undefined,
      hash: undefined,
      whole: false,
      left: size,
      resumed: 0,
    };
    this.#open.set(n, incoming);
    return incoming;
  }

  /** Large files wait until one of the few places for them is free. */
  async #begin(incoming: Incoming): Promise<void> {
    if (incoming.size > SMALL_FILE_BYTES) {
      if (this.#large >= LARGE_AT_ONCE) {
        this.#waiting.push(incoming);
        return;
      }
      this.#large++;
    }
    const file = await folderFile(incoming.options, this.#folders.populated || incoming.again);
    const { n } = incoming;
    // Given up while it was opened.
    if (this.#open.get(n) !== incoming) return await file.discard();
    incoming.file = file;
    if (file.earlier !== undefined) return this.#say({ kind: "kept", n, kept: file.earlier.bytes });
    incoming.hash = createHash("sha256");
    this.#say({ kind: "offset", n, offset: 0 });
  }

  async #prefix(incoming: Incoming, prefix: Uint8Array): Promise<void> {
    const { n, file, path } = incoming;
    const earlier = file?.earlier;
    if (earlier === undefined || incoming.hash !== undefined) throw outOfOrder("nothing was kept");
    const hash = await hashOf(earlier.read(), createHash("sha256"), this.#interest);
    this.#interest.throwIfOver();
    try {
      const same = hash !== undefined && nodeProvider().equal(prefix, hash.copy().digest());
      await earlier.decide(same);
      incoming.resumed = same ? earlier.bytes : 0;
      incoming.hash = same ? hash : createHash("sha256");
      incoming.left = incoming.size - incoming.resumed;
      this.#progress(incoming.resumed);
      this.#say({ kind: "offset", n, offset: incoming.resumed });
    } catch (error) {
      this.#refuse(n, path, error);
    }
  }

  async #data(
    incoming: Incoming | undefined,
    { n, bytes, sha256 }: FolderWord & { readonly kind: "data" },
  ): Promise<void> {
    if (incoming !== undefined) {
      if (incoming.hash === undefined) throw outOfOrder("bytes come before the answer");
      if (bytes > incoming.left) throw outOfOrder("a file is longer than it was said to be");
      incoming.left -= bytes;
    }
    for (let left = bytes; left > 0;) {
      const chunk = await this.#blocks.bytes(Math.min(left, READ_BYTES));
      if (chunk === null) throw outOfOrder("it ended within a file");
      left -= chunk.length;
      const open = this.#open.get(n);
      // What failed here is read to its end and forgotten.
      if (open === undefined) continue;
      open.hash?.update(chunk);
      try {
        await open.file?.write(chunk);
      } catch (error) {
        await open.file?.discard();
        this.#refuse(n, open.path, error);
      }
      this.#progress(chunk.length);
    }
    const open = this.#open.get(n);
    if (sha256 === undefined || open === undefined) return;
    if (open.left > 0) throw outOfOrder("a file is shorter than it was said to be");
    if (!nodeProvider().equal(sha256, new Uint8Array(open.hash?.digest() ?? []))) {
      await open.file?.discard();
      return this.#refuse(
        n,
        open.path,
        new SttError("FILE_HASH", `cannot take ${JSON.stringify(open.path)}: wrong SHA-256`),
      );
    }
    open.whole = true;
    await this.#commit(open);
  }

  async #commit(incoming: Incoming): Promise<void> {
    while (this.#commits.size >= COMMITS_AT_ONCE) await Promise.race(this.#commits);
    const commit = this.#commitNow(incoming).finally(() => this.#commits.delete(commit));
    this.#commits.add(commit);
  }

  async #commitNow(incoming: Incoming): Promise<void> {
    const { n, path, size, resumed } = incoming;
    try {
      await incoming.file?.commit();
      this.#here.add(foldedPath(path));
      this.#entries++;
      this.#bytes += size;
      this.#resumed += resumed;
      this.#close(incoming);
      this.#say({ kind: "ok", n });
      this.#progress(0);
    } catch (error) {
      await incoming.file?.discard();
      try {
        this.#refuse(n, path, error);
      } catch (fatal) {
        this.#halt(fatal);
      }
    }
  }

  /** The entry is over: whoever waits for its place gets it. */
  #close(incoming: Incoming): void {
    this.#open.delete(incoming.n);
    if (incoming.size <= SMALL_FILE_BYTES) return;
    if (incoming.file === undefined && this.#waiting.includes(incoming)) {
      this.#waiting.splice(this.#waiting.indexOf(incoming), 1);
      return;
    }
    this.#large--;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    const opening = this.#begin(next)
      .catch((error: unknown) => this.#refuse(next.n, next.path, error))
      .catch((fatal: unknown) => this.#halt(fatal))
      .finally(() => this.#commits.delete(opening));
    this.#commits.add(opening);
  }

  /** One entry fails and the others go on, unless nothing else could be kept either. */
  #refuse(n: number, path: string, error: unknown): void {
    if (!(error instanceof SttError)) throw error;
    const name = refusalOf(error, nodeFiles.isFull);
    if (name === "full" || name === "malformed") throw error;
    const incoming = this.#open.get(n);
    if (incoming !== undefined) this.#close(incoming);
    this.#failed.add(path, error);
    this.#say({ kind: "error", n, refusal: refusal(name) });
  }

  #progress(bytes: number): void {
    this.#done += bytes;
    this.#options.onProgress?.({
      name: this.#offer.name,
      bytes: this.#done,
      size: this.#offer.bytes,
      resumed: this.#resumed,
      entries: this.#entries,
      allEntries: this.#offer.entries,
    });
  }
}
