/**
 * What every dial has in common, whatever the runtime and the transport.
 *
 * @module
 */
import { transportParameters } from "../connection/config.ts";
import { wipe } from "../crypto/secret.ts";
import type { DialTicket, HandshakeSession, InitiatorConfig } from "../handshake/types.ts";
import type { Transport, TransportConnection } from "../transport/transport.ts";
import { dialHandshake } from "./dial_handshake.ts";
import {
  type ConnectOptions,
  type EndpointSetup,
  maxMessageBytes,
  pairKeyBytes,
  pinOf,
  seedKeyList,
} from "./options.ts";
import type { Peer } from "./peer.ts";

/** The handshake that a dial is to run, over a transport that stands. */
export type InitiatorConfigOf = (connection: TransportConnection) => InitiatorConfig;

/** What a dial that is to be resumed, or resumes, has besides (SPEC 15). */
export interface ResumptionDial {
  /** The ticket to resume with. */
  readonly ticket?: DialTicket;
  /** Gets the handshake's outcome once the session is open. Its secrets are the connection's. */
  readonly onSession: (session: HandshakeSession) => void;
}

/** Calls `run` with what the options mean for the handshake. The secrets are gone when it is over. */
export async function withInitiator<T>(
  setup: EndpointSetup,
  options: ConnectOptions,
  run: (configOf: InitiatorConfigOf) => Promise<T>,
  resumption?: ResumptionDial,
): Promise<T> {
  const [seedKeys] = seedKeyList(setup.provider, [options.seed]);
  const pairKey = options.pairKey === undefined ? undefined : pairKeyBytes(options.pairKey);
  const pin = pinOf(options.expect);
  try {
    const deadline = setup.clock.now() + setup.handshakeTimeout;
    return await run((connection) => ({
      provider: setup.provider,
      reliable: connection.framing !== "datagram",
      seedKeys: seedKeys as NonNullable<typeof seedKeys>,
      staticKey: setup.staticKey,
      parameters: transportParameters(
        setup.limits,
        connection.receiveBuffer,
        resumption !== undefined,
      ),
      ...(resumption?.ticket === undefined ? {} : { ticket: resumption.ticket }),
      suites: setup.suites,
      allowSelf: options.allowSelf ?? false,
      timeoutMs: Math.max(1, Math.round(deadline - setup.clock.now())),
      unixOffsetMs: setup.clock.unix() - setup.clock.now(),
      ...(pairKey === undefined ? {} : { pairKey }),
      ...(pin === undefined ? {} : { expect: pin }),
    }));
  } finally {
    seedKeys?.wipe();
    setup.staticKey.destroy();
    // A dialled socket ends with its session: there is nobody left to tell of a loss.
    setup.resetTokens?.wipe();
    if (pairKey !== undefined) wipe(pairKey);
  }
}

/** Dials over a transport that carries bytes in order. */
export async function dialReliable(
  transport: Transport,
  address: string,
  setup: EndpointSetup,
  options: ConnectOptions,
  configOf: InitiatorConfigOf,
  resumption?: ResumptionDial,
): Promise<Peer> {
  const connection = await transport.dial(address, {
    timeoutMs: setup.handshakeTimeout,
    maxMessageBytes: maxMessageBytes(setup.limits),
    ...options.transport,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  return await dialHandshake(connection, configOf(connection), setup, options, resumption);
}
