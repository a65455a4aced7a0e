/**
 * STT: encrypted, multiplexed sessions between two nodes that share a seed, over WebSocket, TCP or memory.
 *
 * @module
 */

export { errorCodeOf, ERRORS, SttError } from "./src/errors.ts";
export type { ErrorCode, ErrorEntry, SttErrorDetails } from "./src/errors.ts";
