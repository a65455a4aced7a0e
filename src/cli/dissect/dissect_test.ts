import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { fromHex, toHex } from "../../codec/hex.ts";
import { encodeFrame } from "../../codec/frame.ts";
import { ByteWriter } from "../../codec/byte_writer.ts";
import { writeRecord } from "../../codec/records.ts";
import { encodeValue, Float, type SttValue } from "../../codec/values.ts";
import { withFolder } from "../../endpoint/files/folder_for_test.ts";
import { runCommand } from "../io_for_test.ts";
import { dissect, type DissectAs } from "./dissect.ts";
import { hasFault, renderNote } from "./note.ts";

function text(bytes: Uint8Array, as: DissectAs = "auto"): string {
  return dissect(bytes, as).flatMap((tree) => renderNote(tree)).join("\n");
}

/** Every hexadecimal string of the handshake vectors that is a frame. */
function frames(): Uint8Array[] {
  const url = new URL("../../../vectors/stt1/handshake.json", import.meta.url);
  const found = readFileSync(url, "utf8").match(/"5354(?:[0-9a-f]{2}){31,}"/g) ?? [];
  return found.map((quoted) => fromHex(quoted.slice(1, -1)));
}

/** Of a HANDSHAKE frame. */
const HEADER = {
  type: 5,
  flags: 0,
  sessionId: new Uint8Array(8),
  sequence: 0,
  timestamp: 0,
  streamId: 0,
  metadata: new Uint8Array(0),
};

test("handshake messages are told in words", () => {
  const all = frames().map((frame) => text(frame)).join("\n");
  for (
    const phrase of [
      "HANDSHAKE frame: ",
      "HELLO: the initiator asks for a session",
      "RESPONSE: the responder proves the seed and its identity",
      "AUTH_PROOF: the initiator proves its identity",
      "FINAL: the responder confirms the session",
      "RETRY: the responder asks for another HELLO",
      "(x25519-chacha20poly1305-sha256",
      "ciphertext: ",
      "epoch: 0",
    ]
  ) {
    assert(all.includes(phrase), `missing: ${phrase}`);
  }
});

test("the header of a frame is told field by field", () => {
  const frame = encodeFrame({
    type: 3,
    flags: 0x16,
    sessionId: fromHex("0102030405060708"),
    sequence: 7,
    timestamp: 0,
    streamId: 4,
    metadata: Uint8Array.of(1),
    payload: new Uint8Array(20).fill(0xaa),
  });
  assert.equal(
    text(Uint8Array.from([...frame, 0x53])),
    [
      "STREAM frame: 55 bytes  @0",
      "  type: 03 STREAM",
      "  flags: 16 INIT, END, PRIORITY HIGH",
      "  session id: 0102030405060708",
      "  sequence: 7",
      "  timestamp: 0 (none)",
      "  stream id: 4 (opened by the responder)",
      "  epoch: 1",
      `  ciphertext: 4 bytes, tag ${"aa".repeat(16)}`,
      "! frame: cannot decode frame: it ends after 1 bytes (offset 55)  @55",
    ].join("\n"),
  );
});

test("values and records are told too", () => {
  const value = encodeValue({ a: [1, -0, "x\x1b", null, new Uint8Array(2)], b: 2n ** 63n });
  assert.equal(
    text(value),
    [
      "value: dict, 2 entries  @0",
      '  "a": list, 5 entries',
      "    [0]: int 1",
      "    [1]: float -0",
      '    [2]: string "x\\u001b"',
      "    [3]: null",
      "    [4]: bytes 0000 (2 bytes)",
      '  "b": int 9223372036854775808',
    ].join("\n"),
  );
  assert.equal(
    text(fromHex("0102030405060708090514036f6666"), "records"),
    [
      "PING",
      "  token: 0203040506070809",
      "SESSION_CLOSE",
      "  code: 0x14 REFUSED: the peer refused the session",
      '  reason: "off"',
    ].join("\n"),
  );
});

test("a message without its frame is told, with what it lacks", () => {
  const message = new Map<string, SttValue>([
    ["type", "HELLO"],
    ["timestamp", 1_700_000_000_000],
    ["suites", [1, 2, 9]],
    ["suite", 2],
    ["unknown", 1.5],
  ]);
  const told = text(encodeValue(message));
  for (
    const phrase of [
      "HELLO: the initiator asks for a session",
      "2023-11-14T22:13:20.000Z",
      "x25519-chacha20poly1305-sha256, x25519-aes256gcm-sha256, unknown 9",
      "unknown: float 1.5",
      "frame: none: a bare value",
    ]
  ) assert(told.includes(phrase), `${phrase} is not in ${told}`);
  const never = text(encodeValue(new Map(message).set("timestamp", 2 ** 53 - 1)));
  assert.match(never, /timestamp: int 9007199254740991/);
});

test("names that every object has are no messages, suites or codes", () => {
  for (const name of ["constructor", "toString", "__proto__"]) {
    const payload = encodeValue(
      new Map<string, SttValue>([
        ["type", name],
        [name, name],
        ["suite", name],
        ["suites", [name, 9, [1]]],
        ["code", name],
      ]),
    );
    const [tree] = dissect(encodeFrame({ ...HEADER, payload }));
    assert(tree !== undefined);
    const shown = renderNote(tree).join("\n");
    assert.doesNotMatch(shown, /native code|\[object/);
    assert.match(shown, /message of unknown type\n/);
    assert.match(shown, /list, 3 entries {2}\(no number, unknown 9, no number; /);
  }
});

test("floats, long lists, and what canonical encoding refuses", () => {
  const value = encodeValue([new Float(2), new Float(-0), Number.NaN, true]);
  assert.match(text(value, "value"), /float 2\.0\n.*float -0\n.*float NaN/);
  assert.match(
    text(fromHex("217ff0000000000001"), "value"),
    /float NaN with bits 7ff0000000000001/,
  );
  assert.match(text(encodeValue(new Array(300).fill(1)), "value"), /…: 44 more$/);
  assert.match(text(fromHex("110005"), "value"), /not canonical: /);
  assert.match(text(fromHex("10ff00"), "value"), /trailing: 1 bytes follow the value/);
});

test("records by the thousand are cut, and acknowledgements show their ranges", () => {
  const many = new Uint8Array(9 * 10_001).map((_, index) => index % 9 === 0 ? 1 : 7);
  assert.match(text(many, "records"), /…: 1 more$/);
  const writer = new ByteWriter(new Uint8Array(64));
  writeRecord(writer, { type: "ack", largest: 9, delayUs: 5, ranges: [[8, 9], [1, 3]] });
  assert.match(
    text(writer.written(), "records"),
    /ACK\n.*largest: 9\n.*delay.*5\n.*ranges: 8-9, 1-3/,
  );
  assert.match(text(Uint8Array.of(0x01, 2), "records"), /! record: /);
});

test("no input makes it throw, and faults are found", () => {
  const forms: DissectAs[] = ["auto", "frames", "value", "records"];
  const anything = fc.uint8Array({ maxLength: 300 });
  const nearlyFrames = fc.tuple(fc.constantFrom(...frames()), anything, fc.nat(400)).map(
    ([frame, noise, at]) => {
      const bytes = frame.slice();
      bytes.set(noise.subarray(0, Math.max(0, bytes.length - at)), Math.min(at, bytes.length));
      return bytes;
    },
  );
  fc.assert(fc.property(fc.oneof(anything, nearlyFrames), (bytes) => {
    for (const form of forms) {
      for (const line of text(bytes, form).split("\n")) assert(!/\p{Cc}/u.test(line));
    }
  }));
  assert(dissect(new Uint8Array(0)).some(hasFault));
  assert(dissect(Uint8Array.of(0xee)).some(hasFault));
  for (const frame of frames().slice(0, 3)) {
    assert(dissect(frame.subarray(0, frame.length - 1)).some(hasFault));
  }
});

test("deep values are told without harm", () => {
  const deep = Uint8Array.from([
    ...Array.from({ length: 10_000 }, () => [0x40, 0, 0, 0, 1]).flat(),
    0,
  ]);
  assert.match(text(deep), /depth 65 exceeds 64/);
});

test("the command takes hexadecimal, files of bytes or text, and standard input", async () => {
  const hex = toHex(encodeValue({ n: 5 }));
  const expected = 'value: dict, 1 entry  @0\n  "n": int 5\n';
  assert.equal((await runCommand(["decode", hex])).stdout, expected);
  assert.equal((await runCommand(["decode", hex.replace(/(..)/g, "$1 ")])).stdout, expected);
  await withFolder(async (folder) => {
    const [bytes, spelled] = [join(folder, "bytes"), join(folder, "text")];
    await writeFile(bytes, fromHex(hex));
    await writeFile(spelled, `${hex.slice(0, 8)}\n${hex.slice(8)}\n`);
    for (const path of [bytes, spelled]) {
      assert.equal((await runCommand(["decode", path])).stdout, expected);
    }
    assert.equal((await runCommand(["decode", join(folder, "none")])).exit, 5);
  });
  assert.equal((await runCommand(["decode", "-"], { stdin: fromHex(hex) })).stdout, expected);
  const broken = await runCommand(["decode", `${hex}00`]);
  assert.equal(broken.exit, 6);
  assert.match(broken.stdout, /! trailing: 1 bytes follow the value/);
  const json = await runCommand(["decode", hex, "--json"]);
  assert.equal((JSON.parse(json.stdout) as { label: string }).label, "value");
});
