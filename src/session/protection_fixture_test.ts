/**
 * Two ends of a session without a handshake, for the tests beside it. The name keeps it out of the package.
 *
 * @module
 */
import assert from "node:assert/strict";
import { FRAME_HEADROOM, FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { encodeVarint } from "../codec/varint.ts";
import { FRAME_MAX_BODY, TAG_BYTES } from "../constants.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Protection, type ProtectionConfig } from "./protection.ts";

export const provider: CryptoProvider = nodeProvider();

/** Two ends that share secrets, made of fixed bytes. */
export function protectionPair(
  options: Partial<ProtectionConfig> = {},
): { a: Protection; b: Protection } {
  const common = {
    provider,
    suite: 1,
    sessionId: new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]),
    reliable: false,
    nowMs: 0,
    ...options,
  };
  const secret = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
  return {
    a: new Protection({ ...common, sendSecret: secret(1), recvSecret: secret(2) }),
    b: new Protection({ ...common, sendSecret: secret(2), recvSecret: secret(1) }),
  };
}

/** Seals a frame and returns it in memory of its own. */
export function sealFrame(
  from: Protection,
  payload: Uint8Array,
  type = 2,
  flags = 0,
  streamId = 0,
  timestamp = 0,
): Uint8Array {
  const buffer = new Uint8Array(FRAME_HEADROOM + payload.length + TAG_BYTES);
  buffer.set(payload, FRAME_HEADROOM);
  from.seal(
    buffer,
    FRAME_HEADROOM,
    FRAME_HEADROOM + payload.length,
    type,
    flags,
    streamId,
    timestamp,
  );
  return buffer.slice(from.frameStart, from.frameEnd);
}

/** Parses a whole frame. */
export function headerOf(frame: Uint8Array): FrameHeader {
  const header = new FrameHeader();
  parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, header);
  return header;
}

/** Parses and opens a whole frame. */
export function openFrame(to: Protection, frame: Uint8Array, nowMs = 0): Uint8Array | undefined {
  return to.open(frame, headerOf(frame), nowMs);
}

/** The smallest payload of CONTROL. */
export const PADDING: Uint8Array = new Uint8Array([0]);

/** KEY_ROTATION(epoch). */
export function rotation(epoch: number): Uint8Array {
  return new Uint8Array([4, ...encodeVarint(epoch)]);
}

/** Both have heard each other in the present epoch. */
export function acquaint(a: Protection, b: Protection, nowMs = 0): void {
  assert.notEqual(openFrame(b, sealFrame(a, PADDING), nowMs), undefined);
  assert.notEqual(openFrame(a, sealFrame(b, PADDING), nowMs), undefined);
}
