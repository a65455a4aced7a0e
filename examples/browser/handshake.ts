/// <reference lib="dom" />
/**
 * Watches the messages of a handshake go by: a transport of one's own around the WebSocket.
 */
import { type Transport, webSocketTransport } from "@seigr/stt/browser";
import { decodeFrame, decodeValue } from "@seigr/stt/codec";

/** One message of the handshake, as it travelled. */
export interface HandshakeMessage {
  readonly sent: boolean;
  /** HELLO, RESPONSE, AUTH_PROOF or FINAL; RETRY when the listener asks for another HELLO. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since the dial began. */
  readonly atMs: number;
}

/** Frame type of handshake messages; everything behind them is encrypted. */
const HANDSHAKE = 0x05;

/** The name in a handshake frame; undefined for other frames. */
function nameOf(bytes: Uint8Array): string | undefined {
  const decoded = decodeFrame(bytes);
  if (decoded === undefined || decoded.frame.type !== HANDSHAKE) return undefined;
  const value = decodeValue(decoded.frame.payload);
  const type = value instanceof Map ? value.get("type") : undefined;
  return typeof type === "string" ? type : undefined;
}

/** The transport of the page; `onMessage` hears of each message of its handshakes. */
export function watchedTransport(onMessage: (message: HandshakeMessage) => void): Transport {
  return {
    ...webSocketTransport,
    async dial(address, options) {
      const begun = performance.now();
      const connection = await webSocketTransport.dial(address, options);
      const look = (bytes: Uint8Array, sent: boolean): void => {
        const name = nameOf(bytes);
        if (name === undefined) return;
        onMessage({ sent, name, bytes: bytes.length, atMs: performance.now() - begun });
      };
      const send = connection.send.bind(connection);
      const start = connection.start.bind(connection);
      connection.send = (bytes) => {
        look(bytes, true);
        return send(bytes);
      };
      connection.start = (sink) =>
        start({
          data: (bytes) => {
            look(bytes, false);
            sink.data(bytes);
          },
          drain: () => sink.drain(),
          end: (error) => sink.end(error),
        });
      return connection;
    },
  };
}
