/**
 * Dialling `ws:` and `wss:`.
 *
 * @module
 */
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions, rootCertificates } from "node:tls";
import { type Address, formatAddress, plainHost, printableAddress } from "./address.ts";
import { dialAttempt } from "./dial_attempt.ts";
import {
  DEFAULT_MAX_MESSAGE_BYTES,
  FLUSH_TIMEOUT_MS,
  LINGER_TIMEOUT_MS,
  MAX_BUFFERED_CHUNKS,
  MAX_FRAGMENTS,
} from "./limits.ts";
import { LoopShare } from "./loop_share.ts";
import { type ReadingGate, readingGateFor } from "./reading_gate.ts";
import type { DialOptions, TransportConnection } from "./transport.ts";
import { WsConnection } from "./ws_connection.ts";
import { loadWs, type WsModule } from "./ws_module.ts";

/** Dials through the package `ws`, on every runtime with sockets. */
export async function dialWebSocket(
  address: Address,
  options: DialOptions,
): Promise<TransportConnection> {
  options.signal?.throwIfAborted();
  const ws = await loadWs();
  return await dialAttempt(
    printableAddress(address),
    options,
    (done, fail) => open(ws, address, options, done, fail),
  );
}

function zeroMask(mask: Uint8Array): void {
  mask.fill(0);
}

function open(
  ws: WsModule,
  address: Address,
  options: DialOptions,
  done: (connection: TransportConnection) => void,
  fail: (cause: unknown) => void,
): () => void {
  const scheme = address.scheme === "wss" ? "wss" : "ws";
  const maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
  let tcp: Socket | undefined;
  let gate: ReadingGate | undefined;
  const connectGated = (tls: ConnectionOptions): Socket => {
    tcp = connect({ host: address.host, port: address.port });
    tcp.once("error", fail);
    gate = readingGateFor(tcp);
    const servername = isIP(address.host) ? "" : address.host;
    return connectTls({ ...tls, servername, socket: gate ?? tcp });
  };
  const socket = new ws.WebSocket(address.text, {
    perMessageDeflate: false,
    followRedirects: false,
    maxPayload: maxMessageBytes,
    closeTimeout: FLUSH_TIMEOUT_MS + LINGER_TIMEOUT_MS,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_BUFFERED_CHUNKS,
    // SPEC 4.7: a third of the time of both sides went into masking what is ciphertext already.
    ...(options.randomMasks === true ? {} : { generateMask: zeroMask }),
    ...(scheme === "wss" ? { createConnection: connectGated } : {}),
    ...(options.headers === undefined ? {} : { headers: options.headers }),
    // `ca` of node:tls replaces the known roots; here it adds to them.
    ...(options.ca === undefined ? {} : { ca: [...rootCertificates, options.ca] }),
  });
  socket.on("error", fail);
  socket.on("upgrade", (response) => {
    tcp ??= response.socket;
  });
  socket.on("unexpected-response", (_request, response) => {
    const status = `${response.statusCode} ${response.statusMessage ?? ""}`.trimEnd();
    fail(new Error(`the server answered ${status} instead of opening a WebSocket`));
    socket.terminate();
  });
  socket.on("open", () => {
    done(
      new WsConnection(
        socket,
        {
          scheme,
          remoteAddress: printableAddress(address),
          remoteHost: plainHost(tcp?.remoteAddress),
          localAddress: formatAddress({
            scheme,
            host: plainHost(tcp?.localAddress),
            port: tcp?.localPort ?? 0,
            path: "/",
          }),
        },
        maxMessageBytes,
        gate,
        new LoopShare(),
      ),
    );
  });
  return () => socket.terminate();
}
