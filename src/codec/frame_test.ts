import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { FRAME_MAX_BODY } from "../constants.ts";
import { type ErrorCode, SttError } from "../errors.ts";
import { decodeExactFrame, decodeFrame, encodeFrame, type Frame } from "./frame.ts";
import { decodeFrameNaive, encodeFrameNaive } from "./frame_naive.ts";
import { fromHex, toHex } from "./hex.ts";

interface Described {
  frame_type: number;
  flags: number;
  session_id: string;
  sequence: string;
  timestamp: string;
  stream_id: number;
  crypto_metadata: string | null;
  payload: string;
}

interface Vectors {
  valid: { note: string; frame: Described; hex: string; consumed: number }[];
  size_limit: {
    frame: Described;
    payload_fill: string;
    payload_length: number;
    encoded_length?: number;
    encoded_sha256?: string;
    encoded_prefix_hex?: string;
    result: unknown;
  }[];
  decode_over_limit: { body_length: number };
  concatenated: { hex: string; frames: { offset: number; consumed: number; frame: Described }[] };
  decode_cases: { hex: string; note: string; result: { ok?: { frame: Described } } }[];
}

const vectors = JSON.parse(
  readFileSync(new URL("../../vectors/reference/frames.json", import.meta.url), "utf8"),
) as Vectors;

const EMPTY = new Uint8Array(0);
const SAMPLE: Frame = {
  type: 1,
  flags: 2,
  sessionId: fromHex("0102030405060708"),
  sequence: 7,
  timestamp: 1_731_000_000_000,
  streamId: 9,
  metadata: fromHex("aabbcc"),
  payload: fromHex("11223344"),
};

function narrow(text: string): number | bigint {
  const value = BigInt(text);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
}

function build(described: Described): Frame {
  return {
    type: described.frame_type,
    flags: described.flags,
    sessionId: fromHex(described.session_id),
    sequence: narrow(described.sequence),
    timestamp: narrow(described.timestamp),
    streamId: described.stream_id,
    metadata: fromHex(described.crypto_metadata ?? ""),
    payload: fromHex(described.payload),
  };
}

function codeOf(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    if (error instanceof SttError) return error.code;
    throw error;
  }
}

test("frame: the reference's valid vectors hold both ways", () => {
  for (const { note, frame, hex, consumed } of vectors.valid) {
    const built = build(frame);
    assert.equal(toHex(encodeFrame(built)), hex, note);
    assert.deepEqual(decodeFrame(fromHex(hex)), { frame: built, size: consumed }, note);
    assert.deepEqual(decodeFrame(fromHex(`ff${hex}ff`), { offset: 1 }).frame, built, note);
    assert.deepEqual(decodeExactFrame(fromHex(hex)), built, note);
  }
});

test("frame: the body limit of 2 MiB, encoding and decoding", () => {
  for (const vector of vectors.size_limit) {
    const payload = new Uint8Array(vector.payload_length).fill(
      parseInt(vector.payload_fill, 16),
    );
    const frame = { ...build(vector.frame), payload };
    if (vector.result !== "ok") {
      assert.throws(() => encodeFrame(frame), { code: "FRAME_TOO_LARGE", limit: FRAME_MAX_BODY });
      continue;
    }
    const bytes = encodeFrame(frame);
    assert.equal(bytes.length, vector.encoded_length);
    assert.equal(createHash("sha256").update(bytes).digest("hex"), vector.encoded_sha256);
    assert.equal(decodeExactFrame(bytes).payload.length, vector.payload_length);
  }
  // The reference decodes 3 MiB; SPEC 3 does not, and cannot be talked into it.
  const bytes = fromHex("5354dfffbf01");
  assert.throws(() => decodeFrame(bytes, { maxBody: 2 ** 31 }), {
    code: "FRAME_TOO_LARGE",
    offset: 2,
    limit: FRAME_MAX_BODY,
    message: "cannot decode frame: body length 3145695 exceeds 2097152 (offset 2)",
  });
  assert.equal(vectors.decode_over_limit.body_length, 3_145_759);
});

test("frame: frames back to back", () => {
  const bytes = fromHex(vectors.concatenated.hex);
  let offset = 0;
  for (const expected of vectors.concatenated.frames) {
    assert.equal(offset, expected.offset);
    const { frame, size } = decodeFrame(bytes, { offset });
    assert.deepEqual(frame, build(expected.frame));
    offset += size;
  }
  assert.equal(offset, bytes.length);
  const end = vectors.concatenated.frames[1]?.offset as number;
  assert.throws(() => decodeExactFrame(bytes), { code: "FRAME_TRAILING", offset: end });
});

test("frame: odd input of the reference's decoder, judged by SPEC 3", () => {
  const codes: [RegExp, ErrorCode][] = [
    [/^valid frame cut|^magic only|^empty|cut$/, "FRAME_INCOMPLETE"],
    [/magic reversed|lower-case|^zeros|garbage/, "FRAME_MAGIC"],
    [/^length 0|^length 29|^length 30/, "FRAME_TOO_SMALL"],
    [/^length varint of 11|^length 2\^64/, "FRAME_LENGTH"],
    [/starts inside the frame and ends outside|varint of 11/, "FRAME_METADATA_LENGTH"],
    [/no bytes left in the frame|longer than the frame/, "FRAME_METADATA_OVERRUN"],
  ];
  for (const { hex, note, result } of vectors.decode_cases) {
    const code = codeOf(() => decodeFrame(fromHex(hex)));
    const expected = codes.find(([pattern]) => pattern.test(note))?.[1] ?? "accepted";
    assert.equal(code, expected, `${note} ${hex}`);
    if (code === "accepted" && result.ok !== undefined) {
      assert.deepEqual(decodeFrame(fromHex(hex)).frame, build(result.ok.frame), note);
    }
  }
});

test("frame: each malformed frame has its own code, offset and limit", () => {
  const body = (length: string, metadata: string): string =>
    `5354${length}${"00".repeat(30)}${metadata}`;
  const cases: [string, ErrorCode, number, number | undefined, RegExp][] = [
    ["52", "FRAME_MAGIC", 0, undefined, /byte 52 where 53 54 starts it \(offset 0\)$/],
    ["5353", "FRAME_MAGIC", 1, undefined, /byte 53 where/],
    ["53549f00", "FRAME_LENGTH", 2, undefined, /not minimal \(offset 2\)$/],
    ["535480808000", "FRAME_LENGTH", 2, undefined, /not minimal/],
    ["535480808080", "FRAME_LENGTH", 2, 4, /more than 4 bytes \(offset 2\)$/],
    ["53541e", "FRAME_TOO_SMALL", 2, 31, /body length 30 is below 31 \(offset 2\)$/],
    ["5354818080" + "01", "FRAME_TOO_LARGE", 2, FRAME_MAX_BODY, /2097153 exceeds 2097152/],
    [
      body("20", "8000"),
      "FRAME_METADATA_LENGTH",
      33,
      undefined,
      /not a valid varint \(offset 33\)$/,
    ],
    [body("1f", "80"), "FRAME_METADATA_LENGTH", 33, undefined, /not a valid varint/],
    [
      body("1f", "01"),
      "FRAME_METADATA_OVERRUN",
      33,
      0,
      /metadata length 1 exceeds 0 \(offset 33\)$/,
    ],
    [body("27", "ffffffffffffffff7f"), "FRAME_METADATA_OVERRUN", 33, undefined, /exceeds the body/],
    [body("2b", "ff".repeat(10)), "FRAME_METADATA_LENGTH", 33, undefined, /not a valid varint/],
    [body("1f", ""), "FRAME_INCOMPLETE", 0, undefined, /ends after 33 of 34 bytes \(offset 0\)$/],
    ["", "FRAME_INCOMPLETE", 0, undefined, /ends after 0 bytes/],
  ];
  for (const [hex, code, offset, limit, message] of cases) {
    const expected = { code, offset, limit, message };
    assert.throws(() => decodeFrame(fromHex(hex)), expected, hex);
    // What stands before the frame moves the offset, and what is wrong stays wrong.
    const moved = { code, offset: offset + 3, limit };
    assert.throws(() => decodeFrame(fromHex(`535400${hex}`), { offset: 3 }), moved, hex);
  }
});

test("frame: a smaller limit holds as soon as the length is known", () => {
  assert.throws(() => decodeFrame(fromHex("53548120"), { maxBody: 4096 }), {
    code: "FRAME_TOO_LARGE",
    limit: 4096,
    message: "cannot decode frame: body length 4097 exceeds 4096 (offset 2)",
  });
  assert.throws(() => decodeFrame(fromHex("53548020"), { maxBody: 4096 }), {
    code: "FRAME_INCOMPLETE",
  });
});

test("frame: every beginning of a frame is incomplete, never malformed", () => {
  const bytes = encodeFrame({ ...SAMPLE, metadata: new Uint8Array(200), payload: EMPTY });
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(codeOf(() => decodeFrame(bytes.subarray(0, length))), "FRAME_INCOMPLETE");
  }
});

test("frame: nothing is copied", () => {
  const bytes = encodeFrame(SAMPLE);
  const { frame } = decodeFrame(bytes);
  for (const view of [frame.sessionId, frame.metadata, frame.payload]) {
    assert.equal(view.buffer, bytes.buffer);
  }
});

test("frame: fields out of range are refused", () => {
  const wrong: Partial<Frame>[] = [
    { type: 256 },
    { type: -1 },
    { type: 1.5 },
    { flags: 256 },
    { flags: NaN },
    { sessionId: new Uint8Array(7) },
    { sessionId: new Uint8Array(9) },
    { sessionId: EMPTY },
    { sequence: -1 },
    { sequence: -1n },
    { sequence: 2 ** 53 },
    { sequence: 2n ** 64n },
    { timestamp: -1 },
    { timestamp: 0.5 },
    { timestamp: 2n ** 64n },
    { streamId: -1 },
    { streamId: 2 ** 32 },
  ];
  for (const change of wrong) {
    assert.throws(() => encodeFrame({ ...SAMPLE, ...change }), {
      code: "FRAME_FIELD",
      message: /^cannot encode frame: .* is out of range$/,
    });
  }
});

const U64 = fc.bigInt(0n, 2n ** 64n - 1n).map((value) => narrow(String(value)));
const anyFrame: fc.Arbitrary<Frame> = fc.record({
  type: fc.nat(255),
  flags: fc.nat(255),
  sessionId: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => new Uint8Array(bytes)),
  sequence: fc.oneof(fc.nat(300), fc.maxSafeNat(), U64),
  timestamp: fc.oneof(fc.nat(300), fc.maxSafeNat(), U64),
  streamId: fc.nat(0xffff_ffff),
  metadata: fc.uint8Array({ maxLength: 140 }).map((bytes) => new Uint8Array(bytes)),
  payload: fc.uint8Array({ maxLength: 140 }).map((bytes) => new Uint8Array(bytes)),
}, { noNullPrototype: true });

test("frame: any frame comes back, and the slow twin writes the same bytes", () => {
  fc.assert(fc.property(anyFrame, (frame) => {
    const bytes = encodeFrame(frame);
    assert.deepEqual(bytes, Uint8Array.from(encodeFrameNaive(frame)));
    assert.deepEqual(decodeFrame(bytes), { frame, size: bytes.length });
  }));
});

test("frame: agrees with the slow twin on spoiled input, codes included", () => {
  const changes = fc.array(fc.tuple(fc.nat(40), fc.oneof(fc.nat(255), fc.constant(0x80))), {
    maxLength: 2,
  });
  const spoiled = fc.tuple(anyFrame, changes, fc.nat(60)).map(([frame, list, cut]) => {
    const bytes = encodeFrame(frame);
    for (const [at, byte] of list) bytes[at % bytes.length] = byte;
    return bytes.subarray(0, bytes.length - (cut > 30 ? cut - 30 : 0));
  });
  const start = fc.uint8Array({ maxLength: 60 }).map((tail) => Uint8Array.of(0x53, 0x54, ...tail));
  fc.assert(
    fc.property(fc.oneof(spoiled, start, fc.uint8Array()), fc.nat(300), (bytes, maxBody) => {
      let expected: Frame | undefined;
      const code = codeOf(() => {
        expected = decodeFrameNaive([...bytes], maxBody).frame;
      });
      assert.equal(codeOf(() => decodeFrame(bytes, { maxBody })), code);
      if (code === "accepted") assert.deepEqual(decodeFrame(bytes, { maxBody }).frame, expected);
    }),
    { numRuns: 3000 },
  );
});
