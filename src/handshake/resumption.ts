/**
 * Tickets in the handshake (SPEC 15.2): what each side makes of one.
 *
 * @module
 */
import { resumptionPsk } from "../crypto/tickets.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { SttError } from "../errors.ts";
import { PAIR_PSK } from "./noise_suite.ts";
import type { NoiseHandshake } from "../crypto/noise.ts";
import type { DialTicket } from "./types.ts";

/** Sets the second psk of the pattern to the one of a resumption; `psk` is what stands there otherwise. */
export function setResumptionPsk(
  provider: CryptoProvider,
  noise: NoiseHandshake,
  secret: Uint8Array,
  psk: Uint8Array,
): void {
  const mixed = resumptionPsk(provider, secret, psk);
  noise.setPsk(PAIR_PSK, mixed);
  wipe(mixed);
}

/** The initiator's judgement of a RESPONSE that verified: why the dial ends, or undefined. */
export function ticketRefusal(
  provider: CryptoProvider,
  ticket: DialTicket | undefined,
  nodeId: Uint8Array,
  resumed: boolean,
): SttError | undefined {
  if (ticket === undefined) {
    if (!resumed) return undefined;
    return new SttError(
      "TRANSPORT_PARAMETER",
      "cannot accept transport parameters: resumed without a ticket",
    );
  }
  // SPEC 15.2: a ticket is a pin, also where the responder does not know it any more.
  if (!provider.equal(nodeId, ticket.nodeId)) {
    return new SttError("PEER_IDENTITY", "cannot resume: the peer is not the ticket's");
  }
  if (resumed || ticket.required === false) return undefined;
  return ticketError("the listener does not know the ticket");
}

/** `TICKET`: a ticket that resumes nothing. */
export function ticketError(why: string): SttError {
  return new SttError("TICKET", `cannot resume: ${why}`);
}
