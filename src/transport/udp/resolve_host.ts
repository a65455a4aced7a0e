import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { transportError } from "../transport_error.ts";

/** An IP address and its family. */
export interface ResolvedHost {
  readonly host: string;
  readonly family: 4 | 6;
}

/**
 * Looks a host name up, once: sockets take IP addresses only, so that no packet waits for a name server.
 *
 * @param host A name, or an IP address (which is returned as it is, whatever `family` says).
 * @param family Only addresses of this family; else the first that the system offers.
 * @throws {SttError} TRANSPORT when the name is unknown. The signal's reason when it aborts.
 */
export async function resolveHost(
  host: string,
  family?: 4 | 6,
  signal?: AbortSignal,
): Promise<ResolvedHost> {
  signal?.throwIfAborted();
  const literal = isIP(host);
  if (literal === 4 || literal === 6) return { host, family: literal };
  const found = await lookup(host, { family: family ?? 0 }).catch((cause: unknown) => {
    throw transportError(`cannot look up ${host}`, cause);
  });
  signal?.throwIfAborted();
  return { host: found.address, family: found.family === 6 ? 6 : 4 };
}
