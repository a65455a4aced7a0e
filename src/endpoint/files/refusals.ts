/**
 * Why a file was not taken: numbers for the wire, words for the peer, errors for this side.
 *
 * @module
 */
import { type ErrorCode, SttError } from "../../errors.ts";
import type { FileRefusal } from "./wire.ts";

/** One row of {@link FILE_REFUSALS}. */
export interface RefusalEntry {
  /** Number on the wire, in the range of application codes; also the code of RESET and STOP. */
  readonly wire: number;
  /** What the local error is called on the other side. */
  readonly code: ErrorCode;
  /** What the peer is told: fixed words, so that nothing local leaks into them. */
  readonly text: string;
}

/** Names of the refusals of the file service. */
export type RefusalName =
  | "name"
  | "exists"
  | "storage"
  | "full"
  | "hash"
  | "malformed"
  | "declined"
  | "too-large"
  | "cancelled"
  | "source"
  | "offset";

/** Every refusal of the file service (SPEC 12). */
export const FILE_REFUSALS: Readonly<Record<RefusalName, RefusalEntry>> = {
  name: { wire: 0x101, code: "FILE_NAME", text: "the receiver does not allow the name" },
  exists: { wire: 0x102, code: "FILE_EXISTS", text: "the receiver has a file of this name" },
  storage: { wire: 0x103, code: "FILE_IO", text: "the receiver could not write the file" },
  full: { wire: 0x104, code: "FILE_IO", text: "the receiver has no space left for the file" },
  hash: {
    wire: 0x105,
    code: "FILE_HASH",
    text: "what the receiver got does not match the SHA-256",
  },
  malformed: {
    wire: 0x106,
    code: "PROTOCOL",
    text: "the stream broke the rules of the file service",
  },
  declined: { wire: 0x107, code: "REFUSED", text: "the receiver takes no files here" },
  "too-large": {
    wire: 0x108,
    code: "FILE_TOO_LARGE",
    text: "the file is larger than the receiver takes",
  },
  cancelled: { wire: 0x109, code: "STREAM_RESET", text: "the transfer was cancelled" },
  source: { wire: 0x10a, code: "FILE_IO", text: "the sender could not read the file" },
  offset: { wire: 0x10b, code: "PROTOCOL", text: "the receiver asked for bytes behind the end" },
};

/** A refusal as it goes over the wire. */
export function refusal(name: RefusalName): FileRefusal {
  const { wire, text } = FILE_REFUSALS[name];
  return { error: wire, reason: text };
}

/** What the peer said, as an error of this side. */
export function refusalError(attempt: string, { error, reason }: FileRefusal): SttError {
  const entry = Object.values(FILE_REFUSALS).find(({ wire }) => wire === error);
  const why = entry?.text ?? (reason === "" ? `code 0x${error.toString(16)}` : reason);
  return new SttError(entry?.code ?? "FILE_IO", `${attempt}: ${why}`, {
    wire: error,
    remote: true,
  });
}

/**
 * What to tell the peer about an error of this side.
 *
 * @param isFull Whether the cause of a FILE_IO says that the place for files is full.
 */
export function refusalOf(error: unknown, isFull: (cause: unknown) => boolean): RefusalName {
  if (!(error instanceof SttError)) return "cancelled";
  switch (error.code) {
    case "FILE_NAME":
      return "name";
    case "FILE_EXISTS":
      return "exists";
    case "FILE_HASH":
      return "hash";
    case "PROTOCOL":
      return "malformed";
    case "UNSUPPORTED":
    case "REFUSED":
      return "declined";
    case "FILE_TOO_LARGE":
      return "too-large";
    case "FILE_IO":
      return isFull(error.cause) ? "full" : "storage";
    default:
      return "cancelled";
  }
}
