/**
 * WebSocket as a browser has it: a client, and no options.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { parseAddress } from "../transport/address.ts";
import type {
  DialOptions,
  Transport,
  TransportConnection,
  TransportListener,
} from "../transport/transport.ts";
import { dialNativeWebSocket } from "../transport/websocket_client_native.ts";

async function dial(text: string, options: DialOptions = {}): Promise<TransportConnection> {
  options.signal?.throwIfAborted();
  const address = parseAddress(text);
  if (address.scheme !== "ws" && address.scheme !== "wss") {
    throw new SttError("ADDRESS", `cannot connect to ${address.text}: only ws: and wss: are here`);
  }
  if (address.port === 0) {
    throw new SttError("ADDRESS", `cannot connect to ${address.text}: port 0 is for listeners`);
  }
  return await dialNativeWebSocket(address, options);
}

function listen(address: string): Promise<TransportListener> {
  return Promise.reject(
    new SttError("UNSUPPORTED", `cannot listen on ${address}: browsers take no connections`),
  );
}

/**
 * The transport of {@link connect}, for those who wrap it (`transports`). It has `bufferedAmount` to slow writers down by
 * and nothing to slow the peer's writing: that is done by the flow control of the session.
 */
export const webSocketTransport: Transport = { schemes: ["ws", "wss"], dial, listen };
