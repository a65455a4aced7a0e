/**
 * What a request can end with, and what that means for whoever asked.
 *
 * @module
 */
import { type ErrorCode, errorCodeOf, ERRORS, SttError } from "../../errors.ts";
import { isTransient } from "../reconnect_policy.ts";
import type { Failure } from "./wire.ts";

/**
 * What to make of a request that failed. `timeout`: its time was over. `cancelled`: whoever asked gave it up. `refused`:
 * the peer does not want to. `transient`: another try may succeed. `permanent`: it would fail again.
 */
export type FailureClass = "transient" | "permanent" | "refused" | "timeout" | "cancelled";

const CLASSES: Partial<Record<ErrorCode, FailureClass>> = {
  DEADLINE: "timeout",
  CANCELLED: "cancelled",
  REFUSED: "refused",
  BUSY: "transient",
  // What only asking in another way, or another program at the other end, would change.
  APPLICATION: "permanent",
  NO_ENDPOINT: "permanent",
  PROTOCOL: "permanent",
  BUFFER_EXCEEDED: "permanent",
  INTERNAL: "permanent",
};

/**
 * The class of a failed request. An error that is no {@link SttError} is the reason of an AbortSignal: `cancelled`.
 *
 * @example
 * ```ts
 * import { classifyFailure, SttError } from "@seigr/stt";
 * console.log(classifyFailure(new SttError("BUSY", "too many requests"))); // "transient"
 * console.log(classifyFailure(new SttError("DEADLINE", "2000 ms are over"))); // "timeout"
 * console.log(classifyFailure(new SttError("NO_ENDPOINT", "no such endpoint"))); // "permanent"
 * ```
 */
export function classifyFailure(error: unknown): FailureClass {
  if (!(error instanceof SttError)) return "cancelled";
  return CLASSES[error.code] ?? (isTransient(error) ? "transient" : "permanent");
}

/** Codes that a handler may end a request with; everything else it throws stays here. */
const SHOWN: readonly ErrorCode[] = ["APPLICATION", "REFUSED", "BUSY", "PROTOCOL"];
/** Codes of the toolkit's own, whose reasons name only what the peer knows. */
const OWN: readonly ErrorCode[] = [
  "NO_ENDPOINT",
  "DEADLINE",
  "CANCELLED",
  "BUFFER_EXCEEDED",
];

/** What the peer is told of an error: of one that nobody meant for it, only that there was one (SPEC 9.2.3). */
export function failureOf(error: unknown): Failure {
  if (error instanceof SttError && !error.remote && error.wire !== null && error.wire !== 0) {
    const application = error.code === "APPLICATION" && error.wire >= 0x100;
    if (application || (error.code !== "APPLICATION" && SHOWN.includes(error.code))) {
      return { error: error.wire, reason: error.message };
    }
    if (OWN.includes(error.code)) return { error: error.wire, reason: error.message };
  }
  return { error: ERRORS.INTERNAL.wire as number, reason: "" };
}

/** The error that a failure of the peer becomes. */
export function errorOfFailure({ error, reason }: Failure, attempt: string): SttError {
  const code = errorCodeOf(error);
  const text = reason === "" ? ERRORS[code].text : reason;
  return new SttError(code, `${attempt}: ${text}`, { wire: error, remote: true });
}

/** A RESET or STOP with a code of its own says more than "reset". */
export function explained(error: unknown, attempt: string): unknown {
  if (!(error instanceof SttError) || error.wire === null || error.wire === 0) return error;
  if (error.code !== "STREAM_RESET" && error.code !== "STREAM_STOPPED") return error;
  return errorOfFailure({ error: error.wire, reason: "" }, attempt);
}
