/**
 * The handshake of a dial, over a transport that stands.
 *
 * @module
 */
import { Connection } from "../connection/connection.ts";
import type { ConnectionEvent } from "../connection/events.ts";
import type { PathOptions } from "../connection/session_core.ts";
import { SttError } from "../errors.ts";
import type { HandshakeSession, InitiatorConfig } from "../handshake/types.ts";
import type { TransportConnection } from "../transport/transport.ts";
import type { DialAttempt } from "./dial_race.ts";
import { Driver } from "./driver.ts";
import { type ConnectOptions, type EndpointSetup, sessionBase } from "./options.ts";
import { Peer } from "./peer.ts";

/** What a dial over datagrams has besides. */
export interface DatagramDial {
  readonly path: PathOptions;
  /** Other addresses of the peer are tried as well: only one of them goes on when it has answered. */
  readonly attempt: DialAttempt;
}

/** What some dials have besides. */
export interface DialParts extends Partial<DatagramDial> {
  /** Gets the handshake's outcome once the session is open. */
  readonly onSession?: (session: HandshakeSession) => void;
}

/** Runs the initiator's handshake over a transport. */
export function dialHandshake(
  transport: TransportConnection,
  config: InitiatorConfig,
  setup: EndpointSetup,
  options: ConnectOptions,
  { path, attempt, onSession }: DialParts = {},
): Promise<Peer> {
  const { signal } = options;
  let connection: Connection;
  try {
    connection = Connection.dial(
      {
        ...sessionBase(setup, "initiator", transport),
        handshake: config,
        ...(path === undefined ? {} : { path }),
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
      attempt?.signal.removeEventListener("abort", onBeaten);
      act();
      return true;
    };
    const onEvent = (event: ConnectionEvent): void => {
      // Before AUTH_PROOF leaves: the peer must not hear of two sessions.
      if (event.type === "early" && attempt?.claim() === false) {
        connection.transportEnded();
        return;
      }
      if (event.type === "early" || event.type === "established") {
        const session = connection.session;
        if (peer === undefined && session !== undefined) peer = new Peer(driver, session);
      }
      peer?.dispatch(event);
      if (event.type === "early" && peer !== undefined && options.early !== undefined) {
        callEarly(options.early, peer, settle, rejectAtEnd);
      } else if (event.type === "established") {
        settle(() => {
          if (connection.session !== undefined) onSession?.(connection.session);
          resolve(peer as Peer);
        });
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
    /** Another address answered first. */
    const onBeaten = (): void => {
      connection.transportEnded();
      driver.schedule();
    };
    // The transport is gone before the caller hears of it: nothing stays behind a failed dial.
    const rejectAtEnd = (error: unknown): void => void driver.ended.then(() => reject(error));
    const driver = new Driver(connection, transport, setup.clock, onEvent, setup.answerPoll);
    signal?.addEventListener("abort", onAbort, { once: true });
    attempt?.signal.addEventListener("abort", onBeaten, { once: true });
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
