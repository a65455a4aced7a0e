/**
 * Transport parameters: the encrypted payload of messages 2 and 3 (SPEC 6.2).
 *
 * @module
 */
import { decodeValue, encodeValue, type SttValue } from "../codec/values.ts";
import {
  DEFAULT_ACK_DELAY_MS,
  DEFAULT_ACK_EVERY,
  DEFAULT_MAX_DATA,
  DEFAULT_MAX_DATAGRAM,
  DEFAULT_MAX_FRAME,
  DEFAULT_MAX_IDLE_MS,
  DEFAULT_MAX_STREAM_DATA,
  DEFAULT_MAX_STREAMS,
  DEFAULT_MAX_UDP,
  FRAME_MAX_BODY,
  HANDSHAKE_MAX_DEPTH,
  HANDSHAKE_MAX_ENTRIES,
  PAYLOAD_MAX_BYTES,
  TAG_BYTES,
  VERSION,
} from "../constants.ts";
import { type ErrorCode, SttError } from "../errors.ts";
import { isInteger } from "./fields.ts";
import type { WireInteger } from "./messages.ts";
import { VERSIONS } from "./suites.ts";
import type { TransportParameters } from "./types.ts";

const MAX_INT = Number.MAX_SAFE_INTEGER;
const APP_MAX_BYTES = 64;
const UTF8 = new TextEncoder();

/** Name on the wire, default, smallest and largest value of the integers, by field. */
type IntegerField =
  | "capabilities"
  | "maxIdle"
  | "maxData"
  | "maxStreamData"
  | "maxStreams"
  | "maxDatagram"
  | "maxFrame"
  | "maxUdp"
  | "ackDelay"
  | "ackEvery";

interface IntegerRule {
  readonly field: IntegerField;
  readonly key: string;
  readonly absent: number;
  readonly min: number;
  readonly max: number;
}

function rule(
  field: IntegerField,
  key: string,
  absent: number,
  min: number = 0,
  max: number = MAX_INT,
): IntegerRule {
  return { field, key, absent, min, max };
}

const INTEGERS: readonly IntegerRule[] = [
  rule("capabilities", "capabilities", 0),
  rule("maxIdle", "max_idle", DEFAULT_MAX_IDLE_MS),
  rule("maxData", "max_data", DEFAULT_MAX_DATA),
  rule("maxStreamData", "max_stream_data", DEFAULT_MAX_STREAM_DATA),
  rule("maxStreams", "max_streams", DEFAULT_MAX_STREAMS, 0, 2 ** 31),
  rule("maxDatagram", "max_datagram", DEFAULT_MAX_DATAGRAM),
  rule("maxFrame", "max_frame", DEFAULT_MAX_FRAME, 1200, FRAME_MAX_BODY),
  rule("maxUdp", "max_udp", DEFAULT_MAX_UDP, 1200),
  rule("ackDelay", "ack_delay", DEFAULT_ACK_DELAY_MS, 0, 1000),
  rule("ackEvery", "ack_every", DEFAULT_ACK_EVERY, 1, 64),
];

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  ...INTEGERS.map(({ key }) => key),
  "version",
  "versions",
  "suite",
  "suites",
  "reset",
  "migrate",
  "app",
  "resumed",
]);

/** What a peer that says nothing announces. */
export const DEFAULT_TRANSPORT_PARAMETERS: TransportParameters = {
  capabilities: 0,
  maxIdle: DEFAULT_MAX_IDLE_MS,
  maxData: DEFAULT_MAX_DATA,
  maxStreamData: DEFAULT_MAX_STREAM_DATA,
  maxStreams: DEFAULT_MAX_STREAMS,
  maxDatagram: DEFAULT_MAX_DATAGRAM,
  maxFrame: DEFAULT_MAX_FRAME,
  maxUdp: DEFAULT_MAX_UDP,
  ackDelay: DEFAULT_ACK_DELAY_MS,
  ackEvery: DEFAULT_ACK_EVERY,
  migrate: true,
  app: "",
};

/** The defaults with `overrides` laid over them. */
export function transportParameters(
  overrides: Partial<TransportParameters> = {},
): TransportParameters {
  return { ...DEFAULT_TRANSPORT_PARAMETERS, ...overrides };
}

/** Version and suite as the payload carries them. */
export interface Negotiation {
  /** The version in use. */
  readonly version: number;
  /** All versions of the sender. */
  readonly versions: readonly WireInteger[];
  /** The suite in use. */
  readonly suite: number;
  /** All suites of the sender, by preference. */
  readonly suites: readonly WireInteger[];
  /** Responder: true when HELLO's ticket takes part (SPEC 15.2). */
  readonly resumed?: boolean;
}

/** A payload that decoded and is within its limits. */
export interface DecodedParameters {
  /** Defaults filled in, unknown keys in `extra`. */
  readonly parameters: TransportParameters;
  /** All versions of the peer. */
  readonly versions: readonly WireInteger[];
  /** All suites of the peer, by its preference. */
  readonly suites: readonly WireInteger[];
  /** The responder takes the ticket. */
  readonly resumed: boolean;
}

function refuse(code: ErrorCode, what: string, cause?: unknown): SttError {
  return new SttError(code, `cannot accept transport parameters: ${what}`, { cause });
}

/**
 * The payload that announces `parameters`; what equals its default is left out.
 *
 * @throws {SttError} `CONFIG` for a value out of its limits or a payload over 400 bytes.
 */
export function encodeParameters(
  parameters: TransportParameters,
  negotiation: Negotiation,
): Uint8Array {
  const dict = new Map<string, SttValue>(parameters.extra ?? []);
  for (const { field, key, absent, min, max } of INTEGERS) {
    const value = parameters[field];
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new SttError(
        "CONFIG",
        `cannot use ${field}: ${value} is not an integer from ${min} to ${max}`,
        { limit: value < min ? min : max },
      );
    }
    if (value !== absent) dict.set(key, value);
  }
  checkLocalOthers(parameters);
  if (parameters.reset !== undefined) dict.set("reset", parameters.reset);
  if (!parameters.migrate) dict.set("migrate", false);
  if (parameters.app !== "") dict.set("app", parameters.app);
  if (negotiation.resumed === true) dict.set("resumed", true);
  dict.set("version", negotiation.version);
  dict.set("versions", [...negotiation.versions]);
  dict.set("suite", negotiation.suite);
  dict.set("suites", [...negotiation.suites]);
  const bytes = encodeValue(dict);
  // SPEC 6.2: keeps RESPONSE below 3 times HELLO, the most that an unproven address is sent.
  if (bytes.length > PAYLOAD_MAX_BYTES) {
    throw new SttError(
      "CONFIG",
      `cannot use transport parameters: ${bytes.length} bytes exceeds ${PAYLOAD_MAX_BYTES}`,
      { limit: PAYLOAD_MAX_BYTES },
    );
  }
  return bytes;
}

function checkLocalOthers(parameters: TransportParameters): void {
  const { reset, app, extra } = parameters;
  if (reset !== undefined && reset.length !== TAG_BYTES) {
    throw new SttError("CONFIG", `cannot use reset: ${reset.length} bytes is not ${TAG_BYTES}`);
  }
  const appBytes = UTF8.encode(app).length;
  if (appBytes > APP_MAX_BYTES) {
    throw new SttError("CONFIG", `cannot use app: ${appBytes} bytes exceeds ${APP_MAX_BYTES}`, {
      limit: APP_MAX_BYTES,
    });
  }
  for (const key of extra?.keys() ?? []) {
    if (KNOWN_KEYS.has(key)) {
      throw new SttError("CONFIG", `cannot use extra parameter: ${key} has a field of its own`);
    }
  }
}

/**
 * Decodes the peer's payload.
 *
 * @param inUse suite and version of this handshake
 * @throws {SttError} `TRANSPORT_PARAMETER` for a payload that is not canonical, over 400 bytes, or has a field of a wrong
 * type or out of its limits; `SUITE` and `VERSION` when it names others than those in use.
 */
export function decodeParameters(
  payload: Uint8Array,
  inUse: { readonly suite: number; readonly version: number },
): DecodedParameters {
  const dict = decodePayload(payload);
  const integers = {} as Record<IntegerField, number>;
  for (const { field, key, absent, min, max } of INTEGERS) {
    const value = dict.has(key) ? dict.get(key) : absent;
    if (typeof value !== "number" || !isInteger(value) || value < min || value > max) {
      throw refuse("TRANSPORT_PARAMETER", `${key} is not an integer from ${min} to ${max}`);
    }
    integers[field] = value;
  }
  const suites = integerList(dict, "suites");
  if (suites === undefined) throw refuse("TRANSPORT_PARAMETER", "suites is absent");
  const versions = integerList(dict, "versions") ?? [VERSION];
  const reset = dict.get("reset");
  if (dict.has("reset") && !(reset instanceof Uint8Array && reset.length === TAG_BYTES)) {
    throw refuse("TRANSPORT_PARAMETER", `reset is not ${TAG_BYTES} bytes`);
  }
  const migrate = dict.has("migrate") ? dict.get("migrate") : true;
  if (typeof migrate !== "boolean") throw refuse("TRANSPORT_PARAMETER", "migrate is not a bool");
  const resumed = dict.has("resumed") ? dict.get("resumed") : false;
  if (typeof resumed !== "boolean") throw refuse("TRANSPORT_PARAMETER", "resumed is not a bool");
  const app = dict.has("app") ? dict.get("app") : "";
  if (typeof app !== "string" || UTF8.encode(app).length > APP_MAX_BYTES) {
    throw refuse("TRANSPORT_PARAMETER", `app is not a string of at most ${APP_MAX_BYTES} bytes`);
  }
  const unknown = new Map([...dict].filter(([key]) => !KNOWN_KEYS.has(key)));
  checkInUse(dict, "suite", inUse.suite, "SUITE");
  checkInUse(dict, "version", inUse.version, "VERSION");
  // Spelled out: engines give each object that is spread from others a shape of its own, 400 bytes a session.
  const parameters: { -readonly [Field in keyof TransportParameters]: TransportParameters[Field] } =
    {
      capabilities: integers.capabilities,
      maxIdle: integers.maxIdle,
      maxData: integers.maxData,
      maxStreamData: integers.maxStreamData,
      maxStreams: integers.maxStreams,
      maxDatagram: integers.maxDatagram,
      maxFrame: integers.maxFrame,
      maxUdp: integers.maxUdp,
      ackDelay: integers.ackDelay,
      ackEvery: integers.ackEvery,
      migrate,
      app,
    };
  if (reset instanceof Uint8Array) parameters.reset = reset;
  if (unknown.size > 0) parameters.extra = unknown;
  return { parameters, versions, suites, resumed };
}

function decodePayload(payload: Uint8Array): Map<string, SttValue> {
  if (payload.length > PAYLOAD_MAX_BYTES) {
    throw refuse("TRANSPORT_PARAMETER", `${payload.length} bytes exceeds ${PAYLOAD_MAX_BYTES}`);
  }
  let value: SttValue;
  try {
    value = decodeValue(payload, {
      canonical: true,
      maxDepth: HANDSHAKE_MAX_DEPTH,
      maxEntries: HANDSHAKE_MAX_ENTRIES,
    });
  } catch (error) {
    throw refuse("TRANSPORT_PARAMETER", "the payload is not canonical", error);
  }
  if (!(value instanceof Map)) throw refuse("TRANSPORT_PARAMETER", "the payload is not a dict");
  return value;
}

function integerList(
  dict: ReadonlyMap<string, SttValue>,
  key: string,
): readonly WireInteger[] | undefined {
  if (!dict.has(key)) return undefined;
  const value = dict.get(key);
  if (!Array.isArray(value) || !value.every(isInteger)) {
    throw refuse("TRANSPORT_PARAMETER", `${key} is not a list of integers`);
  }
  return value;
}

function checkInUse(
  dict: ReadonlyMap<string, SttValue>,
  key: string,
  inUse: number,
  code: ErrorCode,
): void {
  if (!dict.has(key)) return;
  const value = dict.get(key);
  if (!isInteger(value)) throw refuse("TRANSPORT_PARAMETER", `${key} is not an integer`);
  if (value !== inUse) throw refuse(code, `${key} ${value} is not the one in use, ${inUse}`);
}

/** Our own side of the payload's version and suite entries. */
export function negotiation(
  suite: number,
  suites: readonly number[],
  resumed: boolean = false,
): Negotiation {
  return { version: VERSION, versions: VERSIONS, suite, suites, resumed };
}
