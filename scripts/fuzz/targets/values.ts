/** Values (SPEC 2). @module */
import { toTyped } from "../../../conformance/adapter/notation.ts";
import { canonical } from "../../../conformance/case.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { decodeValue, encodeValue, type SttValue } from "../../../src/codec/values.ts";
import { decodeValueNaive } from "../../../src/codec/values_naive.ts";
import { SttError } from "../../../src/errors.ts";
import { agreed, verdict } from "../differential.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { mutateEncodedValue } from "../mutate_values.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

/** The slow twin copies the rest of its input at every step. */
const NAIVE_BYTES = 600;

function run(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  const lenient = verdict(agreed({ op: "value.decode", hex, canonical: false }));
  const strict = verdict(agreed({ op: "value.decode", hex, canonical: true }));
  if (bytes.length <= NAIVE_BYTES) compareNaive(bytes, lenient);
  // Limits of one's own stop what the defaults take.
  agreed({ op: "value.decode", hex, canonical: false, max_depth: 3, max_entries: 5 });
  if (lenient !== "ok") {
    oracle(strict !== "ok", "canonical decoding takes more than lenient decoding");
    return lenient;
  }
  const value = decodeValue(bytes);
  const again = encodeValue(value);
  oracle(
    (toHex(again) === hex) === (strict === "ok"),
    "canonical is what encodes to the same bytes",
  );
  // Dicts come back sorted: the bytes are what says that they are the same.
  const twice = encodeValue(decodeValue(again, { canonical: true }));
  oracle(toHex(twice) === toHex(again), "another value comes back");
  return `${strict}, ${kind(value)}`;
}

function compareNaive(bytes: Uint8Array, lenient: string): void {
  try {
    const { value, rest } = decodeValueNaive([...bytes]);
    if (rest.length > 0) oracle(lenient === "VALUE_TRAILING", `${lenient}, but bytes follow`);
    else oracle(lenient === "ok" && same(value, decodeValue(bytes)), `the slow twin takes it`);
  } catch (error) {
    if (!(error instanceof SttError)) throw error;
    const { code } = error;
    oracle(lenient === code, () => `src says ${lenient}, the slow twin ${code}`);
  }
}

function same(one: SttValue, other: SttValue): boolean {
  return canonical(toTyped(one)) === canonical(toTyped(other));
}

function kind(value: SttValue): string {
  return String(toTyped(value).t);
}

export const values: Target = {
  name: "values",
  exact: true,
  maxBytes: 2048,
  seeds: () => vectorBytes("values", "value.decode", "hex", 2048),
  mutate: (input, other, prng) =>
    prng.chance(0.5) ? mutateEncodedValue(input, prng) : mutateWith(input, other, prng),
  run,
};
