/**
 * What both sides of resumption make of their options and of a handshake.
 *
 * @module
 */
import { TICKET_LIFE_MS, TICKETS_PER_SESSION } from "../../constants.ts";
import type { CryptoProvider } from "../../crypto/provider.ts";
import { ticketKeys } from "../../crypto/tickets.ts";
import { SttError } from "../../errors.ts";
import type { HandshakeSession } from "../../handshake/types.ts";
import type { Ticket } from "../../session/ticket_table.ts";
import type { ConfirmMode } from "../../streams/continuity/continued_recv.ts";

/** Unconfirmed bytes of each stream that are kept. */
export const DEFAULT_KEEP_BYTES = 4_194_304;
const KEEP_MIN_BYTES = 65_536;
const KEEP_MAX_BYTES = 1_073_741_824;

/** @throws {SttError} CONFIG. */
export function keepBytes(keep: number): number {
  if (Number.isSafeInteger(keep) && keep >= KEEP_MIN_BYTES && keep <= KEEP_MAX_BYTES) return keep;
  throw new SttError(
    "CONFIG",
    `cannot use option keep: ${keep} is outside ${KEEP_MIN_BYTES} to ${KEEP_MAX_BYTES}`,
    { limit: keep > KEEP_MAX_BYTES ? KEEP_MAX_BYTES : KEEP_MIN_BYTES },
  );
}

/** @throws {SttError} CONFIG. */
export function checkConfirm(confirm: ConfirmMode | undefined): ConfirmMode {
  if (confirm === undefined || confirm === "read" || confirm === "explicit") {
    return confirm ?? "read";
  }
  throw new SttError(
    "CONFIG",
    `cannot use option confirm: ${confirm} is neither read nor explicit`,
  );
}

/** SPEC 15.1: the tickets that a session leaves. */
export function sessionTickets(
  provider: CryptoProvider,
  { secrets }: HandshakeSession,
  unixMs: number,
): Ticket[] {
  const expires = Math.floor(unixMs) + TICKET_LIFE_MS;
  return Array.from({ length: TICKETS_PER_SESSION }, (_, number) => ({
    ...ticketKeys(provider, secrets.exporter, number),
    expires,
  }));
}
