/**
 * What a folder may cost the receiver.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { FolderOffer } from "./folder_wire.ts";
import { FILE_REFUSALS } from "./refusals.ts";

/** Why a folder is not taken at all. @throws {SttError} FILE_TOO_LARGE. */
export function checkFolderLimits(offer: FolderOffer, maxBytes: number, maxEntries: number): void {
  const over = offer.bytes > maxBytes
    ? `${offer.bytes} bytes exceed ${maxBytes}`
    : offer.entries > maxEntries
    ? `${offer.entries} entries exceed ${maxEntries}`
    : undefined;
  if (over === undefined) return;
  throw new SttError("FILE_TOO_LARGE", `cannot take folder: ${over}`, {
    wire: FILE_REFUSALS["too-large"].wire,
  });
}

/** Each path is kept until the folder is there, or for its `failed`: memory that the sender chooses. */
export function tooLongPaths(limit: number): SttError {
  return new SttError(
    "FILE_TOO_LARGE",
    `cannot take folder: the paths in it are longer than ${limit} bytes together`,
    { limit, wire: FILE_REFUSALS["too-large"].wire },
  );
}
