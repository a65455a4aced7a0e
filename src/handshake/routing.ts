/**
 * Whom a HANDSHAKE frame of a shared socket is for (SPEC 6.3).
 *
 * @module
 */
import { decodeMessage } from "./messages.ts";
import { xorSessionId } from "./noise_suite.ts";

/** Where a HANDSHAKE frame belongs. */
export type HandshakeRoute =
  /** To the listener. */
  | { readonly to: "acceptor" }
  /** To the dial whose open nonce starts with these 8 bytes. */
  | { readonly to: "attempt"; readonly nonceStart: Uint8Array }
  /** To the dial of the session. */
  | { readonly to: "session"; readonly sessionId: Uint8Array };

/**
 * Reads no more than what routes a frame; nothing of it is verified.
 *
 * @returns undefined for bytes that are no handshake message
 */
export function routeHandshake(frame: Uint8Array): HandshakeRoute | undefined {
  const message = decodeMessage(frame);
  switch (message.type) {
    case "refused":
      return undefined;
    case "HELLO":
    case "AUTH_PROOF":
      return { to: "acceptor" };
    case "RESPONSE":
      return { to: "attempt", nonceStart: xorSessionId(message.sessionId, message.nonce) };
    case "RETRY":
      return { to: "attempt", nonceStart: message.nonce.slice(0, 8) };
    case "FINAL":
      return { to: "session", sessionId: message.sessionId };
  }
}
