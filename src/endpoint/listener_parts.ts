/**
 * What a listener stands on: the acceptor of its handshakes, and the sessions it counts.
 *
 * @module
 */
import { transportParameters } from "../connection/config.ts";
import { DEFAULT_HALF_OPEN } from "../constants.ts";
import type { SeedKeys } from "../crypto/key_schedule.ts";
import { Acceptor } from "../handshake/acceptor.ts";
import type { AcceptorConfig, TransportParameters } from "../handshake/types.ts";
import type { Driver } from "./driver.ts";
import type { EndpointSetup, ListenOptions } from "./options.ts";

/** What a listener is made of. */
export interface ListenerParts {
  readonly acceptor: Acceptor;
  readonly acceptorConfig: AcceptorConfig;
  readonly seedKeys: readonly SeedKeys[];
  readonly setup: EndpointSetup;
  readonly options: ListenOptions;
  readonly sessions: Set<Driver>;
  readonly maxSessions: number;
  /** Connections of reliable transports without a session. */
  readonly halfOpen: number;
}

/** What the parts are made from. The secrets in it stay the caller's, who wipes them when listening fails. */
export interface ListenerBasis {
  readonly options: ListenOptions;
  readonly setup: EndpointSetup;
  readonly seedKeys: readonly SeedKeys[];
  readonly pairKey: AcceptorConfig["pairKey"] | undefined;
  readonly maxSessions: number;
  /** UDP: only there can a stateless reset tell a peer that its session is gone. */
  readonly datagrams: boolean;
  /** Whether a new session must not get this id. */
  readonly isTaken: (sessionId: Uint8Array) => boolean;
}

/** What the listener announces, over UDP for a socket with this receive buffer. */
export function listenerParameters(
  { limits }: EndpointSetup,
  { resumption }: ListenOptions,
  receiveBuffer?: number,
): TransportParameters {
  return transportParameters(limits, receiveBuffer, resumption !== undefined);
}

/** The parts of one listener. */
export function listenerParts(basis: ListenerBasis): ListenerParts {
  const { options, setup, seedKeys, pairKey, maxSessions, datagrams, isTaken } = basis;
  const sessions = new Set<Driver>();
  const { resetTokens } = setup;
  const acceptorConfig: AcceptorConfig = {
    provider: setup.provider,
    seeds: seedKeys,
    staticKey: setup.staticKey,
    parameters: listenerParameters(setup, options),
    ...(options.resumption === undefined ? {} : { tickets: options.resumption.tickets }),
    suites: setup.suites,
    allowSelf: options.allowSelf ?? false,
    timeoutMs: setup.handshakeTimeout,
    unixOffsetMs: setup.clock.unix() - setup.clock.now(),
    sessionIdTaken: isTaken,
    busy: () => sessions.size >= maxSessions,
    ...(datagrams && resetTokens !== undefined
      ? { resetToken: (sessionId: Uint8Array) => resetTokens.of(sessionId) }
      : {}),
    ...(options.halfOpen === undefined ? {} : { halfOpen: options.halfOpen }),
    ...(options.halfOpenPerAddress === undefined
      ? {}
      : { halfOpenPerAddress: options.halfOpenPerAddress }),
    ...(options.handshakeRate === undefined ? {} : { handshakeRate: options.handshakeRate }),
    ...(options.maxNetworks === undefined ? {} : { maxNetworks: options.maxNetworks }),
    ...(options.maxNonces === undefined ? {} : { maxNonces: options.maxNonces }),
    ...(pairKey === undefined ? {} : { pairKey }),
  };
  return {
    acceptor: new Acceptor(acceptorConfig, setup.clock.now()),
    acceptorConfig,
    seedKeys,
    setup,
    options,
    sessions,
    maxSessions,
    halfOpen: options.halfOpen ?? DEFAULT_HALF_OPEN,
  };
}
