/**
 * Dialling.
 *
 * @module
 */
import { Connection } from "../connection/connection.ts";
import { transportParameters } from "../connection/config.ts";
import type { ConnectionEvent } from "../connection/events.ts";
import { SttError } from "../errors.ts";
import { wipe } from "../crypto/secret.ts";
import type { InitiatorConfig } from "../handshake/types.ts";
import { parseAddress } from "../transport/address.ts";
import { transportFor } from "../transport/transports.ts";
import type { AnyTransport, TransportConnection } from "../transport/transport.ts";
import { Driver } from "./driver.ts";
import {
  type ConnectOptions,
  type EndpointSetup,
  endpointSetup,
  maxMessageBytes,
  pairKeyBytes,
  pathOptions,
  pinOf,
  seedKeyList,
} from "./options.ts";
import { Peer } from "./peer.ts";
import { UdpChannel } from "./udp_channel.ts";
import { dialDatagrams } from "./udp_dial.ts";

/** The transport of an address: the application's own ones come first. */
export function chooseTransport(
  address: string,
  transports: readonly AnyTransport[] | undefined,
): AnyTransport {
  const scheme = address.slice(0, Math.max(0, address.indexOf(":"))).toLowerCase();
  const own = transports?.find((transport) => transport.schemes.includes(scheme));
  return own ?? transportFor(parseAddress(address).scheme);
}

/**
 * Dials an address, proves the seed, checks the peer and resolves once the session is open.
 *
 * Addresses: `ws://host:port/path`, `wss://host:port/path`, `tcp://host:port`, `udp://host:port`, `mem:name`.
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
  options.signal?.throwIfAborted();
  const transport = chooseTransport(address, options.transports);
  const setup = endpointSetup(options, [options.seed]);
  const [seedKeys] = seedKeyList(setup.provider, [options.seed]);
  const pairKey = options.pairKey === undefined ? undefined : pairKeyBytes(options.pairKey);
  const pin = pinOf(options.expect);
  try {
    const deadline = setup.clock.now() + setup.handshakeTimeout;
    const connection = "open" in transport
      ? await dialDatagrams(transport, address, options.signal)
      : await transport.dial(address, {
        timeoutMs: setup.handshakeTimeout,
        maxMessageBytes: maxMessageBytes(setup.limits),
        ...options.transport,
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      });
    const config: InitiatorConfig = {
      provider: setup.provider,
      reliable: connection.framing !== "datagram",
      seedKeys: seedKeys as NonNullable<typeof seedKeys>,
      staticKey: setup.staticKey,
      parameters: transportParameters(setup.limits, connection.receiveBuffer),
      suites: setup.suites,
      allowSelf: options.allowSelf ?? false,
      timeoutMs: Math.max(1, Math.round(deadline - setup.clock.now())),
      unixOffsetMs: setup.clock.unix() - setup.clock.now(),
      ...(pairKey === undefined ? {} : { pairKey }),
      ...(pin === undefined ? {} : { expect: pin }),
    };
    return await handshake(connection, config, setup, options);
  } finally {
    seedKeys?.wipe();
    setup.staticKey.destroy();
    // A dialled socket ends with its session: there is nobody left to tell of a loss.
    setup.resetTokens?.wipe();
    if (pairKey !== undefined) wipe(pairKey);
  }
}

function handshake(
  transport: TransportConnection,
  config: InitiatorConfig,
  setup: EndpointSetup,
  options: ConnectOptions,
): Promise<Peer> {
  const { signal } = options;
  let connection: Connection;
  try {
    connection = Connection.dial(
      {
        provider: setup.provider,
        limits: setup.limits,
        handshake: config,
        ...(transport instanceof UdpChannel ? { path: pathOptions(setup, transport) } : {}),
      },
      setup.clock.now(),
    );
  } catch (error) {
    transport.abort();
    return Promise.reject(error);
  }
  return new Promise<Peer>((resolve, reject) => {
    let peer: Peer | undefined;
    let settled = false;
    const settle = (act: () => void): boolean => {
      if (settled) return false;
      settled = true;
      signal?.removeEventListener("abort", onAbort);
      act();
      return true;
    };
    const onEvent = (event: ConnectionEvent): void => {
      if (event.type === "early" || event.type === "established") {
        const session = connection.session;
        if (peer === undefined && session !== undefined) peer = new Peer(driver, session);
      }
      peer?.dispatch(event);
      if (event.type === "early" && peer !== undefined && options.early !== undefined) {
        callEarly(options.early, peer, settle, rejectAtEnd);
      } else if (event.type === "established") {
        settle(() => resolve(peer as Peer));
      } else if (event.type === "closed") {
        const error = event.facts.error ??
          new SttError("CLOSED", `cannot connect: closed by the peer: ${event.facts.reason}`);
        settle(() => rejectAtEnd(error));
      }
    };
    const onAbort = (): void => {
      settle(() => {
        connection.abort(setup.clock.now());
        driver.schedule();
        if (!config.reliable) {
          // Nothing but SESSION_CLOSE tells the peer.
          rejectAtEnd(signal?.reason);
          return;
        }
        transport.abort();
        reject(signal?.reason);
      });
    };
    // The transport is gone before the caller hears of it: nothing stays behind a failed dial.
    const rejectAtEnd = (error: unknown): void => void driver.ended.then(() => reject(error));
    const driver = new Driver(connection, transport, setup.clock, onEvent);
    signal?.addEventListener("abort", onAbort, { once: true });
    driver.start();
    if (signal?.aborted) onAbort();
  });
}

/** An exception of the application's hook ends the dial with that exception. */
function callEarly(
  early: (peer: Peer) => void | Promise<void>,
  peer: Peer,
  settle: (act: () => void) => boolean,
  reject: (error: unknown) => void,
): void {
  const fail = (error: unknown): boolean =>
    settle(() => {
      peer.abort();
      reject(error);
    });
  try {
    // An asynchronous hook is what most people write; nobody else would see it fail.
    const outcome: unknown = early(peer);
    if (outcome instanceof Promise) {
      outcome.catch((error) => {
        // Once the dial is settled, errors of the session are told elsewhere; others are the hook's own.
        if (!fail(error) && !(error instanceof SttError)) throw error;
      });
    }
  } catch (error) {
    fail(error);
  }
}
