/**
 * Keys of resumption tickets (SPEC 15.1, 15.2).
 *
 * @module
 */
import { KEY_BYTES, TICKET_ID_BYTES } from "../constants.ts";
import { hkdfExpand } from "./hkdf.ts";
import type { CryptoProvider } from "./provider.ts";

const UTF8: TextEncoder = new TextEncoder();

/** One ticket as both sides of a session derive it. */
export interface TicketKeys {
  /** What names the ticket towards its issuer, 16 bytes. */
  readonly id: Uint8Array;
  /** What a resumption proves, 32 bytes; the caller erases it. */
  readonly secret: Uint8Array;
}

/**
 * SPEC 15.1: ticket `number` (0 to 255) of the session with this exporter secret. Neither the exporter nor the keys of
 * the session follow from it.
 */
export function ticketKeys(
  provider: CryptoProvider,
  exporter: Uint8Array,
  number: number,
): TicketKeys {
  const suffix = Uint8Array.of(number);
  return {
    id: hkdfExpand(provider, exporter, labelled("stt1 ticket id", suffix), TICKET_ID_BYTES),
    secret: hkdfExpand(provider, exporter, labelled("stt1 ticket", suffix), KEY_BYTES),
  };
}

/**
 * SPEC 15.2: the field `ticket` of the HELLO with this nonce from the ticket's id, and the id from the field. Who does not
 * know the seed cannot tell whether two HELLOs name the same ticket.
 *
 * @param key `SeedKeys.ticketKey`
 */
export function maskTicketId(
  provider: CryptoProvider,
  key: Uint8Array,
  nonce: Uint8Array,
  id: Uint8Array,
): Uint8Array {
  const mask = provider.hmacSha256(key, nonce);
  return id.map((byte, index) => byte ^ (mask[index] as number));
}

/** SPEC 15.2: what replaces the second psk of the pattern, 32 bytes; `psk` is the pair key or the seed's psk. */
export function resumptionPsk(
  provider: CryptoProvider,
  secret: Uint8Array,
  psk: Uint8Array,
): Uint8Array {
  return hkdfExpand(provider, secret, labelled("stt1 resumption", psk), KEY_BYTES);
}

function labelled(label: string, rest: Uint8Array): Uint8Array {
  const text = UTF8.encode(label);
  const info = new Uint8Array(text.length + rest.length);
  info.set(text);
  info.set(rest, text.length);
  return info;
}

/** SPEC 15.3: what names everything that goes on from the first session with this exporter secret, 16 bytes. */
export function continuityId(provider: CryptoProvider, exporter: Uint8Array): Uint8Array {
  return hkdfExpand(provider, exporter, "stt1 continuity", TICKET_ID_BYTES);
}
