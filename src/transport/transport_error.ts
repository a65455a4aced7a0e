/**
 * Errors of the operating system and of WebSocket closes as {@link SttError}s that name what was attempted.
 *
 * @module
 */
import { SttError } from "../errors.ts";

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ECONNREFUSED", "connection refused: nobody listens there"],
  ["ECONNRESET", "the peer reset the connection"],
  ["ECONNABORTED", "the connection was aborted"],
  ["EPIPE", "the peer closed the connection"],
  ["EADDRINUSE", "the address is in use by another listener"],
  ["EADDRNOTAVAIL", "this machine does not have the address"],
  ["ENOTFOUND", "the host name is unknown"],
  ["EAI_AGAIN", "the host name could not be looked up; try later"],
  ["EACCES", "permission denied"],
  ["EPERM", "permission denied"],
  ["ETIMEDOUT", "no answer in time"],
  ["EHOSTUNREACH", "the host is unreachable"],
  ["ENETUNREACH", "the network is unreachable"],
  ["EMFILE", "too many open files in this process"],
  ["ENFILE", "too many open files on this machine"],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", "the certificate is self-signed and not trusted (option ca)"],
  ["SELF_SIGNED_CERT_IN_CHAIN", "the certificate chain is not trusted (option ca)"],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "the certificate's issuer is not trusted (option ca)"],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "the certificate's issuer is not trusted (option ca)"],
  ["CERT_HAS_EXPIRED", "the certificate has expired"],
  ["ERR_TLS_CERT_ALTNAME_INVALID", "the certificate is not for this host"],
]);

/** Names of Deno's own error classes for what Node has codes for. */
const DENO_NAMES: ReadonlyMap<string, string> = new Map([
  ["AddrInUse", "EADDRINUSE"],
  ["AddrNotAvailable", "EADDRNOTAVAIL"],
  ["ConnectionRefused", "ECONNREFUSED"],
  ["ConnectionReset", "ECONNRESET"],
  ["PermissionDenied", "EACCES"],
  ["NotCapable", "EACCES"],
]);

/** The system's error code (`ECONNREFUSED`), of the error or of the first one that it gathers. */
export function systemCode(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  if ("code" in cause && typeof cause.code === "string") return cause.code;
  if (cause instanceof AggregateError) {
    for (const inner of cause.errors) {
      const code = systemCode(inner);
      if (code !== undefined) return code;
    }
  }
  return DENO_NAMES.get(cause.name);
}

/**
 * A TRANSPORT error: `cannot connect to tcp://127.0.0.1:9: connection refused: nobody listens there (ECONNREFUSED)`.
 *
 * @param attempt What was attempted, as `cannot connect to …` or `connection to … failed`.
 */
export function transportError(attempt: string, cause: unknown): SttError {
  if (cause instanceof SttError) return cause;
  const code = systemCode(cause);
  // Not the system's refusal but Deno's: its text names the flag that allows it.
  const denied = cause instanceof Error && cause.name === "NotCapable";
  const reason = code === undefined || denied ? undefined : REASONS.get(code);
  if (reason !== undefined) {
    return new SttError("TRANSPORT", `${attempt}: ${reason} (${code})`, { cause });
  }
  const text = cause instanceof Error ? cause.message : String(cause);
  const suffix = code === undefined || text.includes(code) ? "" : ` (${code})`;
  return new SttError("TRANSPORT", `${attempt}: ${text || "unknown cause"}${suffix}`, { cause });
}

const CLOSE_CODES: ReadonlyMap<number, string> = new Map([
  [1002, "protocol error"],
  [1003, "text messages are not taken"],
  [1006, "the connection ended without a close frame"],
  [1008, "policy"],
  [1009, "message too big"],
  [1011, "internal error"],
  [1012, "restart"],
  [1013, "try later"],
]);

/** Undefined for orderly WebSocket closes (1000, 1001 going away, 1005 no code), an error for the others. */
export function webSocketCloseError(connection: string, code: number): SttError | undefined {
  if (code === 1000 || code === 1001 || code === 1005) return undefined;
  const text = CLOSE_CODES.get(code);
  return new SttError(
    "TRANSPORT",
    `connection ${connection} closed with WebSocket code ${code}${text ? ` (${text})` : ""}`,
  );
}
