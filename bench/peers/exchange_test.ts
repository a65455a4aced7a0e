import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER, header, Server, SWALLOW } from "./exchange.ts";

function served(pieces: readonly Uint8Array[]): number[] {
  const answers: number[] = [];
  const server = new Server((bytes) => answers.push(bytes.length));
  for (const piece of pieces) server.take(piece);
  return answers;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

test("swallowed bytes are answered once, by one byte", () => {
  assert.deepEqual(served([header(SWALLOW, 0, 300), new Uint8Array(299)]), []);
  assert.deepEqual(served([header(SWALLOW, 0, 300), new Uint8Array(299), new Uint8Array(1)]), [1]);
});

test("each request gets a reply of its size, however the bytes were cut", () => {
  const conversation = joined(
    header(ANSWER, 64, 192),
    new Uint8Array(192),
    header(SWALLOW, 0, 10),
    new Uint8Array(10),
    header(ANSWER, 3, 6),
    new Uint8Array(6),
  );
  const expected = [64, 64, 64, 1, 3, 3];
  for (let size = 1; size <= conversation.length; size++) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < conversation.length; at += size) {
      pieces.push(conversation.subarray(at, at + size));
    }
    assert.deepEqual(served(pieces), expected, `pieces of ${size} bytes`);
  }
});

test("a command that nobody knows is an error", () => {
  assert.throws(() => served([header(3, 1, 1)]), /command 3/);
});
