/**
 * Opens UDP sockets with what the runtime has.
 *
 * @module
 */
import { SttError } from "../../errors.ts";
import { formatAddress } from "../address.ts";
import { denoRuntime } from "../deno_types.ts";
import type { BindAddress, DatagramSocket, OpenDatagramOptions } from "./datagram_socket.ts";
import { openDenoDgramSocket } from "./deno_dgram.ts";
import { openDenoSocket } from "./deno_listen_datagram.ts";
import { openNodeSocket } from "./node_dgram.ts";
import { resolveHost } from "./resolve_host.ts";

/** The ways to open a socket, by what they are built on. */
export type DatagramSockets = "node:dgram" | "deno node:dgram" | "Deno.listenDatagram";

/** The fastest that this runtime has: `Deno.listenDatagram` is there only under `--unstable-net`. */
export function availableSockets(): DatagramSockets {
  const deno = denoRuntime();
  if (deno === undefined) return "node:dgram";
  return deno.listenDatagram === undefined ? "deno node:dgram" : "Deno.listenDatagram";
}

/**
 * Opens and binds a UDP socket.
 *
 * @param kind Another way than the fastest; for tests.
 * @throws {SttError} ADDRESS for a port out of range; TRANSPORT (`cannot bind udp://…`) when the system refuses.
 * The signal's reason when it aborts.
 */
export async function openDatagramSocket(
  options: OpenDatagramOptions,
  kind: DatagramSockets = availableSockets(),
): Promise<DatagramSocket> {
  const { port, signal } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new SttError("ADDRESS", `cannot bind ${place(options)}: the port is not 0 to 65535`);
  }
  const found = await resolveHost(options.host, options.family, signal);
  const socket = await open({ host: found.host, family: found.family, port }, kind);
  if (signal?.aborted) {
    await socket.close();
    throw signal.reason;
  }
  return socket;
}

async function open(address: BindAddress, kind: DatagramSockets): Promise<DatagramSocket> {
  if (kind === "node:dgram") return await openNodeSocket(address);
  if (kind === "deno node:dgram") return await openDenoDgramSocket(address);
  const listenDatagram = denoRuntime()?.listenDatagram;
  if (listenDatagram !== undefined) return openDenoSocket(listenDatagram, address);
  throw new SttError(
    "TRANSPORT",
    `cannot bind ${place(address)}: Deno.listenDatagram needs --unstable-net`,
  );
}

function place(address: { readonly host: string; readonly port: number }): string {
  return formatAddress({ scheme: "udp", host: address.host, port: address.port });
}
