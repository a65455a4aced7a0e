/**
 * The adapters by name, each loaded when it is wanted: a package that is not installed stands in nobody's way.
 *
 * @module
 */
import type { Adapter } from "./adapter.ts";
import type { OurOptions } from "./ours.ts";

type Loader = (options: OurOptions) => Promise<Adapter>;

const LOADERS: Readonly<Record<string, Loader>> = {
  "udp": async () => (await import("./rivals/udp.ts")).udpAdapter,
  "tcp": async () => (await import("./rivals/tcp.ts")).tcpAdapter,
  "tls13": async () => (await import("./rivals/tls.ts")).tlsAdapter,
  "ws": async () => (await import("./rivals/websocket.ts")).wsAdapter,
  "wss": async () => (await import("./rivals/websocket.ts")).wssAdapter,
  "deno-ws": async () => (await import("./rivals/native_websocket.ts")).nativeWebSocketAdapter,
  "deno-quic": async () => (await import("./rivals/quic.ts")).denoQuic(),
  "hyper-tcp": async () => (await import("./rivals/hyper.ts")).hyperTcp(),
  "hyper-udx": async () => (await import("./rivals/hyper.ts")).hyperUdx(),
  "libp2p-tcp": async () => (await import("./rivals/libp2p.ts")).libp2p("tcp"),
  "libp2p-ws": async () => (await import("./rivals/libp2p.ts")).libp2p("ws"),
  "zeromq-curve": async () => (await import("./rivals/zeromq.ts")).zeromqAdapter,
  "node-datachannel": async () => (await import("./rivals/datachannel.ts")).dataChannelAdapter,
};

/** Loads an adapter. Throws Error for an unknown name or a package that is not installed. */
export async function loadAdapter(name: string, options: OurOptions): Promise<Adapter> {
  if (name.startsWith("ours-")) {
    const own = (await import("./ours.ts")).ourAdapters(options)[name];
    if (own !== undefined) return own;
  }
  const load = LOADERS[name];
  if (load === undefined) throw new Error(`there is no adapter ${name}`);
  return await load(options);
}
