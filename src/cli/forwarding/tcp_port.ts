/**
 * TCP for the forwarding service: ports that are listened on, and connections to targets.
 *
 * @module
 */
import { connect, createServer, type Socket } from "node:net";
import type { SttError } from "../../errors.ts";
import { bind, unbind } from "../../transport/listening.ts";
import { transportError } from "../../transport/transport_error.ts";
import { type Place, placeText } from "./rules.ts";

const CONNECT_TIMEOUT_MS = 10_000;

/** A port that is listened on. */
export interface TcpPort {
  /** With the port that the system chose. */
  readonly place: Place;
  /** Connections that were accepted stay. */
  close(): Promise<void>;
}

/**
 * Listens; sockets come paused and with both directions ending on their own.
 *
 * @param most Connections at once; more are closed by the system's side at once.
 * @throws {SttError} TRANSPORT
 */
export async function openPort(
  place: Place,
  most: number,
  onSocket: (socket: Socket) => void,
  onError: (error: SttError) => void,
): Promise<TcpPort> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, onSocket);
  server.maxConnections = most;
  const bound = await bind(server, { ...place, text: placeText(place) }, onError);
  return {
    place: { host: place.host, port: bound.port },
    close: () => unbind(server),
  };
}

/** Connects within 10 s. @throws {SttError} TRANSPORT; the signal's reason. */
export function connectTo(place: Place, signal: AbortSignal): Promise<Socket> {
  const text = placeText(place);
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const socket = connect({ host: place.host, port: place.port, allowHalfOpen: true });
    const finish = (error: unknown): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("connect", onConnect);
      if (error === undefined) return resolve(socket);
      socket.on("error", () => undefined);
      socket.destroy();
      reject(error);
    };
    const onError = (cause: unknown): void => {
      finish(transportError(`cannot connect to ${text}`, cause));
    };
    const onConnect = (): void => finish(undefined);
    const onAbort = (): void => finish(signal.reason);
    const timer = setTimeout(
      () => onError(new Error(`no answer within ${CONNECT_TIMEOUT_MS / 1000} s`)),
      CONNECT_TIMEOUT_MS,
    );
    socket.on("error", onError);
    socket.on("connect", onConnect);
    signal.addEventListener("abort", onAbort);
    // Data before the carrier listens stays in the kernel.
    socket.pause();
  });
}
