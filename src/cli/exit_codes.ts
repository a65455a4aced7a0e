/**
 * Exit codes of the command, and which errors lead to which.
 *
 * @module
 */
import { type ErrorCode, SttError } from "../errors.ts";

export const EXIT_OK = 0;
export const EXIT_FAILURE = 1;
export const EXIT_USAGE = 2;
export const EXIT_CONNECTION = 3;
export const EXIT_REFUSED = 4;
export const EXIT_FILE = 5;
export const EXIT_DECODE = 6;
export const EXIT_SIGINT = 130;
export const EXIT_SIGTERM = 143;

/** The table of `stt help`. */
export const EXIT_CODES: readonly (readonly [code: number, text: string])[] = [
  [EXIT_OK, "success: everything was sent, received and verified"],
  [EXIT_FAILURE, "failure inside the program; doctor: something fails"],
  [EXIT_USAGE, "wrong use: unknown command or option, no seed, bad address"],
  [EXIT_CONNECTION, "no connection, no session, or it broke (a wrong seed is one cause)"],
  [EXIT_REFUSED, "the peer refused, is busy, or is not the expected node"],
  [EXIT_FILE, "a file could not be read, written, verified, or was not taken"],
  [EXIT_DECODE, "decode: the input is malformed"],
  [EXIT_SIGINT, "interrupted (SIGINT, Ctrl-C)"],
  [EXIT_SIGTERM, "terminated (SIGTERM)"],
];

const REFUSED: readonly ErrorCode[] = ["REFUSED", "BUSY", "PEER_IDENTITY", "SELF", "DUPLICATE"];
const FILE: readonly ErrorCode[] = [
  "FILE_NAME",
  "FILE_EXISTS",
  "FILE_IO",
  "FILE_HASH",
  "FILE_TOO_LARGE",
  "STREAM_RESET",
  "STREAM_STOPPED",
  "SEALED_KEY",
  "SEALED_FORMAT",
  "SEALED_CHUNK",
  "SEALED_TRUNCATED",
];
const USAGE: readonly ErrorCode[] = ["CONFIG", "SEED", "ADDRESS", "UNSUPPORTED"];

/** Wrong use of the command; `hint` names the command whose help is of use. */
export class UsageError extends Error {
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}

/** Thrown to end a command after a signal. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: "SIGINT" | "SIGTERM") {
    super(signal === "SIGINT" ? "interrupted" : "terminated");
    this.exitCode = signal === "SIGINT" ? EXIT_SIGINT : EXIT_SIGTERM;
  }
}

/** Deno was started without a flag that the command needs; the message names it. */
export function isDenied(error: unknown): error is Error {
  return error instanceof Error && error.name === "NotCapable";
}

/** The exit code of what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode;
  if (error instanceof UsageError || isDenied(error)) return EXIT_USAGE;
  if (!(error instanceof SttError)) return EXIT_FAILURE;
  if (REFUSED.includes(error.code)) return EXIT_REFUSED;
  if (FILE.includes(error.code)) return EXIT_FILE;
  if (USAGE.includes(error.code)) return EXIT_USAGE;
  return error.code === "INTERNAL" ? EXIT_FAILURE : EXIT_CONNECTION;
}
