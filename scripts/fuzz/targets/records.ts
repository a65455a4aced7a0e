/** Records of CONTROL frames (SPEC 9). @module */
import { decodeRecords } from "../../../src/codec/records.ts";
import { toHex } from "../../../src/codec/hex.ts";
import { agreed } from "../differential.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { encodeRecords, mutateRecords } from "../mutate_records.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

function run(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  agreed({ op: "records.decode", hex });
  const { records, error } = decodeRecords(bytes);
  // Each byte tells of at most one record, so what is decoded stays small.
  oracle(records.length <= bytes.length, "more records than bytes");
  const again = toHex(encodeRecords(records));
  if (error === undefined) oracle(again === hex, "they do not encode to the same bytes");
  else {oracle(
      hex.startsWith(again),
      "those before the refused one do not encode to the same bytes",
    );}
  const last = records.at(-1)?.type ?? "none";
  return error === undefined ? `ok, ${last} at the end` : `${error.code} behind ${last}`;
}

export const records: Target = {
  name: "records",
  exact: true,
  maxBytes: 1400,
  seeds: () => vectorBytes("records", "records.decode", "hex", 1400),
  mutate: (input, other, prng) =>
    prng.chance(0.6) ? mutateRecords(input, prng) : mutateWith(input, other, prng),
  run,
};
