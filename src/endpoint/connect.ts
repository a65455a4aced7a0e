/**
 * Dialling.
 *
 * @module
 */
import { nodeProvider } from "../crypto/node_provider.ts";
import { parseAddress } from "../transport/address.ts";
import { transportFor } from "../transport/transports.ts";
import type { AnyTransport } from "../transport/transport.ts";
import { dialReliable, type ResumptionDial, withInitiator } from "./dial.ts";
import { dialHandshake } from "./dial_handshake.ts";
import { type DialAttempt, raceDials } from "./dial_race.ts";
import {
  type ConnectOptions,
  type EndpointOptions,
  type EndpointSetup,
  endpointSetup,
  pathOptions,
  type SeedInput,
} from "./options.ts";
import type { Peer } from "./peer.ts";
import { datagramPeers, dialDatagrams } from "./udp_dial.ts";

/** A host with several addresses: the next one is tried when one has said nothing for so long (RFC 8305). */
const ADDRESS_STEP_MS = 300;

/** What the options mean in this runtime. */
export function runtimeSetup(
  options: EndpointOptions & { readonly acceptTimeout?: number },
  seeds: readonly SeedInput[],
): EndpointSetup {
  return endpointSetup(options, seeds, options.provider ?? nodeProvider());
}

/** The transport of an address: the application's own ones come first. */
export function chooseTransport(
  address: string,
  transports: readonly AnyTransport[] | undefined,
): AnyTransport {
  // Who calls without types gets the parser's word for it.
  if (typeof address !== "string") parseAddress(address);
  const scheme = address.slice(0, Math.max(0, address.indexOf(":"))).toLowerCase();
  const own = transports?.find((transport) => transport.schemes.includes(scheme));
  return own ?? transportFor(parseAddress(address).scheme);
}

/**
 * Dials an address, proves the seed, checks the peer and resolves once the session is open.
 *
 * Addresses: `ws://host:port/path`, `wss://host:port/path`, `tcp://host:port`, `udp://host:port`, `mem:name`. Over UDP the
 * addresses of a host name are tried in turn, the next one after 300 ms or when one has failed, and the first that answers
 * is taken.
 *
 * @throws {SttError} `ADDRESS`, `CONFIG`, `SEED`; `TRANSPORT` when the address cannot be reached; `HANDSHAKE_TIMEOUT` for
 *   a wrong seed or silence, which over UDP is all that an address without a listener shows; `PEER_IDENTITY`, `SELF`, `REFUSED`, `BUSY`, `SUITE`, `VERSION`; the signal's reason.
 *
 * @example
 * ```ts
 * import { connect, generateSeed, listen } from "@seigr/stt";
 * const seed = generateSeed();
 * const listener = await listen("mem:connect-example", { seed });
 * const peer = await connect("mem:connect-example", { seed, expect: listener.nodeId });
 * console.log(peer.info.pinned); // true
 * await peer.close();
 * await listener.close();
 * ```
 */
export async function connect(address: string, options: ConnectOptions): Promise<Peer> {
  return await connectWith(address, options);
}

/** As {@link connect}, with what a session that outlasts its transport needs. */
export async function connectWith(
  address: string,
  options: ConnectOptions,
  resumption?: ResumptionDial,
): Promise<Peer> {
  options.signal?.throwIfAborted();
  const transport = chooseTransport(address, options.transports);
  const setup = runtimeSetup(options, [options.seed]);
  return await withInitiator(setup, options, async (configOf) => {
    if (!("open" in transport)) {
      return await dialReliable(transport, address, setup, options, configOf, resumption);
    }
    const peers = await datagramPeers(transport, address, options.signal);
    const tries = peers.map((peer) => async (attempt: DialAttempt) => {
      const { signal } = options;
      const either = signal === undefined
        ? attempt.signal
        : AbortSignal.any([signal, attempt.signal]);
      const channel = await dialDatagrams(transport, peer, either);
      if (either.aborted) channel.abort();
      either.throwIfAborted();
      const path = pathOptions(setup, channel);
      const parts = { ...resumption, path, attempt };
      return await dialHandshake(channel, configOf(channel), setup, options, parts);
    });
    return await raceDials(tries, ADDRESS_STEP_MS, options.signal);
  }, resumption);
}
