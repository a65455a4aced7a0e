/**
 * Tokens of PING and of paths, which prove that an address answers.
 *
 * @module
 */

/** SPEC 9.1.2: token8. */
export const TOKEN_BYTES = 8;

/**
 * Equality of two tokens in a time that does not depend on them: a peer that names somebody else's address as its own
 * would have to guess one (SPEC 6.4.8, 10.6).
 */
export function sameToken(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== TOKEN_BYTES || b.length !== TOKEN_BYTES) return false;
  let difference = 0;
  for (let index = 0; index < TOKEN_BYTES; index++) difference |= a[index]! ^ b[index]!;
  return difference === 0;
}
