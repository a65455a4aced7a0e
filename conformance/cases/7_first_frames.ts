/** SPEC 7: the first protected frames of the handshakes with fixed keys, both directions, and a rotation. @module */
import { hex, unhex } from "../twin/bytes.ts";
import type { Schedule } from "../twin/handshake.ts";
import { type PlainFrame, sealFrame } from "../twin/protection.ts";
import { encodeRecord, encodeStreamPayload } from "../twin/records.ts";
import { play, SUITES } from "./6_scripts.ts";
import { type Rule, RuleBook, type RuleTest, sample } from "./rule.ts";

const DIRECTIONS = ["i2r", "r2i"] as const;

function record(name: string, fields: Parameters<typeof encodeRecord>[0]["fields"]): string {
  return hex(encodeRecord({ record: name, fields }));
}

/** What a side might send first: a stream, a datagram, records, and then two rotations. */
function contents(direction: "i2r" | "r2i"): Partial<PlainFrame>[] {
  const stream = direction === "i2r" ? 1 : 2;
  const rotation = (epoch: number): Partial<PlainFrame> => ({
    type: 2,
    epoch,
    plaintext: record("KEY_ROTATION", { epoch: { int: String(epoch) } }),
  });
  const bytes = sample(`first stream ${direction}`, 30);
  return [
    {
      type: 3,
      flags: 0x02,
      stream_id: stream,
      plaintext: hex(encodeStreamPayload({ kind: 0, offset: "0", data: bytes })),
    },
    {
      type: 3,
      flags: 0x04,
      stream_id: stream,
      plaintext: hex(encodeStreamPayload({ kind: 0, offset: "30", data: "" })),
    },
    { type: 1, stream_id: 9, plaintext: sample(`first datagram ${direction}`, 12) },
    { type: 2, plaintext: record("PING", { token: { bytes: sample("ping", 8) } }) },
    { ...rotation(1) },
    { type: 1, epoch: 1, plaintext: "" },
    { ...rotation(2) },
    {
      type: 2,
      epoch: 2,
      plaintext: record("SESSION_CLOSE", { code: { int: "0" }, reason: { bytes: "" } }),
    },
  ];
}

export function firstFrameRules(): Rule[] {
  const book = new RuleBook("7");
  const sealed: RuleTest[] = [];
  const received: RuleTest[] = [];
  for (const suite of SUITES) {
    const { result } = play({ suite });
    for (const direction of DIRECTIONS) {
      const secret = hex(result.secrets[`traffic_${direction}` satisfies keyof Schedule]);
      const session = hex(result.sessionId);
      const name = `suite ${suite}, ${direction}`;
      const frames = contents(direction).map((changes, i): PlainFrame => ({
        type: 1,
        flags: 0,
        session_id: session,
        sequence: String(i),
        timestamp: "0",
        stream_id: 0,
        epoch: 0,
        plaintext: "",
        ...changes,
      }));
      for (const frame of frames) {
        sealed.push({
          comment: `${name}: frame ${frame.sequence}, epoch ${frame.epoch}`,
          request: { op: "frame.seal", suite, secret, ...frame },
        });
      }
      for (const reliable of [false, true]) {
        received.push({
          comment: `${name}: all of them, ${reliable ? "reliable" : "UDP"}`,
          request: {
            op: "session.receive",
            suite,
            secret,
            session_id: session,
            reliable,
            frames: frames.map((frame) => sealFrame(suite, unhex(secret), frame).frame),
          },
        });
      }
    }
  }
  book.accepts(14, "first-frames", "the first frames under the keys of a handshake", sealed);
  book.accepts(15, "first-frames-received", "they open in order, through two rotations", received);
  return book.rules;
}
