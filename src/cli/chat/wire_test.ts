import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../../errors.ts";
import {
  decodeJoin,
  decodeLine,
  decodeSaid,
  encodeJoin,
  encodeLine,
  LINE_MAX_BYTES,
  piecesOf,
} from "./wire.ts";

const encoder = new TextEncoder();
const isProtocol = (error: unknown): boolean =>
  error instanceof SttError && error.code === "PROTOCOL";

test("the messages are those of SPEC 12.8", () => {
  assert.equal(new TextDecoder().decode(encodeJoin("bob")), "stt-chat/1\nbob");
  assert.equal(new TextDecoder().decode(encodeLine({ from: "bob", text: "hi" })), "bob\nhi");
  assert.equal(decodeJoin(encodeJoin("")), "");
  assert.equal(decodeJoin(encodeJoin("bob")), "bob");
  assert.deepEqual(decodeLine(encoder.encode("\nbob left")), { from: "", text: "bob left" });
  assert.deepEqual(decodeLine(encoder.encode("a\nb\nc")), { from: "a", text: "b\nc" });
});

test("what is none of a chat is told apart or refused", () => {
  for (const other of ["", "stt-chat/1", "stt-chat/2\nbob", "hello"]) {
    assert.equal(decodeJoin(encoder.encode(other)), undefined, other);
  }
  assert.equal(decodeJoin(new Uint8Array(10_000)), undefined);
  const broken = Uint8Array.of(...encodeJoin(""), 0xff);
  assert.throws(() => decodeJoin(broken), isProtocol);
  assert.throws(() => decodeSaid(new Uint8Array(0)), isProtocol);
  assert.throws(() => decodeSaid(new Uint8Array(LINE_MAX_BYTES + 1).fill(0x61)), isProtocol);
  assert.throws(() => decodeSaid(Uint8Array.of(0xc0)), isProtocol);
  assert.throws(() => decodeLine(encoder.encode("no line feed")), isProtocol);
  assert.throws(() => decodeLine(new Uint8Array(10_000)), isProtocol);
});

test("long text goes in pieces that are lines of their own and lose no character", () => {
  assert.deepEqual(piecesOf(""), []);
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 30 }), (part) => {
      const text = part.repeat(500);
      const pieces = piecesOf(text);
      assert(pieces.every(({ length }) => length > 0 && length <= LINE_MAX_BYTES));
      assert.equal(pieces.map((piece) => decodeSaid(piece)).join(""), text);
    }),
    { numRuns: 20 },
  );
});
