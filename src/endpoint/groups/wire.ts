/**
 * What subscribers and publishers say to each other (SPEC 12.13): canonical dicts, each an item of a request.
 *
 * @module
 */
import { decodeValue, encodeValue, type SttValue } from "../../codec/values.ts";
import { SttError } from "../../errors.ts";
import { isCount } from "../service_block.ts";
import { filterFault, topicFault } from "./topic_filter.ts";

/** Filters that one subscription may have. */
export const MAX_FILTERS = 32;
/** What a message adds to its data, at most: its topic of 255 bytes, the count, keys and lengths. */
export const MESSAGE_OVERHEAD = 400;

/** A published message. */
export interface TopicMessage {
  /** Where it was published. */
  readonly topic: string;
  /** What was published. */
  readonly data: Uint8Array;
  /** Messages that this subscriber missed before this one, because it was slow. */
  readonly dropped: number;
}

function malformed(why: string): SttError {
  return new SttError("PROTOCOL", `cannot decode topic message: ${why}`);
}

function decodeDict(bytes: Uint8Array): ReadonlyMap<string, SttValue> {
  let value: SttValue;
  try {
    value = decodeValue(bytes, { canonical: true, maxDepth: 4, maxEntries: MAX_FILTERS });
  } catch (cause) {
    throw new SttError("PROTOCOL", "cannot decode topic message: no canonical value", { cause });
  }
  if (!(value instanceof Map)) throw malformed("the value is not a dict");
  return value;
}

/** @throws {SttError} CONFIG for no filters, more than 32, or one that is none. */
export function encodeSubscription(filters: readonly string[]): Uint8Array {
  const fault = filtersFault(filters);
  if (fault !== undefined) throw new SttError("CONFIG", `cannot subscribe: ${fault}`);
  return encodeValue(new Map<string, SttValue>([["filters", [...filters]]]));
}

/** @throws {SttError} PROTOCOL for a malformed subscription. */
export function decodeSubscription(bytes: Uint8Array): readonly string[] {
  const filters = decodeDict(bytes).get("filters");
  if (!Array.isArray(filters)) throw malformed("filters are not a list");
  const fault = filtersFault(filters as string[]);
  if (fault !== undefined) throw malformed(fault);
  return filters as string[];
}

function filtersFault(filters: readonly string[]): string | undefined {
  if (filters.length === 0 || filters.length > MAX_FILTERS) {
    return `${filters.length} filters are not 1 to ${MAX_FILTERS}`;
  }
  return filters.map(filterFault).find((fault) => fault !== undefined);
}

/** @throws {SttError} CONFIG for a topic that is none. */
export function encodeMessage({ topic, data, dropped }: TopicMessage): Uint8Array {
  const fault = topicFault(topic);
  if (fault !== undefined) throw new SttError("CONFIG", `cannot publish: ${fault}`);
  const fields = new Map<string, SttValue>([["topic", topic], ["data", data]]);
  if (dropped > 0) fields.set("dropped", dropped);
  return encodeValue(fields);
}

/** @throws {SttError} PROTOCOL for a malformed message. */
export function decodeMessage(bytes: Uint8Array): TopicMessage {
  const fields = decodeDict(bytes);
  const topic = fields.get("topic");
  const data = fields.get("data");
  // Absent is 0; null is not.
  const dropped = fields.has("dropped") ? fields.get("dropped") : 0;
  if (typeof topic !== "string") throw malformed("topic is not a string");
  const fault = topicFault(topic);
  if (fault !== undefined) throw malformed(`topic: ${fault}`);
  if (!(data instanceof Uint8Array)) throw malformed("data are not bytes");
  if (!isCount(dropped)) throw malformed("dropped is not a whole number from 0");
  return { topic, data, dropped };
}
