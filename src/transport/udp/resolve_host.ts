import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { transportError } from "../transport_error.ts";
import type { ResolvedHost } from "./resolved_host.ts";

export type { ResolvedHost };

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

/** A name may stand for this many addresses; further ones are not tried. */
const MAX_ADDRESSES = 16;

/**
 * All addresses of a host, in the order to try them: the system's, but the families take turns, so that one that does not
 * work here costs one wait and not one per address (RFC 8305, 4).
 *
 * @throws {SttError} TRANSPORT when the name is unknown. The signal's reason when it aborts.
 */
export async function resolveHosts(
  host: string,
  signal?: AbortSignal,
): Promise<readonly ResolvedHost[]> {
  signal?.throwIfAborted();
  const literal = isIP(host);
  if (literal === 4 || literal === 6) return [{ host, family: literal }];
  const found = await lookup(host, { all: true }).catch((cause: unknown) => {
    throw transportError(`cannot look up ${host}`, cause);
  });
  signal?.throwIfAborted();
  return inTurns(
    found.map(({ address, family }) => ({ host: address, family: family === 6 ? 6 : 4 })),
  );
}

/** The families alternate, beginning with that of the first. */
export function inTurns(hosts: readonly ResolvedHost[]): readonly ResolvedHost[] {
  const first = hosts.filter(({ family }) => family === hosts[0]?.family);
  const second = hosts.filter(({ family }) => family !== hosts[0]?.family);
  const turns: ResolvedHost[] = [];
  for (let index = 0; index < Math.max(first.length, second.length); index++) {
    for (const host of [first[index], second[index]]) if (host !== undefined) turns.push(host);
  }
  return turns.slice(0, MAX_ADDRESSES);
}
