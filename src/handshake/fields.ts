/**
 * Types and lengths of message fields.
 *
 * @module
 */
import type { SttValue } from "../codec/values.ts";
import { SttError } from "../errors.ts";

/** What a field must be. All fields are required but for the optional ones. */
export type FieldRule =
  | "int"
  | "int list"
  | "bytes"
  | "optional bytes"
  | { readonly bytes: number; readonly optional?: true };

/** Rules by field name; other fields may hold anything. */
export type FieldRules = Readonly<Record<string, FieldRule>>;

/** True for an integer of a decoded value; a bool is none (SPEC 6.2), nor is a float: -0 was one on the wire. */
export function isInteger(value: SttValue | undefined): value is number | bigint {
  return typeof value === "bigint" || (Number.isSafeInteger(value) && !Object.is(value, -0));
}

function follows(rule: FieldRule, value: SttValue | undefined): boolean {
  switch (rule) {
    case "int":
      return isInteger(value);
    case "int list":
      return Array.isArray(value) && value.every(isInteger);
    case "bytes":
      return value instanceof Uint8Array;
    case "optional bytes":
      return value === undefined || value instanceof Uint8Array;
    default:
      if (value === undefined) return rule.optional === true;
      return value instanceof Uint8Array && value.length === rule.bytes;
  }
}

/** @throws {SttError} `HANDSHAKE_MESSAGE` naming the first field that breaks its rule. */
export function checkFields(
  message: string,
  fields: ReadonlyMap<string, SttValue>,
  rules: FieldRules,
): void {
  for (const [name, rule] of Object.entries(rules)) {
    if (follows(rule, fields.get(name))) continue;
    const wanted = typeof rule === "string" ? rule : `${rule.bytes} bytes`;
    throw new SttError(
      "HANDSHAKE_MESSAGE",
      `cannot decode ${message}: ${name} is absent or not ${wanted}`,
    );
  }
}
