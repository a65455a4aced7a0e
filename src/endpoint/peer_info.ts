/**
 * Facts about an authenticated peer.
 *
 * @module
 */
import { toHex } from "../codec/hex.ts";
import type { HandshakeSession } from "../handshake/types.ts";

/** Who the peer is and how the session came about. Nothing in it is secret. */
export interface PeerInfo {
  /** Static public key, 32 bytes: the peer's authenticated identity. */
  readonly nodeId: Uint8Array;
  /** `nodeId` as hex. */
  readonly id: string;
  /** 8 bytes as hex; routes, proves nothing. */
  readonly sessionId: string;
  /** Where the peer's bytes came from when the session began, in address form. */
  readonly remoteAddress: string;
  /** This side of the transport, in address form. */
  readonly localAddress: string;
  /** Which side of the handshake this node is. */
  readonly role: "initiator" | "responder";
  /** 1 ChaCha20-Poly1305, 2 AES-256-GCM. */
  readonly suite: number;
  /** True when the identity was checked against `expect`; otherwise the peer is "some holder of the seed". */
  readonly pinned: boolean;
  /** True when a pair key took part. */
  readonly pairKey: boolean;
  /** Listener: which of its seeds the peer dialled with. */
  readonly seedIndex: number | undefined;
  /** The application protocol that the peer named, "" for none. */
  readonly app: string;
}

/** The facts of a session. */
export function peerInfo(
  session: HandshakeSession,
  transport: { readonly remoteAddress: string; readonly localAddress: string },
): PeerInfo {
  const { peer } = session;
  return {
    nodeId: peer.nodeId,
    id: toHex(peer.nodeId),
    sessionId: toHex(session.sessionId),
    remoteAddress: transport.remoteAddress,
    localAddress: transport.localAddress,
    role: session.role,
    suite: session.suite,
    pinned: peer.pinned,
    pairKey: peer.pairKey,
    seedIndex: peer.seedIndex,
    app: peer.parameters.app,
  };
}
