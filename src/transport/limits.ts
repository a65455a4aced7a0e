/**
 * This folder's own limits: none of them is part of the protocol.
 *
 * @module
 */
import {
  CLOSE_FLUSH_MS,
  CLOSE_WAIT_MS,
  FRAME_MAX_BODY,
  TRANSPORT_HIGH_WATER_BYTES,
} from "../constants.ts";

/** `drain` is called when the queue falls to this, so that the socket is fed before it runs dry. */
export const LOW_WATER_BYTES: number = TRANSPORT_HIGH_WATER_BYTES / 2;

/** Largest WebSocket message taken unless the caller says otherwise: one frame of the largest body. */
export const DEFAULT_MAX_MESSAGE_BYTES: number = FRAME_MAX_BODY + 6;

/** Connection set-up: TCP, TLS and upgrade together. */
export const DEFAULT_DIAL_TIMEOUT_MS = 10_000;

/** Time that a stranger has from the TCP connection to a complete upgrade request. */
export const DEFAULT_UPGRADE_TIMEOUT_MS = 5_000;

/** Connections of one listener. */
export const DEFAULT_MAX_CONNECTIONS = 10_000;

/** TCP connections of one listener that have not upgraded yet; beyond, the oldest gives way. */
export const DEFAULT_MAX_HALF_OPEN_UPGRADES = 1_024;

/**
 * What arrives may keep the event loop for this long, then timers and others have their turn. A collection of garbage,
 * which takes up to 30 ms in a flood, may come on top.
 */
export const LOOP_SHARE_MS = 6;

/**
 * Frames of one WebSocket message: each costs a stranger one byte and this side an object. Ours have one; browsers cut large
 * messages into a few.
 */
export const MAX_FRAGMENTS = 256;

/** Pieces in which a WebSocket frame may arrive from below: the largest one in the smallest usual TCP segments. */
export const MAX_BUFFERED_CHUNKS = 4_096;

/** Bytes of an upgrade request's line and headers together. */
export const DEFAULT_MAX_HEADER_BYTES = 8_192;

/** `close()` waits this long for a peer that does not read. */
export const FLUSH_TIMEOUT_MS: number = CLOSE_FLUSH_MS;

/** After everything was sent, `close()` waits this long for the peer's own close. */
export const LINGER_TIMEOUT_MS: number = CLOSE_WAIT_MS;
