import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../codec/hex.ts";
import { encodeValue, type SttValue } from "../../codec/values.ts";
import { writeVarint } from "../../codec/varint.ts";
import { SttError } from "../../errors.ts";
import {
  decodeFolderAnswer,
  decodeFolderOffer,
  decodeFolderWord,
  encodeFolderAnswer,
  encodeFolderOffer,
  encodeFolderWord,
  type FolderAnswer,
  type FolderOffer,
  type FolderWord,
  isFolderOffer,
} from "./folder_wire.ts";
import { type Block, takeBlock } from "./wire.ts";

function blockOf(bytes: Uint8Array): Block {
  const taken = takeBlock(bytes);
  assert(taken !== undefined && taken.size === bytes.length);
  return taken.block;
}

function made(fields: Record<string, SttValue>): Block {
  const value = encodeValue(new Map(Object.entries(fields)));
  const bytes = new Uint8Array(value.length + 2);
  const prefix = writeVarint(bytes, 0, value.length);
  bytes.set(value, prefix);
  return blockOf(bytes.subarray(0, prefix + value.length));
}

const HASH = new Uint8Array(32).fill(9);

const WORDS: readonly FolderWord[] = [
  { kind: "entry", entry: { path: "a/b", size: 0, executable: false } },
  { kind: "entry", entry: { path: "run", size: 2 ** 40, executable: true } },
  { kind: "entry", entry: { path: "hollow" } },
  { kind: "prefix", n: 3, prefix: HASH },
  { kind: "data", n: 4, bytes: 1_048_576 },
  { kind: "data", n: 0, bytes: 0, sha256: HASH },
  { kind: "given-up", n: 5, refusal: { error: 0x10a, reason: "x" } },
  { kind: "end" },
];

const ANSWERS: readonly FolderAnswer[] = [
  { kind: "offset", n: 0, offset: 0 },
  { kind: "offset", n: 7, offset: 2 ** 33 },
  { kind: "kept", n: 7, kept: 1 },
  { kind: "ok", n: 0 },
  { kind: "ok" },
  { kind: "error", n: 1, refusal: { error: 0x102, reason: "there" } },
  { kind: "error", refusal: { error: 0x104, reason: "full" } },
];

test("what is encoded is decoded to the same", () => {
  const offer: FolderOffer = { name: "photos", entries: 2, bytes: 9, mode: "folder", resume: true };
  for (const each of [offer, { ...offer, resume: false }]) {
    const block = blockOf(encodeFolderOffer(each));
    assert(isFolderOffer(block));
    assert.deepEqual(decodeFolderOffer(block), each);
  }
  for (const word of WORDS) {
    assert.deepEqual(decodeFolderWord(blockOf(encodeFolderWord(word))), word);
  }
  for (const answer of ANSWERS) {
    assert.deepEqual(decodeFolderAnswer(blockOf(encodeFolderAnswer(answer))), answer);
  }
});

test("the bytes of an offer, an entry and its data are those of SPEC 12.10", () => {
  const offer: FolderOffer = { name: "a", entries: 1, bytes: 3, mode: "folder", resume: false };
  assert.equal(
    toHex(encodeFolderOffer(offer)),
    "414100000004" + "31000000056279746573" + "1003" + "3100000007656e7472696573" + "1001" +
      "31000000046e616d65" + "310000000161" + "3100000003737474" + "3100000006666f6c646572",
  );
  const entry = { path: "x", size: 3, executable: true };
  assert.equal(
    toHex(encodeFolderWord({ kind: "entry", entry })),
    "2f4100000003" + "310000000a65786563757461626c65" + "02" + "310000000470617468" +
      "310000000178" + "310000000473697a65" + "1003",
  );
  assert.equal(
    toHex(encodeFolderWord({ kind: "data", n: 0, bytes: 3 })),
    "184100000002" + "310000000464617461" + "1003" + "31000000016e" + "1000",
  );
});

test("wrong fields are refused, unknown ones ignored", () => {
  const wrong: Record<string, SttValue>[] = [
    {},
    { n: 1 },
    { n: -1, data: 1 },
    { n: 1, data: 1_048_577 },
    { n: 1, data: 1.5 },
    { n: 1, data: 3, sha256: new Uint8Array(31) },
    { n: 1, prefix: "x" },
    { n: 1, error: "x" },
    { data: 1 },
    { path: 1, size: 1 },
    { path: "x" },
    { path: "x", size: -1 },
    { path: "x", size: null },
    { path: "x", folder: true, size: -1 },
    { end: false },
  ];
  for (const fields of wrong) refused(() => decodeFolderWord(made(fields)), fields);
  const answers: Record<string, SttValue>[] = [
    {},
    { n: 1 },
    { offset: 1 },
    { n: 1, offset: -1 },
    { n: 1, kept: 0 },
    { kept: 4 },
    { n: "1", ok: true },
    { ok: false },
    { error: null },
  ];
  for (const fields of answers) refused(() => decodeFolderAnswer(made(fields)), fields);
  for (const missing of ["name", "entries", "bytes"]) {
    const fields = { stt: "folder", name: "x", entries: 1, bytes: 2, [missing]: null };
    refused(() => decodeFolderOffer(made(fields)), fields);
  }
  assert.deepEqual(decodeFolderWord(made({ n: 1, data: 2, colour: "red" })), {
    kind: "data",
    n: 1,
    bytes: 2,
  });
});

function refused(act: () => unknown, fields: unknown): void {
  assert.throws(
    act,
    (error) => error instanceof SttError && error.code === "PROTOCOL",
    JSON.stringify(fields),
  );
}
