import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { ByteReader } from "./byte_reader.ts";
import { ByteWriter } from "./byte_writer.ts";

const U64 = fc.bigInt(0n, 2n ** 64n - 1n);

function narrow(value: bigint): number | bigint {
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

test("byte reader: reads back what the writer wrote, and so does a DataView", () => {
  const fields = fc.tuple(
    fc.nat(0xff),
    fc.nat(0xffff),
    fc.nat(0xffff_ffff),
    U64,
    fc.uint8Array({ maxLength: 9 }),
    fc.maxSafeNat(),
    fc.nat(5),
  );
  fc.assert(fc.property(fields, ([u8, u16, u32, u64, bytes, varint, start]) => {
    const writer = new ByteWriter(new Uint8Array(64), start);
    writer.u8(u8);
    writer.u16(u16);
    writer.u32(u32);
    writer.u64(u64);
    writer.u64(narrow(u64));
    writer.bytes(bytes);
    writer.varint(varint);
    const written = writer.written();
    assert.equal(written.length, writer.offset - start);
    assert.equal(writer.room, 64 - writer.offset);
    const view = new DataView(written.buffer, written.byteOffset);
    assert.equal(view.getUint16(1), u16);
    assert.equal(view.getUint32(3), u32);
    assert.equal(view.getBigUint64(7), u64);
    const reader = new ByteReader(new Uint8Array([9, ...written, 9]), 1, written.length + 1);
    assert.equal(reader.u8(), u8);
    assert.equal(reader.u16(), u16);
    assert.equal(reader.u32(), u32);
    assert.equal(reader.u64(), narrow(u64));
    assert.equal(reader.u64(), narrow(u64));
    assert.deepEqual(reader.bytes(bytes.length), new Uint8Array(bytes));
    assert.equal(reader.varint(), varint);
    assert.equal(reader.remaining, 0);
  }));
});

test("byte reader: never passes its end, even inside a longer array", () => {
  const reads: ((reader: ByteReader) => unknown)[] = [
    (reader) => reader.u8(),
    (reader) => reader.u16(),
    (reader) => reader.u32(),
    (reader) => reader.u64(),
    (reader) => reader.bytes(1),
    (reader) => reader.bytes(2 ** 32 - 1),
    (reader) => reader.bytes(-1),
  ];
  for (const read of reads) {
    const reader = new ByteReader(new Uint8Array(16), 3, 3);
    assert.throws(() => read(reader), { code: "BYTES_INCOMPLETE", offset: 3 });
    assert.equal(reader.offset, 3, "a refused read moves nothing");
  }
  const varint = new ByteReader(new Uint8Array([0x80, 0x01]), 0, 1);
  assert.throws(() => varint.varint(), { code: "VARINT_INCOMPLETE" });
  const large = new ByteReader(new Uint8Array([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]));
  assert.throws(() => large.varint(), { code: "VARINT_RANGE" });
});

test("byte reader: an end behind the array counts for nothing", () => {
  const reader = new ByteReader(new Uint8Array(1), 0, 99);
  assert.equal(reader.remaining, 1);
});

test("byte reader: bytes are views", () => {
  const bytes = new Uint8Array([1, 2, 3]);
  assert.equal(new ByteReader(bytes, 1).bytes(2).buffer, bytes.buffer);
});

test("byte writer: no room and no fit are bugs of the caller, and nothing is written", () => {
  const writes: ((writer: ByteWriter) => void)[] = [
    (writer) => writer.u8(256),
    (writer) => writer.u8(-1),
    (writer) => writer.u8(0.5),
    (writer) => writer.u16(65_536),
    (writer) => writer.u16(1),
    (writer) => writer.u32(1),
    (writer) => writer.u64(1),
    (writer) => writer.u64(-1n),
    (writer) => writer.u64(2n ** 64n),
    (writer) => writer.u64(2 ** 53),
    (writer) => writer.bytes(new Uint8Array(2)),
    (writer) => writer.varint(128),
  ];
  for (const write of writes) {
    const target = new Uint8Array(3).fill(0xee);
    const writer = new ByteWriter(target.subarray(0, 2), 1);
    assert.throws(() => write(writer), (error) => error instanceof SttError);
    assert.deepEqual([...target], [0xee, 0xee, 0xee]);
    assert.equal(writer.offset, 1);
  }
});
