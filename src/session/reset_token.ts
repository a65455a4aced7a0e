import { RESET_TOKEN_BYTES } from "../constants.ts";
import type { CryptoProvider } from "../crypto/provider.ts";

/**
 * Whether a datagram that would be dropped ends in the peer's stateless reset token (SPEC 7): the peer lost the
 * session's state, RESET_BY_PEER. The time taken does not depend on how many bytes match.
 *
 * @param token 16 bytes, from the peer's transport parameter `reset`; undefined when it gave none.
 */
export function endsInResetToken(
  provider: CryptoProvider,
  datagram: Uint8Array,
  token: Uint8Array | undefined,
): boolean {
  if (token === undefined || token.length !== RESET_TOKEN_BYTES) return false;
  if (datagram.length < RESET_TOKEN_BYTES) return false;
  return provider.equal(datagram.subarray(datagram.length - RESET_TOKEN_BYTES), token);
}
