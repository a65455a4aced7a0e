import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { fromHex, toHex } from "./hex.ts";
import {
  isStreamKind,
  parseStreamPayload,
  StreamPayload,
  streamPayloadHeaderSize,
  writeStreamPayloadHeader,
} from "./stream_payload.ts";

interface Vectors {
  streams: { kind: number; offset: string; data: string; hex: string }[];
  streams_invalid: { note: string; hex: string }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/stt1/records.json", import.meta.url), "utf8"),
) as Vectors;

test("stream payload: the vectors hold both ways", () => {
  for (const { kind, offset, data, hex } of vectors.streams) {
    const payload = fromHex(hex);
    const parsed = parseStreamPayload(payload, new StreamPayload());
    assert.equal(parsed.kind, kind);
    assert.equal(parsed.offset, Number(offset));
    assert.equal(toHex(parsed.data), data);
    assert.equal(parsed.data.buffer, payload.buffer, "data is a view");
    const target = new Uint8Array(payload.length + 1);
    const next = writeStreamPayloadHeader(target, 1, kind, Number(offset));
    assert.equal(next - 1, streamPayloadHeaderSize(Number(offset)));
    target.set(fromHex(data), next);
    assert.equal(toHex(target.subarray(1)), hex);
  }
});

test("stream payload: the invalid vectors are PROTOCOL and leave the target alone", () => {
  for (const { note, hex } of vectors.streams_invalid) {
    const into = new StreamPayload();
    into.kind = 4;
    into.offset = 99;
    assert.throws(() => parseStreamPayload(fromHex(hex), into), { code: "PROTOCOL" }, note);
    assert.deepEqual([into.kind, into.offset, into.data.length], [4, 99, 0], note);
  }
});

test("stream payload: five kinds exist", () => {
  const kinds = Array.from({ length: 256 }, (_, kind) => kind).filter(isStreamKind);
  assert.deepEqual(kinds, [0, 2, 4, 5, 6]);
  const target = new Uint8Array(16);
  assert.throws(() => writeStreamPayloadHeader(target, 0, 1, 0), { code: "INTERNAL" });
  assert.throws(() => writeStreamPayloadHeader(target, 16, 0, 0), { code: "INTERNAL" });
  assert.throws(() => writeStreamPayloadHeader(target, 15, 0, 0), { code: "INTERNAL" });
});

test("stream payload: random bytes only ever throw PROTOCOL", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 12 }), (bytes) => {
    try {
      parseStreamPayload(bytes, new StreamPayload());
    } catch (error) {
      assert.ok(error instanceof SttError && error.code === "PROTOCOL", String(error));
    }
  }));
});
