/**
 * The transport of each scheme.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { parseAddress } from "./address.ts";
import { defaultMemoryNetwork } from "./memory.ts";
import { tcpTransport } from "./tcp.ts";
import type { AnyTransport } from "./transport.ts";
import { udpTransport } from "./udp/udp_transport.ts";
import { webSocketTransport } from "./websocket.ts";

const TRANSPORTS: readonly AnyTransport[] = [
  webSocketTransport,
  tcpTransport,
  udpTransport,
  defaultMemoryNetwork,
];

/**
 * The transport of a scheme: `ws`, `wss`, `tcp`, `udp` or `mem`.
 *
 * @throws {SttError} ADDRESS for schemes that nobody knows.
 */
export function transportFor(scheme: string): AnyTransport {
  const transport = TRANSPORTS.find((candidate) => candidate.schemes.includes(scheme));
  if (transport !== undefined) return transport;
  throw new SttError(
    "ADDRESS",
    `unknown scheme ${JSON.stringify(scheme)}; known are ws, wss, tcp, udp and mem`,
  );
}

/** The transport of an address. */
export function transportOf(address: string): AnyTransport {
  return transportFor(parseAddress(address).scheme);
}
