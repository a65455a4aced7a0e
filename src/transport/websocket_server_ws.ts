/**
 * Listening on `ws:` and `wss:` through `ws` on `node:http` and `node:https`.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { SttError } from "../errors.ts";
import { type Address, formatAddress, plainHost } from "./address.ts";
import { HalfOpenUpgrades } from "./half_open_upgrades.ts";
import {
  DEFAULT_MAX_CONNECTIONS,
  DEFAULT_MAX_HALF_OPEN_UPGRADES,
  DEFAULT_MAX_HEADER_BYTES,
  DEFAULT_MAX_MESSAGE_BYTES,
  DEFAULT_UPGRADE_TIMEOUT_MS,
  FLUSH_TIMEOUT_MS,
  LINGER_TIMEOUT_MS,
  MAX_BUFFERED_CHUNKS,
  MAX_FRAGMENTS,
} from "./limits.ts";
import { bind, unbind } from "./listening.ts";
import { LoopShare } from "./loop_share.ts";
import { type ReadingGate, readingGateFor } from "./reading_gate.ts";
import type {
  ListenTransportOptions,
  TransportConnection,
  TransportListener,
} from "./transport.ts";
import { answerPlainRequest } from "./web_files.ts";
import { UpgradeHead } from "./upgrade_head.ts";
import { type Refusal, refuseUpgrade } from "./websocket_refusals.ts";
import { WsConnection } from "./ws_connection.ts";
import { loadWs, type WsModule, type WsServer, type WsSocket } from "./ws_module.ts";

/** Listens; see {@link ListenTransportOptions} for the limits. */
export async function listenWebSocket(
  address: Address,
  onConnection: (connection: TransportConnection) => void,
  options: ListenTransportOptions,
  onError?: (error: SttError) => void,
): Promise<TransportListener> {
  options.signal?.throwIfAborted();
  const ws = await loadWs();
  const listener = new WebSocketListener(ws, address, onConnection, options);
  await listener.bind(onError);
  if (options.signal?.aborted) {
    await listener.close();
    throw options.signal.reason;
  }
  return listener;
}

/** What is below an upgraded socket. */
interface Carrier {
  readonly tcp: Socket;
  readonly gate: ReadingGate | undefined;
}

/** An upgrade request; `node:http` has more to say about one that it has read. */
type Upgrade = Pick<IncomingMessage, "method" | "url" | "headers">;

class WebSocketListener implements TransportListener {
  readonly #scheme: "ws" | "wss";
  readonly #place: Address;
  readonly #onConnection: (connection: TransportConnection) => void;
  readonly #options: ListenTransportOptions;
  readonly #maxMessageBytes: number;
  readonly #maxHeaderBytes: number;
  readonly #maxConnections: number;
  readonly #secure: SecureContext | undefined;
  /** Accepts; the HTTP server itself never listens and only gets the sockets, after TLS where there is TLS. */
  readonly #tcpServer: TcpServer;
  readonly #httpServer: Server;
  /** Of sockets whose request the HTTP server reads. */
  readonly #carriers = new WeakMap<Duplex, Carrier>();
  readonly #upgrader: WsServer;
  readonly #halfOpen: HalfOpenUpgrades;
  readonly #share: LoopShare = new LoopShare();
  #address = "";
  #connections = 0;
  readonly #onAbort = (): void => void this.close();

  constructor(
    ws: WsModule,
    place: Address,
    onConnection: (connection: TransportConnection) => void,
    options: ListenTransportOptions,
  ) {
    this.#scheme = place.scheme === "wss" ? "wss" : "ws";
    this.#place = place;
    this.#onConnection = onConnection;
    this.#options = options;
    this.#maxMessageBytes = options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES;
    this.#maxHeaderBytes = options.maxHeaderBytes ?? DEFAULT_MAX_HEADER_BYTES;
    this.#maxConnections = options.maxConnections ?? DEFAULT_MAX_CONNECTIONS;
    const upgradeTimeoutMs = options.upgradeTimeoutMs ?? DEFAULT_UPGRADE_TIMEOUT_MS;
    this.#halfOpen = new HalfOpenUpgrades(
      options.maxHalfOpenUpgrades ?? DEFAULT_MAX_HALF_OPEN_UPGRADES,
      upgradeTimeoutMs,
    );
    this.#upgrader = new ws.WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      handleProtocols: () => false,
      maxPayload: this.#maxMessageBytes,
      closeTimeout: FLUSH_TIMEOUT_MS + LINGER_TIMEOUT_MS,
      maxFragments: options.maxFragments ?? MAX_FRAGMENTS,
      maxBufferedChunks: options.maxBufferedChunks ?? MAX_BUFFERED_CHUNKS,
    });
    this.#secure = secureContext(place, options);
    this.#httpServer = createServer({
      maxHeaderSize: this.#maxHeaderBytes,
      headersTimeout: upgradeTimeoutMs,
      requestTimeout: upgradeTimeoutMs,
    });
    this.#httpServer.on("request", (request, response) => this.#onRequest(request, response));
    this.#httpServer.on("upgrade", (request, socket, head) => {
      this.#onUpgrade(request, socket, head);
    });
    // Read from its turn on; TLS reads by itself.
    const pauseOnConnect = this.#secure === undefined;
    this.#tcpServer = createTcpServer({ pauseOnConnect }, (socket) => this.#onTcp(socket));
  }

  get address(): string {
    return this.#address;
  }

  async bind(onError: ((error: SttError) => void) | undefined): Promise<void> {
    const bound = await bind(this.#tcpServer, this.#place, onError);
    this.#address = formatAddress({
      scheme: this.#scheme,
      host: bound.address,
      port: bound.port,
      path: this.#place.path,
    });
    this.#options.signal?.addEventListener("abort", this.#onAbort);
  }

  close(): Promise<void> {
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    const closed = unbind(this.#tcpServer);
    this.#halfOpen.destroyAll();
    return closed;
  }

  #onTcp(tcp: Socket): void {
    tcp.on("error", destroyThis);
    this.#halfOpen.add(tcp);
    if (!this.#share.spent) return this.#begin(tcp);
    this.#share.later(() => {
      if (!tcp.destroyed) this.#begin(tcp);
    });
  }

  #begin(tcp: Socket): void {
    if (this.#secure === undefined) return this.#readHead(tcp, { tcp, gate: undefined });
    // Over plain TCP those who take the socket over say so.
    tcp.setNoDelay(true);
    const gate = readingGateFor(tcp);
    const socket = new TLSSocket(gate ?? tcp, { isServer: true, secureContext: this.#secure });
    socket.on("error", () => tcp.destroy());
    socket.on("close", () => tcp.destroySoon());
    socket.once("secure", () => this.#readHead(socket, { tcp, gate }));
  }

  /** The HTTP server gets the requests that are none of the usual upgrades, and none of those that are too large. */
  #readHead(socket: Socket, carrier: Carrier): void {
    const head = new UpgradeHead(this.#maxHeaderBytes);
    const read = (): void => {
      if (socket.destroyed) return;
      const request = head.read();
      if (request === undefined) this.#handOver(socket, carrier, head.bytes);
      else this.#upgrade(request, socket, head.rest, carrier);
    };
    const onData = (chunk: Uint8Array): void => {
      const state = head.push(chunk);
      if (state === "more") return;
      socket.off("data", onData);
      socket.pause();
      if (state === "large") refuse(socket, HEADERS_TOO_LARGE);
      else if (state === "odd") this.#handOver(socket, carrier, head.bytes);
      // A crowd that comes at once is let in over several turns of the event loop.
      else if (this.#share.spent) this.#share.later(read);
      else read();
    };
    socket.on("data", onData);
    socket.resume();
  }

  #handOver(socket: Socket, carrier: Carrier, bytes: Uint8Array): void {
    this.#carriers.set(socket, carrier);
    socket.unshift(bytes);
    this.#httpServer.emit("connection", socket);
    socket.resume();
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { method, url: target } = request;
    const acceptEncoding = headerOf(request, "accept-encoding");
    const answer = answerPlainRequest(
      { method, target, acceptEncoding },
      this.#options.webFiles,
      this.#place.path,
    );
    response.writeHead(answer.status, answer.reason, answer.headers);
    // The rest of a body that nobody wants is not waited for.
    response.end(answer.body, () => request.socket.destroySoon());
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    socket.on("error", destroyThis);
    const carrier = this.#carriers.get(socket);
    if (carrier === undefined) socket.destroy();
    else this.#upgrade(request, socket, head, carrier);
  }

  #upgrade(request: Upgrade, socket: Duplex, head: Uint8Array, carrier: Carrier): void {
    const answer = refuseUpgrade(
      {
        method: request.method,
        target: request.url,
        header: (name) => headerOf(request, name),
      },
      this.#scheme,
      this.#place.path,
      this.#options.origins,
      this.#connections >= this.#maxConnections,
    );
    if (answer !== undefined) {
      refuse(socket, answer);
      return;
    }
    let upgraded: WsSocket | undefined;
    this.#upgrader.handleUpgrade(request, socket, head, (ws) => upgraded = ws);
    // Nothing that lasts as long as the connection is made in here: it would hold the request.
    if (upgraded !== undefined) this.#open(upgraded, socket, carrier);
  }

  #open(upgraded: WsSocket, socket: Duplex, { tcp, gate }: Carrier): void {
    this.#halfOpen.release(tcp);
    this.#connections++;
    const host = plainHost(tcp.remoteAddress);
    const ends = {
      scheme: this.#scheme,
      remoteHost: host,
      remoteAddress: formatAddress({
        scheme: this.#scheme,
        host,
        port: tcp.remotePort ?? 0,
        path: "/",
      }),
      localAddress: this.#address,
    };
    const connection = new WsConnection(
      upgraded,
      ends,
      this.#maxMessageBytes,
      gate,
      this.#share,
    );
    const onChunk = (): void => connection.chunkRead();
    socket.on("data", onChunk);
    upgraded.on("close", () => {
      this.#connections--;
      socket.off("data", onChunk);
    });
    this.#onConnection(connection);
  }
}

const HEADERS_TOO_LARGE: Refusal = {
  status: 431,
  reason: "Request Header Fields Too Large",
  text: "the request's line and headers are too large",
};

function destroyThis(this: Duplex): void {
  this.destroy();
}

function secureContext(
  place: Address,
  { cert, key }: ListenTransportOptions,
): SecureContext | undefined {
  const attempt = `cannot listen on ${place.text}`;
  if (place.scheme !== "wss") {
    if (cert === undefined && key === undefined) return undefined;
    throw new SttError("CONFIG", `${attempt}: options cert and key need an address with wss:`);
  }
  if (cert === undefined || key === undefined) {
    throw new SttError("CONFIG", `${attempt}: wss: needs the options cert and key`);
  }
  try {
    // Not every runtime looks at them before the first connection.
    if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) {
      throw new Error("the key is not the certificate's");
    }
    return createSecureContext({ cert, key, minVersion: "TLSv1.2" });
  } catch (cause) {
    throw new SttError(
      "CONFIG",
      `${attempt}: options cert and key are not a PEM certificate and its key`,
      { cause },
    );
  }
}

function headerOf(request: Upgrade, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function refuse(socket: Duplex, { status, reason, text, headers }: Refusal): void {
  const lines = [
    `HTTP/1.1 ${status} ${reason}`,
    "Connection: close",
    "Content-Type: text/plain",
    `Content-Length: ${text.length}`,
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
  ];
  socket.once("finish", () => socket.destroy());
  socket.end(`${lines.join("\r\n")}\r\n\r\n${text}`);
}
