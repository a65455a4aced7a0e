/**
 * Files and folders that a peer sends, whichever comes.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { Peer } from "../peer.ts";
import type { SttStream } from "../stt_stream.ts";
import { BlockStream } from "./block_stream.ts";
import { checkFolderLimits } from "./folder_limits.ts";
import {
  decodeFolderOffer,
  encodeFolderAnswer,
  type FolderOffer,
  isFolderOffer,
} from "./folder_wire.ts";
import { resumeLimits } from "./kept_parts.ts";
import { nodeFiles } from "./node_runtime.ts";
import type { FileProgress } from "./progress.ts";
import {
  checkOptions,
  checkReceivedName,
  type FileOutcome,
  placeOf,
  type ReceiveFileOptions,
} from "./receive_file.ts";
import { FolderReceiver, type FolderReceiving, type ReceivedFolder } from "./receive_folder.ts";
import {
  answerFailure,
  brokeOff,
  confirm,
  type ReceivedFile,
  receiveOffered,
  senderGaveUp,
} from "./receive_transfer.ts";
import type { FolderProgress } from "./send_folder.ts";

const DEFAULT_MAX_ENTRIES = 200_000;
const DEFAULT_MAX_PATH_BYTES = 33_554_432;
/** Folders within a folder that `maxEntries` never forbids: each file may lie in some that are not announced. */
const LEAST_FOLDERS = 1024;

/** Options of {@link receiveTransfers}: those of files, and what holds for folders alone. */
export interface ReceiveTransfersOptions extends ReceiveFileOptions {
  /**
   * Largest number of entries (files, and folders that hold none) of a folder, and of folders in it, of which 1024 may
   * always be. Default 200000.
   */
  readonly maxEntries?: number;
  /**
   * Largest number of bytes (UTF-8) of the paths of a folder's entries together: they are held until the folder is there,
   * up to four times over. Default 33554432, which is 167 for each of 200000 entries.
   */
  readonly maxPathBytes?: number;
  /** Decides over each folder; false declines it. The name has passed the name rules. Default: takes all. */
  readonly acceptFolder?: (offer: FolderOffer) => boolean | Promise<boolean>;
  /** Called after every chunk; of folders with more to say. */
  readonly onProgress?: (progress: FileProgress | FolderProgress) => void;
}

/** One transfer of {@link receiveTransfers}. */
export type TransferOutcome = FileOutcome | (ReceivedFolder & { readonly ok: true });

/**
 * {@link receiveFiles} that takes folders too. `directory` is needed for them: with `write` they are declined.
 * `maxBytes` bounds all bytes of a folder, and with `resume` a folder that broke off stays hidden beside its place, for
 * the next time that one of its name is sent.
 *
 * A folder appears under its name when its last file is verified and synced; entries that failed are in `failed`. With
 * `overwrite`, a folder of its name that exists is filled instead, file by file, and what is equal does not travel.
 *
 * @throws {SttError} CONFIG; the error that ended the session, unless it ended in order; the signal's reason when aborted.
 */
export async function* receiveTransfers(
  peer: Peer,
  options: ReceiveTransfersOptions,
): AsyncGenerator<TransferOutcome, void, void> {
  checkOptions(options);
  checkPathBytes(options);
  const { signal } = options;
  for (;;) {
    const stream = await peer.acceptStream(signal === undefined ? {} : { signal });
    if (stream === null) return;
    let name: string | undefined;
    try {
      const result = await receiveOne(stream, options, (offered) => {
        name = offered;
      });
      yield { ok: true, ...result };
    } catch (error) {
      if (!(error instanceof SttError)) throw error;
      yield { ok: false, name, error };
    }
  }
}

async function receiveOne(
  stream: SttStream,
  options: ReceiveTransfersOptions,
  onName: (name: string) => void,
): Promise<ReceivedFile | ReceivedFolder> {
  const { signal } = options;
  const stop = new AbortController();
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  const blocks = new BlockStream(stream, either);
  let folder: FolderReceiver | undefined;
  try {
    const fields = await blocks.block();
    // Whatever happens to a file, its own function tells the sender.
    if (!isFolderOffer(fields)) {
      const first = { blocks, fields };
      return await receiveOffered(stream, placeOf(options), nodeFiles, options, onName, first)
        .catch((error) => {
          throw new Told(error);
        });
    }
    const offer = decodeFolderOffer(fields);
    onName(offer.name);
    folder = new FolderReceiver(offer, blocks, stop, either, await takeFolder(offer, options));
    const received = await folder.run();
    await confirm(stream, encodeFolderAnswer({ kind: "ok" }));
    return received;
  } catch (thrown) {
    if (thrown instanceof Told) throw thrown.error;
    const error = senderGaveUp(thrown);
    await folder?.abandon(brokeOff(error, signal));
    answerFailure(stream, error, nodeFiles, signal);
    throw error;
  }
}

/** An error that the sender knows of. */
class Told {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** @throws {SttError} FILE_NAME, FILE_TOO_LARGE, REFUSED. */
async function takeFolder(
  offer: FolderOffer,
  options: ReceiveTransfersOptions,
): Promise<FolderReceiving> {
  const { directory, maxBytes = Infinity, maxEntries = DEFAULT_MAX_ENTRIES, acceptFolder } =
    options;
  checkReceivedName(offer.name, true);
  if (directory === undefined) throw declined(offer.name, "only files are taken here");
  checkFolderLimits(offer, maxBytes, maxEntries);
  if (acceptFolder !== undefined && await acceptFolder(offer) !== true) {
    throw declined(offer.name, "it was declined");
  }
  return {
    directory,
    overwrite: options.overwrite ?? false,
    limits: resumeLimits(options.resume),
    maxFolders: Math.max(maxEntries, LEAST_FOLDERS),
    maxPathBytes: options.maxPathBytes ?? DEFAULT_MAX_PATH_BYTES,
    onProgress: options.onProgress,
  };
}

/** @throws {SttError} CONFIG. */
function checkPathBytes({ maxPathBytes = 0 }: ReceiveTransfersOptions): void {
  if (maxPathBytes >= 0) return;
  throw new SttError(
    "CONFIG",
    `cannot use option maxPathBytes: ${maxPathBytes} is not 0 or above`,
  );
}

function declined(name: string, why: string): SttError {
  return new SttError("REFUSED", `cannot take folder ${JSON.stringify(name)}: ${why}`);
}
