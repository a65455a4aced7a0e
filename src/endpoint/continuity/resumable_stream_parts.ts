/**
 * What a stream of a resumable session stands on: its session, and what it starts from.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import type { ConfirmMode } from "../../streams/continuity/continued_recv.ts";
import type { ResumableStream } from "./resumable_stream.ts";

/** What a stream needs of its session. */
export interface ResumableHost {
  /** A receiver's progress is to be told to the other side. */
  progress(stream: ResumableStream): void;
  /** Resolves when the session's state, this stream's with it, outlasts a crash. */
  save(): Promise<void>;
  /** A direction ended: the session may be done with the stream. */
  settled(stream: ResumableStream): void;
  /** The application gives up. */
  gaveUp(stream: ResumableStream, code: number): Promise<void>;
}

/** What a stream starts from. */
export interface ResumableStreamStart {
  readonly id: number;
  readonly name: string;
  /** Only one side sends: this one, the other one, or both do. */
  readonly sends: "this" | "other" | "both";
  readonly confirm: ConfirmMode;
  /** Unconfirmed bytes of this side that are kept. */
  readonly keep: number;
  /** What an earlier process of this side had confirmed; absent for a stream that begins here. */
  readonly stored?: { readonly confirmed: number; readonly ended: boolean };
}

/** The error of a stream that the other side gave up. */
export function resetBy(id: number, code: number | null): SttError {
  return new SttError("STREAM_RESET", `stream ${id} was given up by the peer, code ${code}`, {
    ...(code === null ? {} : { wire: code }),
    remote: true,
  });
}
