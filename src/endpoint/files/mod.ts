/**
 * Files between two nodes (SPEC 12): whole, verified, under the names that were agreed on, or not at all.
 *
 * @module
 */
export { checkFileName } from "./file_name.ts";
export type { ResumeLimits } from "./kept_parts.ts";
export {
  type FileOutcome,
  receiveFile,
  type ReceiveFileOptions,
  receiveFiles,
} from "./receive_file.ts";
export { declineFile, type ReceivedFile, type TakeOptions } from "./receive_transfer.ts";
export type { FileProgress } from "./progress.ts";
export { FILE_REFUSALS, type RefusalEntry, type RefusalName } from "./refusals.ts";
export type { ExcludeEntry, FailedEntry, SkippedEntry } from "./folder_scan.ts";
export type { FolderOffer } from "./folder_wire.ts";
export type { ReceivedFolder } from "./receive_folder.ts";
export {
  receiveTransfers,
  type ReceiveTransfersOptions,
  type TransferOutcome,
} from "./receive_transfers.ts";
export {
  type FolderProgress,
  sendFolder,
  type SendFolderOptions,
  type SentFolder,
} from "./send_folder.ts";
export { sendFile, type SendFileOptions, type SentFile } from "./send_file.ts";
export type { TransferOptions } from "./send_transfer.ts";
export { type FileOffer, FILES_APP } from "./wire.ts";
