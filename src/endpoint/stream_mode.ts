/**
 * How streams deliver, in the application's words.
 *
 * @module
 */
import { KIND_BYTES, KIND_MESSAGES, KIND_PARTIAL, KIND_UNORDERED } from "../constants.ts";
import { SttError } from "../errors.ts";
import { isPartialKind } from "../streams/stream_kind.ts";

/**
 * How a stream delivers. `bytes`: in order. `messages`: whole messages in order. `unordered`: whole messages in any order.
 * `weighted`: bytes in order with gaps, for over UDP segments of little entropy are not sent again as often (SPEC 11).
 */
export type StreamMode = "bytes" | "messages" | "unordered" | "weighted";

/**
 * How likely each segment of a `weighted` stream is to arrive whole, 0 to 1; "entropy": 0.99 for random-looking bytes down
 * to 0.70 for monotonous ones. How far it can be kept: a packet is sent at most 8 times.
 */
export type DeliveryTarget = number | "entropy";

const KINDS: Record<StreamMode, number> = {
  bytes: KIND_BYTES,
  messages: KIND_MESSAGES,
  unordered: KIND_UNORDERED,
  weighted: KIND_PARTIAL,
};

/** @throws {SttError} `CONFIG` for a mode that does not exist. */
export function kindOf(mode: StreamMode): number {
  const kind = KINDS[mode];
  if (kind === undefined) {
    throw new SttError("CONFIG", `cannot open stream: mode ${mode} is unknown`);
  }
  return kind;
}

/** The mode of a stream of this kind (SPEC 8). */
export function modeOf(kind: number): StreamMode {
  if (isPartialKind(kind)) return "weighted";
  if (kind === KIND_UNORDERED) return "unordered";
  return kind === KIND_MESSAGES ? "messages" : "bytes";
}

/**
 * Before anything is opened: a stream without its target would have to be taken back.
 *
 * @throws {SttError} `CONFIG` for a mode without target, and for what is none.
 */
export function checkTarget(mode: StreamMode, target: DeliveryTarget): void {
  if (mode !== "weighted") {
    throw new SttError("CONFIG", `cannot open stream: mode ${mode} has no target`);
  }
  if (target === "entropy" || (typeof target === "number" && target >= 0 && target <= 1)) return;
  throw new SttError("CONFIG", `cannot open stream: target ${target} is outside 0 to 1`);
}
