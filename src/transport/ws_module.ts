import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type Duplex, Writable } from "node:stream";
import type { ConnectionOptions } from "node:tls";
import { SttError } from "../errors.ts";

/** Exact version for Deno; package.json of the npm build pins the same. */
const DENO_SPECIFIER = "npm:ws@8.23.0";
const NODE_SPECIFIER = "ws";

/** What is used of a WebSocket of the package `ws`. */
export interface WsSocket {
  readonly bufferedAmount: number;
  send(
    data: Uint8Array,
    options: { binary: boolean; compress: boolean },
    written: (error?: Error | null) => void,
  ): void;
  pause(): void;
  resume(): void;
  close(code?: number): void;
  terminate(): void;
  on(event: "message", listener: (data: Uint8Array, isBinary: boolean) => void): this;
  on(event: "close", listener: (code: number) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "open", listener: () => void): this;
  on(event: "upgrade", listener: (response: IncomingMessage) => void): this;
  on(
    event: "unexpected-response",
    listener: (request: unknown, response: IncomingMessage) => void,
  ): this;
  off(event: "error", listener: (error: Error) => void): this;
}

interface WsOptions {
  readonly perMessageDeflate: false;
  readonly maxPayload: number;
  readonly closeTimeout: number;
  readonly maxFragments: number;
  readonly maxBufferedChunks: number;
}

export interface WsClientOptions extends WsOptions {
  readonly followRedirects: false;
  readonly generateMask?: (mask: Uint8Array) => void;
  readonly headers?: Record<string, string>;
  readonly ca?: string[];
  readonly createConnection?: (options: ConnectionOptions) => Socket;
}

export interface WsServerOptions extends WsOptions {
  readonly noServer: true;
  readonly clientTracking: false;
  readonly handleProtocols: () => false;
}

export interface WsServer {
  handleUpgrade(
    request: Pick<IncomingMessage, "method" | "url" | "headers">,
    socket: Duplex,
    head: Uint8Array,
    upgraded: (socket: WsSocket) => void,
  ): void;
}

/** What is used of the package `ws`. */
export interface WsModule {
  readonly WebSocket: new (url: string, options: WsClientOptions) => WsSocket;
  readonly WebSocketServer: new (options: WsServerOptions) => WsServer;
}

/**
 * `ws` ends its receiver and its socket a second time when the socket closes. The runtime makes an error of each, with a
 * stack trace and for nobody: on Deno a tenth of what a short session costs.
 */
export function endOnlyOnce(socket: WsSocket): void {
  const { _receiver, _socket } = socket as { _receiver?: unknown; _socket?: unknown };
  for (const stream of [_receiver, _socket]) {
    if (stream instanceof Writable) stream.end = endOnce;
  }
}

function endOnce<This extends Writable>(this: This, ...given: unknown[]): This {
  if (given.length > 0 || !this.writableEnded) {
    const { end } = Object.getPrototypeOf(this) as { end: (...given: unknown[]) => unknown };
    end.apply(this, given);
  }
  return this;
}

let loading: Promise<WsModule> | undefined;

/**
 * Loads `ws` on first use. The specifier is computed, so that the static graph of the package stays free of bare and
 * `npm:` imports and can be imported by URL.
 *
 * @throws {SttError} UNSUPPORTED when the package is not there.
 */
export function loadWs(): Promise<WsModule> {
  loading ??= importWs();
  return loading;
}

async function importWs(): Promise<WsModule> {
  const specifier: string = "Deno" in globalThis ? DENO_SPECIFIER : NODE_SPECIFIER;
  try {
    return await import(specifier) as WsModule;
  } catch (cause) {
    loading = undefined;
    // A package that is not there is plain enough; a permission that Deno misses has a name.
    const denied = cause instanceof Error && cause.name === "NotCapable"
      ? `: ${cause.message}`
      : "";
    const text = `cannot load the package ${specifier} for WebSocket${denied}`;
    throw new SttError("UNSUPPORTED", text, { cause });
  }
}
