import type { SttError } from "../errors.ts";

/** What became of one peer's share of `sendToAll` or `sendTo`. */
export interface SendOutcome {
  /** The peer's nodeId as hex. */
  readonly id: string;
  /** Whether the message went to the session. */
  readonly sent: boolean;
  /** Why not. */
  readonly error: SttError | undefined;
}
