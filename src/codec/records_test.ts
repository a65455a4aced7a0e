import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { ByteWriter } from "./byte_writer.ts";
import { fromHex, toHex } from "./hex.ts";
import { decodeRecords, recordSize, type SessionRecord, writeRecord } from "./records.ts";

type Field = { int: string } | { bytes: string };

interface Vectors {
  valid: {
    record: string;
    fields: Record<string, Field> & { ranges?: [string, string][] };
    hex: string;
  }[];
  payloads: { records: number[]; hex: string }[];
  invalid: { note: string; hex: string; before: number }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/stt1/records.json", import.meta.url), "utf8"),
) as Vectors;

/** FLOW_CREDIT and final_size in the vectors are flowCredit and finalSize here. */
function camel(name: string): string {
  return name.toLowerCase().replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function build({ record, fields }: Vectors["valid"][number]): SessionRecord {
  if (record === "PADDING") return { type: "padding", count: 1 };
  const built: Record<string, unknown> = { type: camel(record) };
  for (const [name, field] of Object.entries(fields)) {
    if (Array.isArray(field)) {
      built[name] = field.map(([low, high]: [string, string]) => [Number(low), Number(high)]);
    } else {
      const key = name === "bytes" ? "data" : name === "delay" ? "delayUs" : camel(name);
      built[key] = "int" in field ? Number(field.int) : fromHex(field.bytes);
    }
  }
  return built as unknown as SessionRecord;
}

function encode(records: SessionRecord[]): Uint8Array {
  const size = records.reduce((sum, record) => sum + recordSize(record), 0);
  const writer = new ByteWriter(new Uint8Array(size));
  for (const record of records) writeRecord(writer, record);
  assert.equal(writer.room, 0, "recordSize is exact");
  return writer.written();
}

/** Runs of padding come back as one record. */
function collapse(records: SessionRecord[]): SessionRecord[] {
  const collapsed: SessionRecord[] = [];
  for (const record of records) {
    const last = collapsed.at(-1);
    if (record.type === "padding" && last?.type === "padding") last.count += record.count;
    else collapsed.push({ ...record });
  }
  return collapsed;
}

const valid = vectors.valid.map(build);

test("records: the valid vectors hold both ways", () => {
  vectors.valid.forEach(({ hex }, index) => {
    const record = valid[index] as SessionRecord;
    assert.equal(toHex(encode([record])), hex);
    assert.deepEqual(decodeRecords(fromHex(hex)), { records: [record] });
  });
});

test("records: payloads of several hold both ways", () => {
  for (const { records, hex } of vectors.payloads) {
    const built = records.map((index) => valid[index] as SessionRecord);
    assert.equal(toHex(encode(built)), hex);
    assert.deepEqual(decodeRecords(fromHex(hex)), { records: collapse(built) });
  }
});

test("records: the invalid vectors are PROTOCOL, behind the records before them", () => {
  for (const { note, hex, before } of vectors.invalid) {
    const { records, error } = decodeRecords(fromHex(hex));
    assert.equal(error?.code, "PROTOCOL", note);
    assert.equal(error?.wire, 0x01);
    assert.equal(records.length, before, note);
    assert.match(error?.message ?? "", /^cannot decode record/);
  }
});

test("records: an error names the record, its place and the limit that was passed", () => {
  const { records, error } = decodeRecords(fromHex("01411992a4caa5c627" + "0500808008"));
  assert.equal(records.length, 1);
  assert.equal(error?.offset, 9);
  assert.equal(
    error?.message,
    "cannot decode record 05 at offset 9: reason length 131072 exceeds 256",
  );
  const cut = decodeRecords(fromHex("0190e06d"));
  assert.equal(
    cut.error?.message,
    "cannot decode record 01 at offset 0: cannot decode field: 8 bytes needed, 3 left (offset 1)",
  );
});

test("records: lengths of 2^53-1 with few bytes are refused", () => {
  for (const head of ["0500", "060000", "1001000000", "1101"]) {
    const { error } = decodeRecords(fromHex(`${head}ffffffffffffff0f`));
    assert.equal(error?.code, "PROTOCOL", head);
  }
});

test("records: padding of any length is one record", () => {
  assert.deepEqual(decodeRecords(new Uint8Array(60_000)), {
    records: [{ type: "padding", count: 60_000 }],
  });
});

test("records: byte arrays are views of the payload", () => {
  const payload = fromHex("110708646174616772616d");
  const [record] = decodeRecords(payload).records;
  assert.equal(record?.type === "datagram" && record.data.buffer, payload.buffer);
});

test("records: what its receiver would refuse is not written", () => {
  const token = new Uint8Array(7);
  const reason = new Uint8Array(257);
  const data = new Uint8Array(1);
  const max = Number.MAX_SAFE_INTEGER;
  const stream = 2 ** 32;
  const wrong: SessionRecord[] = [
    { type: "padding", count: 0 },
    { type: "ping", token },
    { type: "flowCredit", stream, limit: 0 },
    { type: "sessionClose", code: 0, reason },
    { type: "error", stream: 0, code: 0, reason },
    { type: "ack", largest: 1, delayUs: 0, ranges: [] },
    { type: "ack", largest: 2, delayUs: 0, ranges: [[0, 1]] },
    { type: "ack", largest: 1, delayUs: 0, ranges: [[2, 1]] },
    { type: "ack", largest: 9, delayUs: 0, ranges: [[5, 9], [3, 4]] },
    {
      type: "ack",
      largest: 99,
      delayUs: 0,
      ranges: [...Array(34)].map((_, i) => [99 - 2 * i, 99 - 2 * i]),
    },
    { type: "streamReset", stream: 0, code: 0, finalSize: 0 },
    { type: "streamStop", stream: 0, code: 0 },
    { type: "streamStop", stream, code: 0 },
    { type: "streamGap", stream: 0, offset: 0, length: 1 },
    { type: "streamGap", stream: 1, offset: max, length: 1 },
    { type: "streamData", stream: 0, flags: 0, kind: 0, offset: 0, data },
    { type: "streamData", stream: 1, flags: 1, kind: 0, offset: 0, data },
    { type: "streamData", stream: 1, flags: 0x80, kind: 0, offset: 0, data },
    { type: "streamData", stream: 1, flags: 0, kind: 1, offset: 0, data },
    { type: "streamData", stream: 1, flags: 0, kind: 0, offset: max, data },
    { type: "datagram", channel: stream, data },
  ];
  for (const record of wrong) {
    const writer = new ByteWriter(new Uint8Array(400));
    assert.throws(() => writeRecord(writer, record), { code: "INTERNAL" }, JSON.stringify(record));
  }
  const writer = new ByteWriter(new Uint8Array(20));
  assert.throws(() => writeRecord(writer, { type: "keyRotation", epoch: -1 }), {
    code: "VARINT_RANGE",
  });
});

const number = fc.oneof(fc.nat(300), fc.maxSafeNat());
const id = fc.integer({ min: 1, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => new Uint8Array(array));
const token = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((array) => new Uint8Array(array));
const ack = fc.tuple(
  fc.array(fc.tuple(fc.nat(70_000), fc.nat(300)), { minLength: 1, maxLength: 33 }),
  number,
).map(([steps, delayUs]): SessionRecord => {
  let next = 0;
  const ranges = steps.map(([gap, run]): [number, number] => {
    const low = next + gap;
    next = low + run + 2;
    return [low, low + run];
  }).reverse();
  return { type: "ack", largest: next - 2, delayUs, ranges };
});
const anyRecord: fc.Arbitrary<SessionRecord> = fc.oneof(
  fc.record({ type: fc.constant("padding" as const), count: fc.integer({ min: 1, max: 40 }) }),
  fc.record({
    type: fc.constantFrom("ping" as const, "pong" as const, "pathChallenge" as const),
    token,
  }),
  fc.record({
    type: fc.constantFrom("flowCredit" as const, "blocked" as const),
    stream: fc.nat(0xffff_ffff),
    limit: number,
  }),
  fc.record({ type: fc.constant("sessionClose" as const), code: number, reason: bytes }),
  fc.record({
    type: fc.constant("error" as const),
    stream: fc.nat(9),
    code: number,
    reason: bytes,
  }),
  ack,
  fc.record({
    type: fc.constant("streamReset" as const),
    stream: id,
    code: number,
    finalSize: number,
  }),
  fc.record({
    type: fc.constant("streamData" as const),
    stream: id,
    flags: fc.constantFrom(0, 2, 4, 8, 0x3e),
    kind: fc.constantFrom(0, 2, 4, 5, 6),
    offset: fc.nat(),
    data: bytes,
  }),
  fc.record({ type: fc.constant("datagram" as const), channel: fc.nat(0xffff_ffff), data: bytes }),
);

test("records: any records come back", () => {
  const lists = fc.array(anyRecord, { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(lists, (records) => {
      assert.deepEqual(decodeRecords(encode(records)), { records: collapse(records) });
    }),
    { numRuns: 300 },
  );
});

test("records: any bytes give records or PROTOCOL, and what was read writes back the same", () => {
  const type = fc.nat(0x12);
  const soup = fc.array(fc.oneof(type, fc.nat(255), fc.constant(0)), { maxLength: 60 });
  fc.assert(
    fc.property(soup, (list) => {
      const payload = Uint8Array.from(list);
      const { records, error } = decodeRecords(payload);
      if (records.length > 0) {
        const again = encode(records);
        assert.deepEqual(again, payload.subarray(0, again.length));
      }
      assert.equal(error === undefined ? "PROTOCOL" : error.code, "PROTOCOL");
    }),
    { numRuns: 3000 },
  );
});
