/**
 * The transport of each scheme.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import { defaultMemoryNetwork } from "./memory.ts";
import { tcpTransport } from "./tcp.ts";
import type { Transport } from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";

const TRANSPORTS: readonly Transport[] = [webSocketTransport, tcpTransport, defaultMemoryNetwork];

/**
 * The transport of a scheme: `ws`, `wss`, `tcp` or `mem`.
 *
 * @throws {SttError} UNSUPPORTED for `udp`, ADDRESS for schemes that nobody knows.
 */
export function transportFor(scheme: string): Transport {
  const transport = TRANSPORTS.find((candidate) => candidate.schemes.includes(scheme));
  if (transport !== undefined) return transport;
  if (scheme === "udp") {
    throw new SttError("UNSUPPORTED", "cannot use udp: not in this version");
  }
  throw new SttError(
    "ADDRESS",
    `unknown scheme ${JSON.stringify(scheme)}; known are ws, wss, tcp and mem`,
  );
}

/** The transport of an address. */
export function transportOf(address: string): Transport {
  return transportFor(parseAddress(address).scheme);
}
