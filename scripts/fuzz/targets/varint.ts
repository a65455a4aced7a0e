/** Varints (SPEC 1). @module */
import { toHex } from "../../../src/codec/hex.ts";
import { encodeVarint, readVarintNumber } from "../../../src/codec/varint.ts";
import { decodeVarintNaive } from "../../../src/codec/varint_naive.ts";
import { SttError } from "../../../src/errors.ts";
import { agreed, verdict } from "../differential.ts";
import { mutateWith } from "../mutate_bytes.ts";
import { oracle, type Target } from "../target.ts";
import { vectorBytes } from "../vector_inputs.ts";

function run(bytes: Uint8Array): string {
  const hex = toHex(bytes);
  const answer = agreed({ op: "varint.decode", hex, offset: 0 });
  const naive = decodeVarintNaive([...bytes]);
  if ("error" in answer) {
    oracle(naive === answer.error, () => `the slow twin says ${JSON.stringify(naive)}`);
    return verdict(answer);
  }
  oracle(typeof naive !== "string", () => `the slow twin refuses: ${naive}`);
  const { value, size } = answer.ok as { readonly value: string; readonly size: number };
  oracle(naive.value === BigInt(value) && naive.size === size, "the slow twin has another value");
  oracle(
    toHex(encodeVarint(BigInt(value))) === toHex(bytes.subarray(0, size)),
    "not the same again",
  );
  return `${size} bytes, ${asNumber(bytes, BigInt(value))}`;
}

function asNumber(bytes: Uint8Array, value: bigint): string {
  const safe = value <= BigInt(Number.MAX_SAFE_INTEGER);
  try {
    oracle(readVarintNumber(bytes, 0, bytes.length) === Number(value) && safe, "another number");
    return "safe";
  } catch (error) {
    oracle(error instanceof SttError && error.code === "VARINT_RANGE" && !safe, String(error));
    return "above 2^53-1";
  }
}

export const varint: Target = {
  name: "varint",
  exact: true,
  maxBytes: 64,
  seeds: () => vectorBytes("varint", "varint.decode", "hex", 64),
  mutate: mutateWith,
  run,
};
