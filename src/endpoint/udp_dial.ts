/**
 * The dialling side's own socket.
 *
 * @module
 */
import { isLoopback } from "../connection/recovery/path.ts";
import { SttError } from "../errors.ts";
import { parseAddress } from "../transport/address.ts";
import type { DatagramTransport } from "../transport/transport.ts";
import type { DatagramSink, DatagramSocket } from "../transport/udp/datagram_socket.ts";
import { type ResolvedHost, resolveHosts } from "../transport/udp/resolve_host.ts";
import { type ChannelOwner, UdpChannel } from "./udp_channel.ts";

/** A socket with one peer, which it does not outlive. */
class DialledSocket implements ChannelOwner, DatagramSink {
  readonly socket: DatagramSocket;
  readonly channel: UdpChannel;
  #error: SttError | undefined;

  constructor(socket: DatagramSocket, host: string, port: number) {
    this.socket = socket;
    this.channel = new UdpChannel(this, { host, port }, true, 0);
    socket.start(this);
  }

  datagram(bytes: Uint8Array, host: string, port: number): void {
    this.channel.deliver(bytes, host, port);
  }

  batchEnd(): void {
    this.channel.batchEnd();
  }

  drain(): void {
    this.channel.drain();
  }

  error(error: SttError): void {
    this.#error = error;
  }

  closed(): void {
    this.channel.end(this.#error);
  }

  blocked(): void {
    // There is only this one channel: every drain is its own.
  }

  released(): Promise<void> {
    return this.socket.close();
  }
}

/** One of the addresses of a peer. */
export interface DatagramPeer {
  readonly found: ResolvedHost;
  readonly port: number;
}

/**
 * The addresses behind `scheme://host:port`, in the order to try them.
 *
 * @throws {SttError} `ADDRESS` without a port; `TRANSPORT` for unknown hosts; the signal's reason.
 */
export async function datagramPeers(
  transport: DatagramTransport,
  address: string,
  signal: AbortSignal | undefined,
): Promise<readonly DatagramPeer[]> {
  const { host, port, text } = parseAddress(address);
  if (port === 0) throw new SttError("ADDRESS", `cannot dial ${text}: port 0 is for listeners`);
  const hosts = await (transport.resolve?.(host, signal) ?? resolveHosts(host, signal));
  if (hosts.length > 0) return hosts.map((found) => ({ found, port }));
  throw new SttError("TRANSPORT", `cannot look up ${host}: it has no addresses`);
}

/**
 * Opens a socket of its own for one peer. An address of this machine is dialled from a socket that only this machine
 * reaches.
 *
 * @throws {SttError} `TRANSPORT` when no socket can be had; the signal's reason.
 */
export async function dialDatagrams(
  transport: DatagramTransport,
  { found, port }: DatagramPeer,
  signal: AbortSignal,
): Promise<UdpChannel> {
  const any = found.family === 6 ? "::" : "0.0.0.0";
  const own = found.family === 6 ? "::1" : "127.0.0.1";
  const socket = await transport.open({
    host: isLoopback(found.host) ? own : any,
    port: 0,
    family: found.family,
    signal,
  });
  return new DialledSocket(socket, canonicalHost(found.host), port).channel;
}

/** Sockets name senders in one spelling, and a peer in another would seem to have moved. */
function canonicalHost(host: string): string {
  if (!host.includes(":") || host.includes("%")) return host;
  return new URL(`udp://[${host}]`).hostname.slice(1, -1);
}
