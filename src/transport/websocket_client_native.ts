/**
 * Dialling `ws:` and `wss:` with the runtime's own `WebSocket`: browsers, and Deno on request.
 *
 * @module
 */
import { SttError } from "../errors.ts";
import { type Address, printableAddress } from "./address.ts";
import { dialAttempt } from "./dial_attempt.ts";
import { DEFAULT_MAX_MESSAGE_BYTES } from "./limits.ts";
import { type NativeWebSocket, NativeWebSocketConnection } from "./native_websocket_connection.ts";
import type { DialOptions, TransportConnection } from "./transport.ts";

type NativeConstructor = new (url: string) => NativeWebSocket;

/** Dials through the global `WebSocket`. */
export async function dialNativeWebSocket(
  address: Address,
  options: DialOptions,
): Promise<TransportConnection> {
  const { WebSocket } = globalThis as unknown as { WebSocket?: NativeConstructor };
  const place = printableAddress(address);
  if (WebSocket === undefined) {
    throw new SttError("UNSUPPORTED", `cannot connect to ${place}: no WebSocket in this runtime`);
  }
  if (options.ca !== undefined || options.headers !== undefined) {
    throw new SttError(
      "UNSUPPORTED",
      `cannot connect to ${place}: the runtime's own WebSocket takes no options ca and headers`,
    );
  }
  return await dialAttempt(place, options, (done, fail) => {
    const socket = new WebSocket(address.text);
    let text = "the WebSocket could not be opened";
    socket.onerror = (event) => {
      text = event.message || text;
    };
    socket.onclose = () => fail(new Error(text));
    socket.onopen = () => {
      done(
        new NativeWebSocketConnection(socket, {
          scheme: address.scheme === "wss" ? "wss" : "ws",
          remoteAddress: place,
          remoteHost: address.host,
          localAddress: `${address.scheme}://unknown:0/`,
        }, options.maxMessageBytes ?? DEFAULT_MAX_MESSAGE_BYTES),
      );
    };
    return () => socket.close();
  });
}
