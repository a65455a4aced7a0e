/**
 * Topics and the filters that match them (SPEC 12.13). Pure.
 *
 * @module
 */
import { SttError } from "../../errors.ts";

/** Bytes of UTF-8 that a topic or a filter may have. */
export const TOPIC_MAX_BYTES = 255;

const UTF8: TextEncoder = new TextEncoder();

function textFault(text: string): string | undefined {
  if (typeof text !== "string") return `${typeof text} is no string`;
  const size = UTF8.encode(text).length;
  if (size === 0 || size > TOPIC_MAX_BYTES) return `${size} bytes are not 1 to ${TOPIC_MAX_BYTES}`;
  if (/[\p{Cc}\p{Cs}]/u.test(text)) return "it has a control character or half a character";
  return undefined;
}

/**
 * Checks a topic: 1 to 255 bytes of UTF-8 without control characters, `+` and `#`. Levels are what stands between `/`.
 *
 * @returns what is wrong with it, or undefined.
 */
export function topicFault(topic: string): string | undefined {
  return textFault(topic) ?? (/[+#]/.test(topic) ? "it has a wildcard" : undefined);
}

/**
 * Checks a filter: a topic in which a level may be `+`, any one level, and the last one `#`, any further levels.
 *
 * @returns what is wrong with it, or undefined.
 */
export function filterFault(filter: string): string | undefined {
  const fault = textFault(filter);
  if (fault !== undefined) return fault;
  const levels = filter.split("/");
  for (const [at, level] of levels.entries()) {
    if (level === "+" || (level === "#" && at === levels.length - 1)) continue;
    if (/[+#]/.test(level)) return "a wildcard is not a whole level, or # is not the last one";
  }
  return undefined;
}

/**
 * Whether a filter matches a topic: level by level, `+` one of any content, `#` at the end any number of further ones, none
 * included. Both are what they should be.
 *
 * @throws {SttError} CONFIG for a topic or filter that is none.
 *
 * @example
 * ```ts
 * import { matchesTopic } from "@seigr/stt";
 * console.log(matchesTopic("sensors/+/temperature", "sensors/7/temperature")); // true
 * console.log(matchesTopic("sensors/#", "sensors")); // true
 * console.log(matchesTopic("sensors/+", "sensors/7/temperature")); // false
 * ```
 */
export function matchesTopic(filter: string, topic: string): boolean {
  const fault = filterFault(filter) ?? topicFault(topic);
  if (fault !== undefined) throw new SttError("CONFIG", `cannot match topic: ${fault}`);
  return levelsMatch(filter.split("/"), topic.split("/"));
}

/** {@link matchesTopic} for what was checked and cut into levels. */
export function levelsMatch(filter: readonly string[], topic: readonly string[]): boolean {
  for (const [at, level] of filter.entries()) {
    if (level === "#") return true;
    if (at >= topic.length || (level !== "+" && level !== topic[at])) return false;
  }
  return filter.length === topic.length;
}
