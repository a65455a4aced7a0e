/**
 * Whom a dial may reach: pins and ourselves (SPEC 5, 6.2).
 *
 * @module
 */
import type { CryptoProvider } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";

/** What {@link identityError} compares a peer with. */
export interface IdentityRules {
  readonly provider: CryptoProvider;
  /** Our own static public key. */
  readonly self: Uint8Array;
  readonly allowSelf: boolean;
  readonly expect?: Uint8Array | ((nodeId: Uint8Array) => boolean);
}

/** `SELF`, `PEER_IDENTITY`, or undefined when the peer with this static key is welcome. */
export function identityError(rules: IdentityRules, nodeId: Uint8Array): SttError | undefined {
  const { provider, expect } = rules;
  if (!rules.allowSelf && provider.equal(nodeId, rules.self)) {
    return new SttError("SELF", "cannot accept peer: its static key is this node's own");
  }
  if (expect === undefined) return undefined;
  if (expect instanceof Uint8Array) {
    if (provider.equal(nodeId, expect)) return undefined;
    return new SttError("PEER_IDENTITY", "cannot accept peer: its nodeId is not the expected one");
  }
  try {
    // The copy keeps the application from changing the identity that the session reports.
    if (expect(nodeId.slice()) === true) return undefined;
  } catch (cause) {
    return new SttError("PEER_IDENTITY", "cannot accept peer: the expect predicate threw", {
      cause,
    });
  }
  return new SttError("PEER_IDENTITY", "cannot accept peer: the expect predicate refused it");
}
