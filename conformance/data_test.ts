import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Case } from "./case.ts";
import { loadData } from "./data/files.ts";
import type { Entry } from "./data/section.ts";
import { runCases } from "./runner.ts";
import { TwinImplementation } from "./twin_implementation.ts";

function read(path: string): Entry {
  return JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), "utf8"));
}

/** Runs `use` on a directory with these files. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  use: (directory: string) => Promise<void> | void,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "stt-conformance-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(directory, name, ".."), { recursive: true });
      writeFileSync(join(directory, name), text);
    }
    await use(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function failures(cases: readonly Case[]): Promise<number> {
  const results = await runCases(cases, new TwinImplementation());
  return results.filter(({ verdict }) => verdict === "fail").length;
}

/** A value that is wrong in the smallest way. */
function spoilt(value: unknown): unknown {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  const text = String(value);
  const at = Math.floor(text.length / 2);
  const digit = text[at] ?? "";
  if (!/[0-9a-f]/.test(digit)) return `${text}00`;
  return text.slice(0, at) + (digit === "1" ? "2" : "1") + text.slice(at + 1);
}

/** File, and paths to leaves whose change must be found. */
const PLANTED: readonly (readonly [string, readonly string[]])[] = [
  ["reference/varint.json", [
    "valid.5.hex",
    "valid.6.value",
    "valid.7.size",
    "decode_only.0.value",
    "decode_only.8.bytes_consumed",
    "decode_overflow_accepted.1.value",
    "encode_above_64_bits.0.hex",
    "encode_above_64_bits.1.size",
    "encode_above_64_bits.2.decode.ok.0",
  ]],
  ["reference/values.json", [
    "valid.1.hex",
    "valid.11.value.v",
    "valid.26.value.ieee754_be_hex",
    "valid.55.value.entries.0.0",
    "decode_cases.1.result.ok.v",
    "decode_cases.5.result.ok.hex",
    "decode_cases.37.result.ok.entries.0.1.v",
    "decode_cases.40.hex_repeat.times",
  ]],
  ["reference/frames.json", [
    "valid.0.hex",
    "valid.1.frame.payload",
    "valid.2.frame.sequence",
    "valid.3.consumed",
    "valid.4.associated_data",
    "valid.5.decoded_is_encrypted",
    "size_limit.0.encoded_sha256",
    "size_limit.1.encoded_prefix_hex",
    "size_limit.1.encoded_length",
    "size_limit.2.body_length",
    "decode_over_limit.encoded_sha256",
    "decode_over_limit.consumed",
    "concatenated.frames.1.offset",
    "concatenated.frames.2.frame.frame_type",
    "decode_cases.35.result.ok.consumed",
    "constructor_cases.12.result.ok",
  ]],
  ["reference/handshake_messages.json", [
    "cases.0.session_id",
    "cases.1.initiator_nonce",
    "cases.2.HELLO.hex",
    "cases.3.RESPONSE.fields.challenge.bytes",
    "cases.4.AUTH_PROOF.fields.timestamp.int",
    "cases.5.FINAL.fields.type.text",
  ]],
  ["noise/noise.json", [
    "vectors.0.handshake_hash",
    "vectors.3.messages.1.ciphertext",
    "vectors.9.messages.5.ciphertext",
    "vectors.12.init_psks.0",
    "vectors.26.resp_static",
  ]],
  ["stt1/records.json", [
    "valid.1.hex",
    "valid.9.fields.limit.int",
    "valid.33.fields.ranges.1.0",
    "payloads.0.hex",
    "payloads.1.records.0",
    "invalid.2.before",
    "streams.1.hex",
    "streams.2.offset",
  ]],
  ["stt1/handshake.json", [
    "cases.0.messages.HELLO.frame",
    "cases.0.messages.RESPONSE.value",
    "cases.1.messages.AUTH_PROOF.fields.proof.bytes",
    "cases.1.messages.FINAL.fields.confirmation.bytes",
    "cases.0.derived.h_2",
    "cases.0.derived.traffic_i2r",
    "cases.2.derived.out3",
    "cases.2.pair_key",
    "cases.3.retry.frame",
    "cases.4.export.output",
    "cases.5.parameters.seen_by_initiator.max_idle.int",
    "cases.0.epochs.r2i.2.iv",
    "cases.1.frames.i2r.3.frame",
    "cases.1.frames.r2i.4.nonce",
    "cases.6.frames.r2i.5.plaintext",
    "cases.0.refusals.3.expect",
    "cases.0.refusals.4.offset",
    "cases.0.refusals.14.answer",
    "cases.1.frame_refusals.0.expect",
    "cases.1.frame_refusals.12.accepted",
    "retries.0.frame",
    "retries.1.retry_key",
    "retries.4.cookie.cookie",
  ]],
];

for (const [path, leaves] of PLANTED) {
  test(`a wrong value anywhere in ${path} is found`, async () => {
    const content = read(path);
    for (const leaf of leaves) {
      const copy = structuredClone(content);
      const keys = leaf.split(".");
      const last = keys.pop() as string;
      const parent = keys.reduce((value, key) => value[key], copy);
      assert.notEqual(parent[last], undefined, `${path} has no ${leaf}`);
      parent[last] = spoilt(parent[last]);
      await withFiles({ [path]: JSON.stringify(copy) }, async (directory) => {
        // The place of the error is enough: section, and entry.
        const place = `/${leaf.split(".").slice(0, 2).join("/")}`;
        const nested = /^cases\.\d+\.(frame_)?refusals\.\d+/.exec(leaf)?.[0].replaceAll(".", "/");
        const cases = loadData(directory).cases.filter(({ id }) =>
          nested === undefined
            ? `${id}/`.includes(`${place}/`) && !/\/(frame_)?refusals\//.test(id) ||
              /concatenated|over_limit/.test(id)
            : `${id}/`.includes(`/${nested}/`)
        );
        assert.notEqual(await failures(cases), 0, `${path}: ${leaf}`);
      });
    }
  });
}

test("files are known with any prefix, at any depth, and by their content", async () => {
  const varint = JSON.stringify(read("reference/varint.json"));
  const records = JSON.stringify(read("stt1/records.json"));
  await withFiles({
    "a/b/stt1_records.json": records,
    "my_varint.json": varint,
    "c/other.json": varint,
    "notes.txt": "",
  }, (directory) => {
    const { files, skipped } = loadData(directory);
    assert.deepEqual(files.map(({ path }) => path), [
      "a/b/stt1_records.json",
      "c/other.json",
      "my_varint.json",
    ]);
    assert.ok(files.every(({ cases }) => cases > 50));
    assert.deepEqual(skipped, []);
  });
});

test("what cannot be read fails, and what is of another kind is named", async () => {
  const odd = { ...read("reference/varint.json"), surprises: [1] };
  await withFiles({
    "varint.json": JSON.stringify(odd),
    "values.json": "{",
    "frames.json": JSON.stringify({ valid: [{ frame: {}, hex: "zz" }], size_limit: 5 }),
    "noise.json": JSON.stringify({ vectors: [] }),
    "else.json": JSON.stringify({ a: 1 }),
  }, async (directory) => {
    const { cases, skipped } = loadData(directory);
    assert.deepEqual(skipped.map(({ path }) => path), ["else.json"]);
    const results = await runCases(cases, new TwinImplementation());
    const failed = results.filter(({ verdict }) => verdict === "fail").map(({ id }) => id).sort();
    assert.deepEqual(failed, [
      "0-noise.json",
      "0-values.json",
      "1-varint.json/surprises",
      "3-frames.json/size_limit",
      "3-frames.json/valid/0/decode",
      "3-frames.json/valid/0/encode",
    ]);
  });
});
