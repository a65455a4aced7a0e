/**
 * Dialling from a browser: the global `WebSocket`, cryptography in JavaScript.
 *
 * @module
 */
import { nobleProvider } from "../crypto/noble_provider.ts";
import { SttError } from "../errors.ts";
import { dialReliable, withInitiator } from "../endpoint/dial.ts";
import { type ConnectOptions as RuntimeOptions, endpointSetup } from "../endpoint/options.ts";
import type { Peer } from "../endpoint/peer.ts";
import { parseAddress } from "../transport/address.ts";
import type { DialOptions, Transport } from "../transport/transport.ts";
import { webSocketTransport } from "./websocket_transport.ts";

/** Options of `connect` in a browser: those of `@seigr/stt` without what needs UDP or sockets. */
export interface ConnectOptions
  extends Omit<RuntimeOptions, "congestion" | "pathMtu" | "transport" | "transports"> {
  /** Options of the WebSocket. */
  readonly transport?: Pick<DialOptions, "timeoutMs" | "maxMessageBytes">;
  /** A transport of your own for its schemes, before WebSocket. */
  readonly transports?: readonly Transport[];
}

function chooseTransport(address: string, own: readonly Transport[] = []): Transport {
  const scheme = address.slice(0, Math.max(0, address.indexOf(":"))).toLowerCase();
  const transport = [...own, webSocketTransport].find(({ schemes }) => schemes.includes(scheme));
  if (transport !== undefined) return transport;
  const { scheme: known } = parseAddress(address);
  throw new SttError("ADDRESS", `cannot connect by ${known}: a browser has ws: and wss: only`);
}

/**
 * Dials an address, proves the seed, checks the peer and resolves once the session is open. Everything that comes of it,
 * the {@link Peer} and its streams, is the same as on Deno and Node.
 *
 * A page that came by `https:` reaches `wss:` addresses only. The listener decides which origins may connect (its
 * option `origins`); one that serves the page itself takes its own.
 *
 * @param address `ws://host:port/path` or `wss://host:port/path`.
 * @throws {SttError} `ADDRESS`, `CONFIG`, `SEED`; `TRANSPORT` when the address cannot be reached or the origin is not
 *   taken (browsers tell pages no more than that); `HANDSHAKE_TIMEOUT` for a wrong seed or silence; `PEER_IDENTITY`,
 *   `SELF`, `REFUSED`, `BUSY`, `SUITE`, `VERSION`; the signal's reason.
 *
 * @example
 * ```ts
 * import { generateSeed, listen } from "@seigr/stt";
 * import { connect } from "@seigr/stt/browser";
 * const seed = generateSeed();
 * const listener = await listen("ws://127.0.0.1:0/", { seed });
 * const peer = await connect(listener.address, { seed, expect: listener.nodeId });
 * console.log(peer.info.pinned); // true
 * await peer.close();
 * await listener.close();
 * ```
 */
export async function connect(address: string, options: ConnectOptions): Promise<Peer> {
  options.signal?.throwIfAborted();
  const transport = chooseTransport(address, options.transports);
  const setup = endpointSetup(options, [options.seed], options.provider ?? nobleProvider());
  return await withInitiator(
    setup,
    options,
    (configOf) => dialReliable(transport, address, setup, options, configOf),
  );
}
