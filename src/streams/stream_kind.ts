/**
 * What the bits of a stream's kind mean (SPEC 8).
 *
 * @module
 */

const DELIVERY_MASK = 0x03;
const DELIVERY_PARTIAL = 2;
const MESSAGES_BIT = 0x04;

/** A stream that so far was only named by a record. */
export const KIND_UNKNOWN = -1;

/** Kinds 2 and 6: ranges may be given up. A gap may hide length prefixes, so 6 is read as 2 is. */
export function isPartialKind(kind: number): boolean {
  return kind >= 0 && (kind & DELIVERY_MASK) === DELIVERY_PARTIAL;
}

/** Kinds 4 and 5: whole messages are read. */
export function isMessageKind(kind: number): boolean {
  return framesMessages(kind) && !isPartialKind(kind);
}

/** Kinds 4, 5 and 6: a length stands before each message. */
export function framesMessages(kind: number): boolean {
  return kind >= 0 && (kind & MESSAGES_BIT) !== 0;
}
