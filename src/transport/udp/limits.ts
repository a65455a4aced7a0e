/**
 * This folder's own limits: none of them is part of the protocol.
 *
 * @module
 */

/** Asked of the system where it can be asked (Node): room for the default credit of a session (SPEC 8.4). Linux grants twice it, within `net.core.rmem_max`. */
export const RECEIVE_BUFFER_BYTES = 1_310_720;

/** What Linux gives a socket that asks for nothing; taken where the runtime cannot tell. */
export const DEFAULT_RECEIVE_BUFFER_BYTES = 212_992;

/** How often a full queue is looked at where the runtime does not tell that it has room again. */
export const QUEUE_POLL_MS = 1;

/** `close()` gives queued datagrams this long. */
export const CLOSE_FLUSH_MS = 50;

/** Datagrams that wait for the runtime before the socket is full, and below how many it is not any more. */
export const MAX_QUEUED_DATAGRAMS = 256;
export const LOW_QUEUED_DATAGRAMS = 64;

/** The same as bytes. */
export const MAX_QUEUED_BYTES = 2_097_152;
export const LOW_QUEUED_BYTES = 524_288;

/** Datagrams that were received and wait for their turn; further ones are lost, as in the system's full buffer. */
export const MAX_WAITING_DATAGRAMS = 256;

/** Receive errors in a row, none of them fatal by itself, after which the socket counts as broken. */
export const MAX_RECEIVE_ERRORS = 1_000;
