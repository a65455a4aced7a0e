/**
 * Listening on `ws:` and `wss:` with `Deno.serve` (option `native`): for trusted networks only, because this server
 * bounds neither an unfinished message nor half-open upgrades, and cannot pause reading.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { type Address, formatAddress, plainHost } from "./address.ts";
import { type DenoHttpServer, denoRuntime, type DenoServeInfo } from "./deno_types.ts";
import { DEFAULT_MAX_CONNECTIONS, DEFAULT_MAX_MESSAGE_BYTES } from "./limits.ts";
import { NativeWebSocketConnection } from "./native_websocket_connection.ts";
import type {
  ListenTransportOptions,
  TransportConnection,
  TransportListener,
} from "./transport.ts";
import { transportError } from "./transport_error.ts";
import { answerPlainRequest } from "./web_files.ts";
import { type Refusal, refuseUpgrade } from "./websocket_refusals.ts";

/**
 * Listens natively. Unlike the other listeners this one keeps its port after `close` until its last connection has
 * ended.
 *
 * @throws {SttError} UNSUPPORTED on runtimes other than Deno.
 */
export async function listenNativeWebSocket(
  address: Address,
  onConnection: (connection: TransportConnection) => void,
  options: ListenTransportOptions,
): Promise<TransportListener> {
  const deno = denoRuntime();
  if (deno === undefined) {
    throw new SttError(
      "UNSUPPORTED",
      `cannot listen on ${address.text}: option native needs Deno`,
    );
  }
  const { signal, cert, key } = options;
  signal?.throwIfAborted();
  const scheme = address.scheme === "wss" ? "wss" : "ws";
  if ((scheme === "wss") !== (cert !== undefined && key !== undefined)) {
    throw new SttError(
      "CONFIG",
      `cannot listen on ${address.text}: options cert and key go with wss:, and only with it`,
    );
  }
  const maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
  const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  let connections = 0;
  let bound = "";
  let closing = false;
  let stopped: Promise<void> | undefined;

  /** `shutdown` would close the WebSockets too, so it waits for the last of them; meanwhile newcomers get 503. */
  const stopIfUnused = (): void => {
    if (closing && connections === 0) stopped ??= server.shutdown();
  };

  const handle = (request: Request, info: DenoServeInfo): Response => {
    const url = new URL(request.url);
    const target = url.pathname + url.search;
    if (request.headers.get("upgrade") === null) {
      const { method } = request;
      const acceptEncoding = request.headers.get("accept-encoding") ?? undefined;
      const { status, reason, headers, body } = answerPlainRequest(
        { method, target, acceptEncoding },
        options.webFiles,
        address.path,
      );
      return new Response(method === "HEAD" ? null : new Uint8Array(body), {
        status,
        statusText: reason,
        headers,
      });
    }
    const answer = refuseUpgrade(
      {
        method: request.method,
        target,
        header: (name) => request.headers.get(name) ?? undefined,
      },
      scheme,
      address.path,
      options.origins,
      closing || connections >= maxConnections,
    );
    if (answer !== undefined) return respond(answer);
    // The request is gone by the time the socket opens.
    const host = plainHost(info.remoteAddr.hostname);
    const port = info.remoteAddr.port ?? 0;
    const { socket, response } = deno.upgradeWebSocket(request, { idleTimeout: 0 });
    socket.onopen = () => {
      const connection = new NativeWebSocketConnection(socket, {
        scheme,
        remoteHost: host,
        remoteAddress: formatAddress({ scheme, host, port, path: "/" }),
        localAddress: bound,
      }, maxMessageBytes);
      connections++;
      void connection.closed.then(() => {
        connections--;
        stopIfUnused();
      });
      onConnection(connection);
    };
    return response;
  };

  let server: DenoHttpServer;
  try {
    server = deno.serve({
      hostname: address.host,
      port: address.port,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      onListen: () => {},
      onError: () => new Response(null, { status: 400 }),
    }, handle);
  } catch (cause) {
    throw transportError(`cannot listen on ${address.text}`, cause);
  }
  bound = formatAddress({
    scheme,
    host: server.addr.hostname,
    port: server.addr.port,
    path: address.path,
  });
  const close = (): Promise<void> => {
    signal?.removeEventListener("abort", close);
    closing = true;
    stopIfUnused();
    return stopped ?? Promise.resolve();
  };
  signal?.addEventListener("abort", close);
  return await Promise.resolve({ address: bound, close });
}

function respond({ status, reason, text, headers }: Refusal): Response {
  return new Response(text, {
    status,
    statusText: reason,
    headers: { ...headers, "Content-Type": "text/plain", Connection: "close" },
  });
}
