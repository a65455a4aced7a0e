/** Data of the schema of vectors/reference/frames.json. @module */
import { type Case, type Check, Failure } from "../case.ts";
import type { Json } from "../protocol.ts";
import { hex, unhex } from "../twin/bytes.ts";
import {
  decodeFrame,
  decodeFrameLax,
  encodeFrame,
  encodeFrameUnlimited,
  type FrameFields,
} from "../twin/frame.ts";
import { sha256 } from "../twin/primitives.ts";
import { asTwin, attempt } from "./expect.ts";
import { type DataFile, type Entry, type EntryCase, FileCases } from "./section.ts";

export function frameCases(file: DataFile): Case[] {
  const cases = new FileCases(file, "3");
  cases.ignore("layout", "max_body_length_on_encode");
  cases.list("valid", valid);
  cases.list("size_limit", sizeLimit);
  cases.object(
    "decode_over_limit",
    (entry) => [{ run: (check) => overLimit(check, entry), slow: true }],
  );
  cases.object("concatenated", (entry) => [{ run: (check) => concatenated(check, entry) }]);
  cases.list("decode_cases", (entry) => [{ run: (check) => decodeCase(check, entry) }]);
  cases.list(
    "constructor_cases",
    (entry) => [{ title: entry.input, run: (check) => constructorCase(check, entry) }],
  );
  return cases.finish();
}

function json(frame: FrameFields): Json {
  return { ...frame };
}

/** Absent and empty metadata are the same on the wire. */
function normal(frame: Entry): Entry {
  return { ...frame, crypto_metadata: frame.crypto_metadata || null };
}

function judge(check: Check, entry: Entry): "valid" | string {
  const encoded = attempt(() => hex(encodeFrame(entry.frame)));
  const decoded = attempt(() => decodeFrame(unhex(entry.hex)));
  if ("refused" in encoded && "refused" in decoded && encoded.refused === decoded.refused) {
    return encoded.refused;
  }
  check.data(entry.hex, "value" in encoded ? encoded.value : encoded.refused, "hex");
  if ("refused" in decoded) {
    throw new Failure(`data mismatch: hex is refused with ${decoded.refused}`);
  }
  check.data(normal(entry.frame), json(decoded.value.frame), "frame");
  if (entry.consumed !== undefined) check.data(entry.consumed, decoded.value.consumed, "consumed");
  if (entry.associated_data !== undefined) {
    check.data(entry.associated_data, hex(decoded.value.header), "associated_data");
  }
  if (entry.decoded_is_encrypted !== undefined) {
    check.data(
      entry.decoded_is_encrypted,
      decoded.value.frame.crypto_metadata !== null,
      "decoded_is_encrypted",
    );
  }
  return "valid";
}

function valid(entry: Entry): EntryCase[] {
  return [
    {
      name: "encode",
      run: async (check) => {
        const verdict = judge(check, entry);
        const request = { op: "frame.encode", frame: entry.frame };
        if (verdict !== "valid") return await check.refuses(request, verdict);
        await check.gives(request, { hex: entry.hex });
      },
    },
    {
      name: "decode",
      run: async (check) => {
        const verdict = judge(check, entry);
        const request = { op: "frame.decode", hex: entry.hex };
        if (verdict !== "valid") return await check.refuses(request, verdict);
        await check.gives(request, { frame: normal(entry.frame), consumed: entry.hex.length / 2 });
      },
    },
  ];
}

function filled(entry: Entry): FrameFields {
  return { ...entry.frame, payload: entry.payload_fill.repeat(entry.payload_length) };
}

function checkFilled(check: Check, entry: Entry, bytes: Uint8Array): void {
  if (entry.encoded_length !== undefined) {
    check.data(entry.encoded_length, bytes.length, "encoded_length");
  }
  if (entry.encoded_sha256 !== undefined) {
    check.data(entry.encoded_sha256, hex(sha256(bytes)), "encoded_sha256");
  }
  const prefix = entry.encoded_prefix_hex;
  if (prefix !== undefined) {
    check.data(prefix, hex(bytes.subarray(0, prefix.length / 2)), "encoded_prefix_hex");
  }
}

function sizeLimit(entry: Entry): EntryCase[] {
  const frame = (): FrameFields => filled(entry);
  const accepts = entry.result === "ok" || entry.result?.ok !== undefined;
  const claim = (check: Check): Uint8Array => {
    const unlimited = encodeFrameUnlimited(frame());
    const made = attempt(() => encodeFrame(frame()));
    check.data(
      accepts ? "accepted" : "refused",
      "value" in made ? "accepted" : "refused",
      "the result",
    );
    const prefix = 2 + (unlimited.length - 2 - entry.body_length);
    if (entry.body_length !== undefined) {
      check.data(entry.body_length, unlimited.length - prefix, "body_length");
      check.data(encodedBody(unlimited), entry.body_length, "length on the wire");
    }
    if (accepts) checkFilled(check, entry, unlimited);
    return unlimited;
  };
  return [
    {
      name: "encode",
      slow: true,
      run: async (check) => {
        const bytes = claim(check);
        const request = { op: "frame.encode", frame: json(frame()) };
        if (!accepts) return await check.refuses(request, "FRAME_TOO_LARGE");
        const { hex: actual } = await check.ok(request);
        check.equal(hex(sha256(unhex(String(actual)))), hex(sha256(bytes)), "SHA-256 of the frame");
      },
    },
    {
      name: "decode",
      slow: true,
      run: async (check) => {
        const bytes = claim(check);
        const request = { op: "frame.decode", hex: hex(bytes) };
        if (!accepts) return await check.refuses(request, "FRAME_TOO_LARGE");
        const { frame: actual, consumed } = await check.ok(request);
        check.equal(consumed ?? null, bytes.length, "consumed");
        check.equal(actual ?? null, json(frame()), "frame");
      },
    },
  ];
}

/** The body length that the frame itself states. */
function encodedBody(bytes: Uint8Array): number {
  let value = 0;
  for (let i = 2, shift = 1;; i++, shift *= 128) {
    const byte = bytes[i] as number;
    value += (byte & 0x7f) * shift;
    if (byte < 0x80) return value;
  }
}

async function overLimit(check: Check, entry: Entry): Promise<void> {
  const frame: FrameFields = filled({ ...entry, frame: entry.frame ?? DEFAULT_FRAME });
  const bytes = encodeFrameUnlimited(frame);
  if (entry.body_length !== undefined) {
    check.data(entry.body_length, encodedBody(bytes), "body_length");
  }
  if (entry.consumed !== undefined) check.data(entry.consumed, bytes.length, "consumed");
  if (entry.payload_length_decoded !== undefined) {
    check.data(entry.payload_length_decoded, entry.payload_length, "payload_length_decoded");
  }
  // The section names no header: it is the one of the other sections.
  checkFilled(check, entry, bytes);
  await check.refuses({ op: "frame.decode", hex: hex(bytes) }, "FRAME_TOO_LARGE");
}

const DEFAULT_FRAME: FrameFields = {
  frame_type: 1,
  flags: 0,
  session_id: "0102030405060708",
  sequence: "0",
  timestamp: "1731000000000",
  stream_id: 0,
  crypto_metadata: null,
  payload: "",
};

async function concatenated(check: Check, entry: Entry): Promise<void> {
  const bytes = unhex(entry.hex);
  const frames: string[] = [];
  let offset = 0;
  for (const one of entry.frames) {
    const found = decodeFrame(bytes.subarray(offset));
    check.data(one.offset, offset, "offset");
    check.data(one.consumed, found.consumed, "consumed");
    check.data(normal(one.frame), json(found.frame), "frame");
    const text = hex(bytes.subarray(offset));
    await check.gives({ op: "frame.decode", hex: text }, {
      frame: normal(one.frame),
      consumed: one.consumed,
    });
    frames.push(hex(bytes.subarray(offset, offset + found.consumed)));
    offset += found.consumed;
  }
  check.data(offset, bytes.length, "the sum of all frames");
  for (const size of [bytes.length, 1, 7]) {
    const chunks: string[] = [];
    for (let i = 0; i < bytes.length; i += size) chunks.push(hex(bytes.subarray(i, i + size)));
    await check.gives({ op: "frame.assemble", chunks }, { frames, pending: 0 });
  }
}

async function decodeCase(check: Check, entry: Entry): Promise<void> {
  const bytes = unhex(entry.hex);
  const { result } = entry;
  if (result !== undefined) {
    const lax = attempt(() => decodeFrameLax(bytes));
    const outcome = "value" in lax ? "accepted" : "refused";
    check.data(
      result.error === undefined ? "accepted" : "refused",
      outcome,
      "the reference's result",
    );
    if ("value" in lax && typeof result.ok === "object") {
      const { frame, consumed } = lax.value;
      if (result.ok.frame !== undefined) {
        check.data(normal(result.ok.frame), json(frame), "the reference's frame");
      }
      if (result.ok.consumed !== undefined) {
        check.data(result.ok.consumed, consumed, "the reference's consumed");
      }
      if (result.ok.is_encrypted !== undefined) {
        check.data(
          result.ok.is_encrypted,
          frame.crypto_metadata !== null,
          "the reference's is_encrypted",
        );
      }
    }
  }
  await asTwin(check, { op: "frame.decode", hex: entry.hex });
}

const FIELDS: Readonly<Record<string, keyof FrameFields>> = {
  sequence: "sequence",
  timestamp: "timestamp",
  "stream id": "stream_id",
  "frame type": "frame_type",
  flags: "flags",
};

/** The inputs are words: a field, and a value such as -1, 256 or 2^64. */
function constructorInput(input: string): Partial<Record<keyof FrameFields, Json>> | undefined {
  const length = /^session id (?:of (\d+) bytes?|(empty))/.exec(input);
  if (length !== null) return { session_id: "00".repeat(Number(length[1] ?? 0)) };
  if (/^empty metadata/.test(input)) return { crypto_metadata: "" };
  const match = /^(sequence|timestamp|stream id|frame type|flags) (-?\d+)(?:\^(\d+))?([+-]\d+)?$/
    .exec(input);
  if (match === null) return undefined;
  const [, name, base, power, rest] = match;
  const value = BigInt(base as string) ** BigInt(power ?? 1) + BigInt(rest ?? 0);
  const field = FIELDS[name as string] as keyof FrameFields;
  const wide = field === "sequence" || field === "timestamp";
  return { [field]: wide ? value.toString() : Number(value) };
}

async function constructorCase(check: Check, entry: Entry): Promise<void> {
  const changes = constructorInput(entry.input);
  if (changes === undefined) throw new Failure(`cannot read the input "${entry.input}"`);
  const frame = { ...DEFAULT_FRAME, ...changes } as FrameFields;
  const made = attempt(() => hex(encodeFrame(frame)));
  check.data(
    entry.result.error === undefined ? "accepted" : "refused",
    "value" in made ? "accepted" : "refused",
    "the result",
  );
  if ("value" in made && typeof entry.result.ok === "string") {
    check.data(entry.result.ok, made.value, "hex");
  }
  await asTwin(check, { op: "frame.encode", frame: json(frame) });
}
