/**
 * Suites 1 and 2: how the messages of SPEC 6 carry a Noise XXpsk0+psk3 handshake (SPEC 6.2).
 *
 * @module
 */
import type { SttValue } from "../codec/values.ts";
import { NONCE_BYTES, SESSION_ID_BYTES } from "../constants.ts";
import { NoiseHandshake } from "../crypto/noise.ts";
import type { CryptoProvider, X25519PrivateKey } from "../crypto/provider.ts";
import { concat } from "./bytes.ts";
import { messageValue } from "./messages.ts";
import type { MessageFields } from "./messages.ts";
import { noiseProtocolOf } from "./suites.ts";
import type { HandshakeRole } from "./types.ts";

const PROLOGUE_LABEL: Uint8Array = new TextEncoder().encode("STT/1\0");
/** Index of the pattern's second psk, which a pair key replaces. */
export const PAIR_PSK = 1;

/** What a handshake of suite 1 or 2 starts from. */
export interface NoiseSuiteOptions {
  readonly provider: CryptoProvider;
  readonly suite: number;
  readonly role: HandshakeRole;
  /** HELLO's fields; `commitment` and `cookie` are left out of the prologue if present. */
  readonly hello: MessageFields;
  readonly staticKey: X25519PrivateKey;
  /** Taken over; the responder's may be given later by being absent here. */
  readonly ephemeral?: X25519PrivateKey;
  readonly psk: Uint8Array;
  /** Absent on a responder that looks it up in `onRemoteStatic`. */
  readonly pairPsk?: Uint8Array;
  readonly onRemoteStatic?: (publicKey: Uint8Array) => void;
}

/** A Noise handshake whose prologue is bound to HELLO. */
export function startNoise(options: NoiseSuiteOptions): NoiseHandshake {
  const hello = messageValue(options.hello, "commitment", "cookie");
  const { ephemeral, onRemoteStatic } = options;
  return new NoiseHandshake({
    provider: options.provider,
    protocolName: noiseProtocolOf(options.suite),
    role: options.role,
    prologue: concat(PROLOGUE_LABEL, hello),
    s: options.staticKey,
    psks: [options.psk, options.pairPsk],
    ...(ephemeral === undefined ? {} : { e: ephemeral }),
    ...(onRemoteStatic === undefined ? {} : { onRemoteStatic }),
  });
}

/** SPEC 6: the session id, the first 8 bytes of both nonces XORed. */
export function xorSessionId(a: Uint8Array, b: Uint8Array): Uint8Array {
  const id = new Uint8Array(SESSION_ID_BYTES);
  for (let index = 0; index < SESSION_ID_BYTES; index++) {
    id[index] = (a[index] as number) ^ (b[index] as number);
  }
  return id;
}

/** SPEC 6.2: Noise messages 1 and 2 start with the ephemeral key, which travels as `nonce`: what is left. */
export function withoutNonce(message: Uint8Array): Uint8Array {
  return message.slice(NONCE_BYTES);
}

/** Message fields from entries. */
export function fieldsOf(entries: Record<string, SttValue>): Map<string, SttValue> {
  return new Map(Object.entries(entries));
}
