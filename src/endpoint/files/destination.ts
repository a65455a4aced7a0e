/**
 * Where the bytes of a received file go.
 *
 * @module
 */
import type { FileOffer } from "./wire.ts";

/** What an earlier transfer left of the same file. */
export interface EarlierBytes {
  readonly bytes: number;
  /** All of them, in order. Call once. */
  read(): AsyncIterable<Uint8Array>;
  /** Call when they were read: what is written follows them, or takes their place. */
  decide(use: boolean): Promise<void>;
}

/** Where received bytes go. */
export interface FileDestination {
  /** Set when there is something to go on with. */
  readonly earlier: EarlierBytes | undefined;
  /** Takes a copy. Resolves when the next chunk may come. */
  write(chunk: Uint8Array): Promise<void>;
  /** All bytes are there and verified: makes them last. Returns the path, or null where there is none. */
  commit(): Promise<string | null>;
  /** Leaves nothing behind. Never rejects. */
  discard(): Promise<void>;
  /** Leaves what came for a later transfer, where that was asked for, else nothing. Never rejects. */
  keep(): Promise<void>;
}

/** Where received files go. */
export interface FilePlace {
  /** Refuses names that a file here may not have. @throws {SttError} FILE_NAME. */
  checkName(name: string): void;
  /** Begins a file of an offer that was accepted. @throws {SttError} FILE_EXISTS, FILE_IO. */
  open(offer: FileOffer): Promise<FileDestination>;
}

/** Received bytes that go to a function: standard output, a parser, a test. */
export class ForwardedBytes implements FileDestination {
  readonly #write: (chunk: Uint8Array) => void | Promise<void>;

  constructor(write: (chunk: Uint8Array) => void | Promise<void>) {
    this.#write = write;
  }

  get earlier(): undefined {
    return undefined;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#write(chunk);
  }

  commit(): Promise<null> {
    return Promise.resolve(null);
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }

  keep(): Promise<void> {
    return Promise.resolve();
  }
}
