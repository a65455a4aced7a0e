/**
 * The few calls of Deno that have no `node:` counterpart, as plain interfaces, so that the sources compile without
 * Deno's own types.
 *
 * @module
 */
import type { NativeWebSocket } from "./native_websocket_connection.ts";

/** Where a request of `Deno.serve` came from. */
export interface DenoServeInfo {
  readonly remoteAddr: { readonly hostname?: string; readonly port?: number };
}

/** Options of `Deno.serve` that are used. */
export interface DenoServeOptions {
  readonly hostname: string;
  readonly port: number;
  readonly cert?: string;
  readonly key?: string;
  readonly onListen: () => void;
  readonly onError: (error: unknown) => Response;
}

/** A server of `Deno.serve`. */
export interface DenoHttpServer {
  readonly addr: { readonly hostname: string; readonly port: number };
  readonly finished: Promise<void>;
  shutdown(): Promise<void>;
}

/** An address of `Deno.listenDatagram`. */
export interface DenoNetAddress {
  readonly transport: "udp";
  readonly hostname: string;
  readonly port: number;
}

/** A socket of `Deno.listenDatagram`. */
export interface DenoDatagramConn {
  readonly addr: DenoNetAddress;
  receive(room: Uint8Array): Promise<[Uint8Array, DenoNetAddress]>;
  send(bytes: Uint8Array, to: DenoNetAddress): Promise<number>;
  close(): void;
}

/** What is used of the global `Deno`. */
export interface DenoRuntime {
  readonly permissions: {
    request(what: { readonly name: "net"; readonly host: string }): Promise<{
      readonly state: "granted" | "denied" | "prompt";
    }>;
  };
  /** Absent without `--unstable-net`. */
  readonly listenDatagram?: (options: DenoNetAddress) => DenoDatagramConn;
  serve(
    options: DenoServeOptions,
    handler: (request: Request, info: DenoServeInfo) => Response,
  ): DenoHttpServer;
  upgradeWebSocket(
    request: Request,
    options: { idleTimeout: number },
  ): { socket: NativeWebSocket; response: Response };
}

/** The global `Deno`; undefined on other runtimes. */
export function denoRuntime(): DenoRuntime | undefined {
  return (globalThis as unknown as { Deno?: DenoRuntime }).Deno;
}
