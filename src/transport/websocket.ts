/**
 * WebSocket connections: `ws://host:port/path` and `wss://host:port/path`.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { type Address, parseAddress } from "./address.ts";
import type {
  DialOptions,
  ListenTransportOptions,
  Transport,
  TransportConnection,
  TransportListener,
} from "./transport.ts";
import { dialWebSocket } from "./websocket_client.ts";
import { dialNativeWebSocket } from "./websocket_client_native.ts";
import { listenNativeWebSocket } from "./websocket_server_deno.ts";
import { listenWebSocket } from "./websocket_server_ws.ts";

function webSocketAddress(text: string): Address {
  const address = parseAddress(text);
  if (address.scheme === "ws" || address.scheme === "wss") return address;
  throw new SttError(
    "ADDRESS",
    `cannot use ${address.text}: the WebSocket transport takes ws: and wss:`,
  );
}

async function dial(text: string, options: DialOptions = {}): Promise<TransportConnection> {
  const address = webSocketAddress(text);
  if (address.port === 0) {
    throw new SttError("ADDRESS", `cannot connect to ${address.text}: port 0 is for listeners`);
  }
  return options.native
    ? await dialNativeWebSocket(address, options)
    : await dialWebSocket(address, options);
}

async function listen(
  text: string,
  onConnection: (connection: TransportConnection) => void,
  options: ListenTransportOptions = {},
  onError?: (error: SttError) => void,
): Promise<TransportListener> {
  const address = webSocketAddress(text);
  if (address.path.includes("?")) {
    throw new SttError("ADDRESS", "cannot listen on an address with a query (?)");
  }
  return options.native
    ? await listenNativeWebSocket(address, onConnection, options)
    : await listenWebSocket(address, onConnection, options, onError);
}

/** WebSocket, client and server. */
export const webSocketTransport: Transport = { schemes: ["ws", "wss"], dial, listen };
