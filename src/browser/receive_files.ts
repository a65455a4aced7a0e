/**
 * Receiving files in a browser.
 *
 * @module
 */
import {
  checkMaxBytes,
  receiveOffered,
  type TakeOptions,
} from "../endpoint/files/receive_transfer.ts";
import type { FileOffer } from "../endpoint/files/wire.ts";
import type { Peer } from "../endpoint/peer.ts";
import type { SttStream } from "../endpoint/stt_stream.ts";
import { SttError } from "../errors.ts";
import { browserFiles } from "./file_runtime.ts";
import { type FileSink, placeOf } from "./file_sink.ts";

/** A `Blob` is memory, unless the browser thinks otherwise. */
const DEFAULT_MAX_BLOB_BYTES = 1_073_741_824;

/** Options of {@link receiveFile} and {@link receiveFiles}. */
export interface ReceiveFileOptions extends TakeOptions {
  /**
   * Opens a place for the bytes of an offer that was accepted: the stream of `showSaveFilePicker()`, or any object with
   * `write`. Absent: a `Blob`, and `maxBytes` is 1 GiB unless it says otherwise.
   */
  readonly sink?: (offer: FileOffer) => FileSink | Promise<FileSink>;
}

/** A file that arrived whole and verified. */
export interface ReceivedFile {
  /** Name that the sender gave; it has passed the name rules. */
  readonly name: string;
  /** What arrived; null when it went to a `sink`. */
  readonly blob: Blob | null;
  /** Size. */
  readonly bytes: number;
  /** `pipe` when the sender did not know the size beforehand. */
  readonly mode: "file" | "pipe";
  /** 32 bytes, verified. */
  readonly sha256: Uint8Array;
}

/** One transfer of {@link receiveFiles}. */
export type FileOutcome =
  | (ReceivedFile & { readonly ok: true })
  | {
    /** It did not arrive. */
    readonly ok: false;
    /** The name that was offered, unchecked; undefined when not even that arrived. */
    readonly name: string | undefined;
    /** Why; what the sender was told holds less. */
    readonly error: SttError;
  };

async function receive(
  stream: SttStream,
  options: ReceiveFileOptions,
  onName: (name: string) => void,
): Promise<ReceivedFile> {
  const { sink } = options;
  let blob: Blob | null = null;
  const place = placeOf(sink, (whole) => {
    blob = whole;
  });
  const limits = sink === undefined ? { maxBytes: DEFAULT_MAX_BLOB_BYTES, ...options } : options;
  const file = await receiveOffered(stream, place, browserFiles, limits, onName);
  const { name, bytes, mode, sha256 } = file;
  return { name, blob, bytes, mode, sha256 };
}

/**
 * Receives the one file that a peer sends on a stream.
 *
 * @throws {SttError} FILE_NAME, FILE_IO, FILE_HASH, FILE_TOO_LARGE, REFUSED (`accept` said no), UNSUPPORTED (the stream is
 *   of another service), PROTOCOL, STREAM_RESET (the sender gave up), CONFIG, the error that ended the session; the
 *   signal's reason when aborted.
 */
export async function receiveFile(
  stream: SttStream,
  options: ReceiveFileOptions = {},
): Promise<ReceivedFile> {
  checkMaxBytes(options.maxBytes);
  return await receive(stream, options, () => undefined);
}

/**
 * Files that a peer sends, one after the other, until the session ends. A file that fails is an outcome too, and the
 * next one follows.
 *
 * @throws {SttError} the error that ended the session, unless it ended in order; the signal's reason when aborted.
 *
 * @example
 * ```ts
 * import { generateSeed, listen, sendFile } from "@seigr/stt";
 * import { connect, receiveFiles } from "@seigr/stt/browser";
 *
 * const seed = generateSeed();
 * const app = "stt-files/1";
 * const listener = await listen("ws://127.0.0.1:0/", { seed, app });
 * const peer = await connect(listener.address, { seed, app });
 * const server = (await listener.nextPeer())!;
 *
 * const source = [new TextEncoder().encode("hello")];
 * const sending = sendFile(server, { name: "hello.txt", size: 5, source });
 * for await (const file of receiveFiles(peer)) {
 *   if (file.ok) console.log(await file.blob?.text()); // "hello"
 *   break;
 * }
 * await sending;
 * await peer.close();
 * await listener.close();
 * ```
 */
export async function* receiveFiles(
  peer: Peer,
  options: ReceiveFileOptions = {},
): AsyncGenerator<FileOutcome, void, void> {
  checkMaxBytes(options.maxBytes);
  const { signal } = options;
  for (;;) {
    const stream = await peer.acceptStream(signal === undefined ? {} : { signal });
    if (stream === null) return;
    let name: string | undefined;
    try {
      const file = await receive(stream, options, (offered) => {
        name = offered;
      });
      yield { ok: true, ...file };
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      yield { ok: false, name, error };
    }
  }
}
