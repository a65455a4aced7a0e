/**
 * The four messages as the Python reference writes them: the same names and types without the fields that STT/1 added.
 * For reading recordings and for the interop suite; STT/1 handshakes use `messages.ts`.
 *
 * @module
 */
import { decodeValue, encodeValue, type SttValue } from "../codec/values.ts";
import { SttError } from "../errors.ts";
import { checkFields, type FieldRules } from "./fields.ts";
import type { MessageFields } from "./messages.ts";

const RULES: ReadonlyMap<string, FieldRules> = new Map<string, FieldRules>([
  ["HELLO", {
    node_id: { bytes: 32 },
    nonce: { bytes: 32 },
    timestamp: "int",
    commitment: "bytes",
  }],
  ["RESPONSE", {
    node_id: { bytes: 32 },
    nonce: { bytes: 32 },
    challenge: "bytes",
    challenge_metadata: "bytes",
    timestamp: "int",
  }],
  ["AUTH_PROOF", {
    session_id: { bytes: 8 },
    proof: "bytes",
    proof_metadata: "bytes",
    timestamp: "int",
  }],
  ["FINAL", { session_id: { bytes: 8 }, timestamp: "int" }],
]);

function check(value: SttValue): MessageFields {
  if (!(value instanceof Map)) {
    throw new SttError("HANDSHAKE_MESSAGE", "cannot use message: the value is not a dict");
  }
  const name = value.get("type");
  const rules = typeof name === "string" ? RULES.get(name) : undefined;
  if (rules === undefined) {
    throw new SttError("HANDSHAKE_MESSAGE", "cannot use message: type is none of the four");
  }
  checkFields(name as string, value, rules);
  return value;
}

/**
 * The value of a message, by the reference's field names.
 *
 * @throws {SttError} `HANDSHAKE_MESSAGE` for an unknown type or a field that is absent or of another type.
 */
export function encodeReferenceMessage(fields: MessageFields): Uint8Array {
  return encodeValue(check(new Map(fields)) as SttValue);
}

/**
 * The fields of a message; unknown ones are kept.
 *
 * @throws {SttError} `VALUE_*` for bytes that are no value, else as {@link encodeReferenceMessage}.
 */
export function decodeReferenceMessage(bytes: Uint8Array): MessageFields {
  return check(decodeValue(bytes));
}
