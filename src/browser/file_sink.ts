/**
 * Where received files go in a browser: a `Blob`, or a sink of the page's own.
 *
 * @module
 */
import type { FileDestination, FilePlace } from "../endpoint/files/destination.ts";
import { checkFileName } from "../endpoint/files/file_name.ts";
import type { FileOffer } from "../endpoint/files/wire.ts";
import { SttError } from "../errors.ts";
import { browserFiles } from "./file_runtime.ts";

/** Takes the bytes of one file. The stream of the File System Access API is one. */
export interface FileSink {
  /** The next bytes; the array is the sink's until the promise has resolved. They are verified at the end only. */
  write(chunk: Uint8Array<ArrayBuffer>): void | Promise<void>;
  /** The file is whole and verified. */
  close?(): void | Promise<void>;
  /** The file will not come: forget what was written. */
  abort?(reason: unknown): void | Promise<void>;
}

/** Chunks are joined to blobs of this size, which browsers may keep on the disk. */
const BLOB_PART_BYTES = 4_194_304;

class SinkFile implements FileDestination {
  readonly earlier: undefined = undefined;
  readonly #sink: FileSink;

  constructor(sink: FileSink) {
    this.#sink = sink;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#sink.write(new Uint8Array(chunk));
  }

  async commit(): Promise<null> {
    try {
      await this.#sink.close?.();
    } catch (cause) {
      throw browserFiles.error("write", "the output", cause);
    }
    return null;
  }

  async discard(): Promise<void> {
    const error = new SttError("FILE_IO", "cannot keep file: it did not come whole");
    const abort = async (): Promise<void> => await this.#sink.abort?.(error);
    // Why it failed is told already; a sink that cannot forget has nobody else to tell.
    await abort().catch(() => undefined);
  }

  keep(): Promise<void> {
    return this.discard();
  }
}

/** Bytes in memory, or wherever the browser keeps blobs. */
class BlobSink implements FileSink {
  readonly #onBlob: (blob: Blob) => void;
  #parts: Blob[] = [];
  #chunks: Uint8Array<ArrayBuffer>[] = [];
  #bytes = 0;

  constructor(onBlob: (blob: Blob) => void) {
    this.#onBlob = onBlob;
  }

  write(chunk: Uint8Array<ArrayBuffer>): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes >= BLOB_PART_BYTES) this.#join();
  }

  close(): void {
    this.#join();
    this.#onBlob(new Blob(this.#parts));
  }

  abort(): void {
    this.#parts = [];
    this.#chunks = [];
  }

  #join(): void {
    this.#parts.push(new Blob(this.#chunks));
    this.#chunks = [];
    this.#bytes = 0;
  }
}

/**
 * The place for files of one receiver.
 *
 * @param sink Opens a sink for an offer; undefined: a blob.
 * @param onBlob Hears of the blob of a whole file.
 */
export function placeOf(
  sink: ((offer: FileOffer) => FileSink | Promise<FileSink>) | undefined,
  onBlob: (blob: Blob) => void,
): FilePlace {
  return {
    // A download gets its name from the browser, which knows the rules of its system.
    checkName: (name) => checkFileName(name, false),
    async open(offer: FileOffer): Promise<FileDestination> {
      if (sink === undefined) return new SinkFile(new BlobSink(onBlob));
      try {
        return new SinkFile(await sink(offer));
      } catch (cause) {
        throw browserFiles.error("create", "the output", cause);
      }
    },
  };
}
