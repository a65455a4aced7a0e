/**
 * The few members of Deno's global that src/ touches, for the npm build alone: it compiles against Node's types, where
 * `Deno` does not exist. Everything is optional the way the sources see it: they test for the global first.
 */

declare namespace Deno {
  interface NetAddr {
    transport: "tcp" | "udp";
    hostname: string;
    port: number;
  }
  interface HttpServer {
    finished: Promise<void>;
    addr: NetAddr;
    ref(): void;
    unref(): void;
    shutdown(): Promise<void>;
  }
  interface ServeHandlerInfo {
    remoteAddr: NetAddr;
    completed: Promise<void>;
  }
  interface ServeOptions {
    hostname?: string;
    port?: number;
    signal?: AbortSignal;
    cert?: string;
    key?: string;
    onListen?: (address: NetAddr) => void;
    onError?: (error: unknown) => Response | Promise<Response>;
  }
  function serve(
    options: ServeOptions,
    handler: (request: Request, info: ServeHandlerInfo) => Response | Promise<Response>,
  ): HttpServer;
  function upgradeWebSocket(
    request: Request,
    options?: { protocol?: string; idleTimeout?: number },
  ): { response: Response; socket: WebSocket };
  const version: { deno: string; v8: string; typescript: string };
}
