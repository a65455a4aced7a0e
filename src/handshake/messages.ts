/**
 * The five handshake messages of STT/1 (SPEC 6): canonical dicts inside HANDSHAKE frames.
 *
 * @module
 */
import { decodeValue, encodeValue, type SttValue } from "../codec/values.ts";
import { HANDSHAKE_MAX_DEPTH, HANDSHAKE_MAX_ENTRIES, TICKET_ID_BYTES } from "../constants.ts";
import { SttError } from "../errors.ts";
import { sameBytes } from "./bytes.ts";
import { checkFields, type FieldRules } from "./fields.ts";
import { decodeHandshakeFrame, encodeHandshakeFrame } from "./handshake_frame.ts";
import type { HandshakeMessageName } from "./types.ts";

/** Fields of a message by their wire names, unknown ones included: they belong to the handshake hash. */
export type MessageFields = ReadonlyMap<string, SttValue>;

/** An integer of a message: `number` when safe. */
export type WireInteger = number | bigint;

/** First message, initiator to responder. */
export interface Hello {
  /** Name of the message. */
  readonly type: "HELLO";
  /** 32 fresh random bytes, not the identity. */
  readonly nodeId: Uint8Array;
  /** The initiator's ephemeral public key, 32 bytes. */
  readonly nonce: Uint8Array;
  /** Unix milliseconds. */
  readonly timestamp: WireInteger;
  /** Encrypted empty payload of Noise message 1, 16 bytes: proof of the seed. */
  readonly commitment: Uint8Array;
  /** Protocol version of this HELLO. */
  readonly version: WireInteger;
  /** At least one; the first is the suite of this HELLO. */
  readonly suites: readonly WireInteger[];
  /** 8 bytes that tell a holder of the seed which seed it is. */
  readonly seedId: Uint8Array;
  /** Bit set of `CAPABILITY_*`, informative. */
  readonly capabilities: WireInteger;
  /** What a RETRY of code 1 asked for. */
  readonly cookie?: Uint8Array;
  /** The masked id of a ticket, 16 bytes (SPEC 15.2). */
  readonly ticket?: Uint8Array;
  /** All fields by their wire names. */
  readonly fields: MessageFields;
}

/** Second message, responder to initiator. */
export interface Response {
  /** Name of the message. */
  readonly type: "RESPONSE";
  /** 32 fresh random bytes, not the identity. */
  readonly nodeId: Uint8Array;
  /** The responder's ephemeral public key, 32 bytes. */
  readonly nonce: Uint8Array;
  /** The rest of Noise message 2. */
  readonly challenge: Uint8Array;
  /** The suite taken. */
  readonly suite: WireInteger;
  /** 8 bytes. */
  readonly sessionId: Uint8Array;
  /** All fields by their wire names. */
  readonly fields: MessageFields;
}

/** Third message, initiator to responder. */
export interface AuthProof {
  /** Name of the message. */
  readonly type: "AUTH_PROOF";
  /** 8 bytes. */
  readonly sessionId: Uint8Array;
  /** Noise message 3. */
  readonly proof: Uint8Array;
  /** All fields by their wire names. */
  readonly fields: MessageFields;
}

/** Fourth message, responder to initiator. */
export interface Final {
  /** Name of the message. */
  readonly type: "FINAL";
  /** 8 bytes. */
  readonly sessionId: Uint8Array;
  /** 16 bytes. */
  readonly confirmation: Uint8Array;
  /** All fields by their wire names. */
  readonly fields: MessageFields;
}

/** The responder's answer to a HELLO that it takes no state for. */
export interface Retry {
  /** Name of the message. */
  readonly type: "RETRY";
  /** Nonce of the HELLO. */
  readonly nonce: Uint8Array;
  /** `RETRY_*`. */
  readonly code: WireInteger;
  /** To be echoed in HELLO; empty but for code 1. */
  readonly cookie: Uint8Array;
  /** Empty but for code 2. */
  readonly versions: readonly WireInteger[];
  /** Empty but for code 3. */
  readonly suites: readonly WireInteger[];
  /** 16 bytes over all the rest. */
  readonly mac: Uint8Array;
  /** All fields by their wire names. */
  readonly fields: MessageFields;
}

/** Any message that decoded. */
export type HandshakeMessage = Hello | Response | AuthProof | Final | Retry;

/** The stage at which decoding stopped. */
export type MessageRefusalReason = "frame" | "encoding" | "type" | "field";

/** Bytes that are no message. */
export interface MessageRefusal {
  /** Name of the message. */
  readonly type: "refused";
  /** Where decoding stopped. */
  readonly reason: MessageRefusalReason;
  /** What is wrong. */
  readonly error: SttError;
}

const RULES: Readonly<Record<HandshakeMessageName, FieldRules>> = {
  HELLO: {
    node_id: { bytes: 32 },
    nonce: { bytes: 32 },
    timestamp: "int",
    commitment: { bytes: 16 },
    version: "int",
    suites: "int list",
    seed_id: { bytes: 8 },
    capabilities: "int",
    cookie: "optional bytes",
    ticket: { bytes: TICKET_ID_BYTES, optional: true },
  },
  RESPONSE: {
    node_id: { bytes: 32 },
    nonce: { bytes: 32 },
    challenge: "bytes",
    // SPEC 6.2: the reference needs the field; a value in it would be a place to hide data in.
    challenge_metadata: { bytes: 0 },
    timestamp: "int",
    suite: "int",
    session_id: { bytes: 8 },
  },
  AUTH_PROOF: {
    session_id: { bytes: 8 },
    proof: "bytes",
    proof_metadata: { bytes: 0 },
    timestamp: "int",
  },
  FINAL: { session_id: { bytes: 8 }, timestamp: "int", confirmation: { bytes: 16 } },
  RETRY: {
    nonce: { bytes: 32 },
    code: "int",
    cookie: "bytes",
    versions: "int list",
    suites: "int list",
    mac: { bytes: 16 },
  },
};

/**
 * The canonical value of a message's fields, without those named: what the handshake hash, the macs and the
 * confirmation cover.
 */
export function messageValue(fields: MessageFields, ...without: string[]): Uint8Array {
  if (!without.some((name) => fields.has(name))) return encodeValue(fields as SttValue);
  const kept = new Map(fields);
  for (const name of without) kept.delete(name);
  return encodeValue(kept);
}

/** The complete HANDSHAKE frame of a message with these fields, `type` among them. */
export function encodeMessage(fields: MessageFields): Uint8Array {
  return encodeHandshakeFrame(messageValue(fields));
}

/**
 * Decodes a complete HANDSHAKE frame. Never throws on input from the network: what is wrong comes back as a
 * {@link MessageRefusal}.
 */
export function decodeMessage(frame: Uint8Array): HandshakeMessage | MessageRefusal {
  let reason: MessageRefusalReason = "frame";
  try {
    const bytes = decodeHandshakeFrame(frame);
    reason = "encoding";
    const value = decodeCanonical(bytes);
    reason = "type";
    const fields = asFields(value);
    const name = messageName(fields);
    reason = "field";
    checkFields(name, fields, RULES[name]);
    const message = typed(name, fields);
    if (message.type === "HELLO" && message.suites.length === 0) {
      throw new SttError("HANDSHAKE_MESSAGE", "cannot decode HELLO: suites is empty");
    }
    return message;
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    return { type: "refused", reason, error };
  }
}

// SPEC 6.4: strangers get little depth and few entries.
function decodeCanonical(bytes: Uint8Array): SttValue {
  const value = decodeValue(bytes, {
    canonical: true,
    maxDepth: HANDSHAKE_MAX_DEPTH,
    maxEntries: HANDSHAKE_MAX_ENTRIES,
  });
  // SPEC 6.2: the hash covers the bytes that we would have written, so they must be those that came.
  if (!sameBytes(encodeValue(value), bytes)) {
    throw new SttError("VALUE_NOT_CANONICAL", "cannot decode message: it encodes differently");
  }
  return value;
}

function asFields(value: SttValue): MessageFields {
  if (value instanceof Map) return value;
  throw new SttError("HANDSHAKE_MESSAGE", "cannot decode message: the value is not a dict");
}

function messageName(fields: MessageFields): HandshakeMessageName {
  const name = fields.get("type");
  if (typeof name === "string" && Object.hasOwn(RULES, name)) return name as HandshakeMessageName;
  throw new SttError("HANDSHAKE_MESSAGE", "cannot decode message: type is none of the five");
}

// The casts hold because checkFields has seen every field named here.
function typed(name: HandshakeMessageName, fields: MessageFields): HandshakeMessage {
  const bytes = (field: string): Uint8Array => fields.get(field) as Uint8Array;
  const int = (field: string): WireInteger => fields.get(field) as WireInteger;
  const list = (field: string): readonly WireInteger[] => fields.get(field) as WireInteger[];
  switch (name) {
    case "HELLO": {
      const hello = {
        type: name,
        nodeId: bytes("node_id"),
        nonce: bytes("nonce"),
        timestamp: int("timestamp"),
        commitment: bytes("commitment"),
        version: int("version"),
        suites: list("suites"),
        seedId: bytes("seed_id"),
        capabilities: int("capabilities"),
        fields,
      };
      return {
        ...hello,
        ...(fields.has("cookie") ? { cookie: bytes("cookie") } : {}),
        ...(fields.has("ticket") ? { ticket: bytes("ticket") } : {}),
      };
    }
    case "RESPONSE":
      return {
        type: name,
        nodeId: bytes("node_id"),
        nonce: bytes("nonce"),
        challenge: bytes("challenge"),
        suite: int("suite"),
        sessionId: bytes("session_id"),
        fields,
      };
    case "AUTH_PROOF":
      return { type: name, sessionId: bytes("session_id"), proof: bytes("proof"), fields };
    case "FINAL":
      return {
        type: name,
        sessionId: bytes("session_id"),
        confirmation: bytes("confirmation"),
        fields,
      };
    case "RETRY":
      return {
        type: name,
        nonce: bytes("nonce"),
        code: int("code"),
        cookie: bytes("cookie"),
        versions: list("versions"),
        suites: list("suites"),
        mac: bytes("mac"),
        fields,
      };
  }
}
