import { systemCode } from "../transport_error.ts";

/**
 * What a datagram socket may be told about one datagram or one peer. ICMP messages can be forged by anyone who knows the
 * addresses (SPEC 10), and a full queue or a dead route is a lost packet: none of these says that the socket is broken.
 */
const PASSING: ReadonlySet<string> = new Set([
  "EACCES",
  "EADDRNOTAVAIL",
  "EAGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "EINTR",
  "EINVAL",
  "EMSGSIZE",
  "ENETDOWN",
  "ENETRESET",
  "ENETUNREACH",
  "ENOBUFS",
  "ENOMEM",
  "ENOPROTOOPT",
  "EPERM",
  "EPROTO",
  "ETIMEDOUT",
  "EWOULDBLOCK",
]);

/** An error that concerns one datagram, not the socket. */
export function isPassing(cause: unknown): boolean {
  const code = systemCode(cause);
  return code !== undefined && PASSING.has(code);
}
