/** What both sides of a handshake have in common: outcomes of messages, and the session they lead to. @module */
import { hex, Refusal } from "./bytes.ts";
import type { Schedule } from "./handshake.ts";
import { encodeFields, type Fields, handshakeFrame } from "./messages.ts";

export interface TwinSession {
  readonly sessionId: Uint8Array;
  readonly suite: number;
  readonly hash: Uint8Array;
  readonly secrets: Schedule;
  readonly peer: string;
  readonly parameters: Fields;
  /** A ticket took part. */
  readonly resumed: boolean;
}

/** What came of one message. */
export interface Outcome {
  /** "ok" or one of the data's verdicts. */
  readonly verdict: string;
  /** The frame that goes out, hex. */
  readonly sent?: string;
  /** True when the message was genuine, so that the refusal ends the handshake. */
  readonly fatal?: boolean;
}

/** A genuine message that ends the handshake. */
export class FatalRefusal extends Refusal {}

export function judge(run: () => Omit<Outcome, "verdict"> & { verdict?: string }): Outcome {
  try {
    return { verdict: "ok", ...run() };
  } catch (error) {
    if (error instanceof FatalRefusal) return { verdict: error.code, fatal: true };
    if (error instanceof Refusal) return { verdict: error.code };
    throw error;
  }
}

export function frameOf(fields: Fields): string {
  return hex(handshakeFrame(encodeFields(fields)));
}

export function appOf(payload: Fields): string {
  const app = payload.app;
  return app !== undefined && "text" in app ? app.text : "";
}

export const VERSIONS: readonly number[] = [1];
