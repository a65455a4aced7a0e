import type { AddressInfo, Server } from "node:net";
import { setImmediate } from "node:timers";
import type { SttError } from "../errors.ts";
import { transportError } from "./transport_error.ts";

/** Binds `server`; afterwards errors of the listening socket go to `onError`. */
export function bind(
  server: Server,
  place: { readonly host: string; readonly port: number; readonly text: string },
  onError: ((error: SttError) => void) | undefined,
): Promise<AddressInfo> {
  const attempt = `cannot listen on ${place.text}`;
  return new Promise((resolve, reject) => {
    const onFailure = (cause: unknown): void => reject(transportError(attempt, cause));
    server.once("error", onFailure);
    server.listen({ host: place.host, port: place.port }, () => {
      server.off("error", onFailure);
      server.on("error", (cause) => {
        onError?.(transportError(`listener on ${place.text} failed`, cause));
      });
      resolve(server.address() as AddressInfo);
    });
  });
}

/**
 * Closes the listening socket. Its `close` event waits for the connections, which live on, so the end of the turn of
 * the event loop in which the socket is closed is what is waited for.
 */
export function unbind(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close();
    setImmediate(resolve);
  });
}
