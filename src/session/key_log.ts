/**
 * Keys of sessions as lines of text, for those who debug their own traffic. A line opens everything that was or will be
 * sent in its epoch: whoever writes such a file gives up the secrecy of its sessions.
 *
 * @module
 */
import { fromHex, toHex } from "../codec/hex.ts";
import { AEAD_NONCE_BYTES, KEY_BYTES, SESSION_ID_BYTES } from "../constants.ts";
import type { EpochKeyLog } from "./epoch_keys.ts";

/** Takes one line, without its end. */
export type KeyLog = (line: string) => void;

/** Keys of one epoch of one direction of one session. */
export interface KeyLogEntry {
  /** Initiator to responder, or back. */
  readonly direction: "i2r" | "r2i";
  /** 8 bytes. */
  readonly sessionId: Uint8Array;
  /** 0 to 2^53-1. */
  readonly epoch: number;
  /** 1 or 2 (SPEC 6.1). */
  readonly suite: number;
  /** AEAD key, 32 bytes. */
  readonly key: Uint8Array;
  /** Nonce mask, 12 bytes. */
  readonly iv: Uint8Array;
}

const LABELS = { i2r: "STT1_I2R", r2i: "STT1_R2I" } as const;

function pattern(bytes: number): string {
  return `([0-9a-f]{${2 * bytes}})`;
}

const LINE = new RegExp(
  `^STT1_(I2R|R2I) ${pattern(SESSION_ID_BYTES)} (0|[1-9]\\d{0,15}) ([12]) ` +
    `${pattern(KEY_BYTES)} ${pattern(AEAD_NONCE_BYTES)}$`,
);

/** `STT1_I2R <session id> <epoch> <suite> <key> <iv>`, bytes in hexadecimal; `STT1_R2I` for the other direction. */
export function keyLogLine({ direction, sessionId, epoch, suite, key, iv }: KeyLogEntry): string {
  return `${LABELS[direction]} ${toHex(sessionId)} ${epoch} ${suite} ${toHex(key)} ${toHex(iv)}`;
}

/** The keys on a line; undefined for anything else, comments (`#`) among it. */
export function parseKeyLogLine(line: string): KeyLogEntry | undefined {
  const found = LINE.exec(line.trim());
  if (found === null) return undefined;
  const [, label, sessionId, epoch, suite, key, iv] = found as unknown as string[];
  if (!Number.isSafeInteger(Number(epoch))) return undefined;
  return {
    direction: label === "I2R" ? "i2r" : "r2i",
    sessionId: fromHex(sessionId as string),
    epoch: Number(epoch),
    suite: Number(suite),
    key: fromHex(key as string),
    iv: fromHex(iv as string),
  };
}

/** What tells `log` of the keys of one direction of a session; undefined without a log. */
export function epochKeyLog(
  log: KeyLog | undefined,
  session: Pick<KeyLogEntry, "sessionId" | "suite">,
  direction: "i2r" | "r2i",
): EpochKeyLog | undefined {
  if (log === undefined) return undefined;
  const { sessionId, suite } = session;
  let take: KeyLog | undefined = log;
  return (epoch, key, iv) => {
    try {
      take?.(keyLogLine({ direction, sessionId, epoch, suite, key, iv }));
    } catch {
      // A session must not end with its observer.
      take = undefined;
    }
  };
}
