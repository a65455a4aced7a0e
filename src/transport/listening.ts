import { type AddressInfo, isIP, type Server } from "node:net";
import { setImmediate } from "node:timers";
import { SttError } from "../errors.ts";
import { denoRuntime } from "./deno_types.ts";
import { transportError } from "./transport_error.ts";

/**
 * Deno throws what it does not allow to listen on outside of every handler, which would end the process: hence the question
 * beforehand, which also asks the user where Deno would.
 */
async function checkPermission(host: string, port: number, attempt: string): Promise<void> {
  const deno = denoRuntime();
  // A name is asked for, as Deno does it, when it is looked up.
  if (deno === undefined || isIP(host) === 0) return;
  const place = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  if ((await deno.permissions.request({ name: "net", host: place })).state !== "denied") return;
  throw new SttError(
    "TRANSPORT",
    `${attempt}: Requires net access to "${place}", run again with the --allow-net flag`,
  );
}

/** Binds `server`; afterwards errors of the listening socket go to `onError`. */
export async function bind(
  server: Server,
  place: { readonly host: string; readonly port: number; readonly text: string },
  onError: ((error: SttError) => void) | undefined,
): Promise<AddressInfo> {
  const attempt = `cannot listen on ${place.text}`;
  await checkPermission(place.host, place.port, attempt);
  return await new Promise((resolve, reject) => {
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
