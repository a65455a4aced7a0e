/**
 * Files between two nodes (SPEC 12): whole, verified, under the names that were agreed on, or not at all.
 *
 * @module
 */
export { checkFileName } from "./file_name.ts";
export type { ResumeLimits } from "./kept_parts.ts";
export {
  declineFile,
  type FileOutcome,
  type FileProgress,
  type ReceivedFile,
  receiveFile,
  type ReceiveFileOptions,
  receiveFiles,
} from "./receive_file.ts";
export { FILE_REFUSALS, type RefusalEntry, type RefusalName } from "./refusals.ts";
export { sendFile, type SendFileOptions, type SentFile } from "./send_file.ts";
export { type FileOffer, FILES_APP } from "./wire.ts";
