/** Data of the schema of vectors/reference/varint.json. @module */
import type { Case, Check } from "../case.ts";
import { hex, unhex } from "../twin/bytes.ts";
import { decodeVarint, decodeVarintLax, encodeVarint, encodeVarintLax } from "../twin/varint.ts";
import { asTwin, attempt } from "./expect.ts";
import { type DataFile, type Entry, type EntryCase, FileCases } from "./section.ts";

export function varintCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "1");
  cases.list("valid", valid);
  // What the reference does with odd input must be what the data say; what SPEC 1 says decides.
  cases.list("decode_only", (entry) => [decode(entry, accepted(entry))]);
  cases.list("decode_overflow_accepted", (entry) => [decode(entry, accepted(entry))]);
  cases.list("invalid_decode", (entry) => {
    if (entry.op !== undefined && entry.op !== "decode") throw new Error(`op ${entry.op}`);
    return [decode(entry, "refused")];
  });
  cases.list("invalid_encode", (entry) => [invalidEncode(entry)]);
  cases.list("encode_above_64_bits", aboveRange);
  return cases.finish();
}

function valid(entry: Entry): EntryCase[] {
  const encoded = (): string => {
    const made = attempt(() => hex(encodeVarint(BigInt(entry.value))));
    return "value" in made ? made.value : made.refused;
  };
  return [
    {
      name: "encode",
      run: async (check) => {
        check.data(entry.hex, encoded(), "hex");
        await check.gives({ op: "varint.encode", value: entry.value }, { hex: entry.hex });
        if (entry.size === undefined) return;
        check.data(entry.size, entry.hex.length / 2, "size");
        await check.gives({ op: "varint.size", value: entry.value }, { size: entry.size });
      },
    },
    {
      name: "decode",
      run: async (check) => {
        check.data(entry.hex, encoded(), "hex");
        const size = entry.hex.length / 2;
        await check.gives({ op: "varint.decode", hex: entry.hex }, { value: entry.value, size });
      },
    },
  ];
}

function accepted(entry: Entry): { value: string; size: number } {
  return { value: String(entry.value), size: entry.bytes_consumed };
}

function decode(entry: Entry, claim: { value: string; size: number } | "refused"): EntryCase {
  return {
    run: async (check) => {
      const offset = entry.offset ?? 0;
      const lax = attempt(() => decodeVarintLax(unhex(entry.hex), offset));
      check.data(
        claim,
        "value" in lax ? { value: lax.value.value.toString(), size: lax.value.size } : "refused",
        "the reference's result",
      );
      const strict = attempt(() => decodeVarint(unhex(entry.hex), offset));
      if ("value" in strict) {
        check.data(
          claim,
          { value: strict.value.value.toString(), size: strict.value.size },
          "value",
        );
      }
      await asTwin(check, { op: "varint.decode", hex: entry.hex, offset });
    },
  };
}

function invalidEncode(entry: Entry): EntryCase {
  return {
    run: async (check: Check) => {
      check.data(
        "refused",
        "refused" in attempt(() => encodeVarint(BigInt(entry.value))) ? "refused" : "encoded",
        "the result",
      );
      check.isTrue(["encode", "size"].includes(entry.op), `data mismatch: op ${entry.op}`);
      const op = entry.op === "size" ? "varint.size" : "varint.encode";
      await check.refuses({ op, value: entry.value }, "VARINT_RANGE");
    },
  };
}

function aboveRange(entry: Entry): EntryCase[] {
  const claim = (check: Check): void => {
    check.data(entry.hex, hex(encodeVarintLax(BigInt(entry.value))), "hex");
    if (entry.size !== undefined) check.data(entry.size, entry.hex.length / 2, "size");
  };
  const decoded = entry.decode;
  return [
    {
      name: "encode",
      run: async (check) => {
        claim(check);
        await asTwin(check, { op: "varint.encode", value: entry.value });
        await asTwin(check, { op: "varint.size", value: entry.value });
      },
    },
    {
      name: "decode",
      run: async (check) => {
        claim(check);
        if (decoded !== undefined) {
          const lax = attempt(() => decodeVarintLax(unhex(entry.hex)));
          check.data(
            decoded.ok ?? "refused",
            "value" in lax ? [lax.value.value.toString(), String(lax.value.size)] : "refused",
            "the reference's result",
          );
        }
        await asTwin(check, { op: "varint.decode", hex: entry.hex });
      },
    },
  ];
}
