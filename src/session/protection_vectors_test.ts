import { test } from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { FRAME_HEADROOM } from "../codec/frame.ts";
import { fromHex, toHex } from "../codec/hex.ts";
import { TAG_BYTES } from "../constants.ts";
import { epochKeys } from "../crypto/key_schedule.ts";
import { aeadOfSuite, EpochKeys } from "./epoch_keys.ts";
import { type OpenFailure, Protection } from "./protection.ts";
import { headerOf, openFrame, provider, sealFrame } from "./protection_fixture_test.ts";
import { SendDirection } from "./send_direction.ts";

interface VectorFrame {
  note: string;
  type: number;
  flags: number;
  session_id: string;
  sequence: string;
  timestamp: string;
  stream_id: number;
  epoch: number;
  associated_data: string;
  plaintext: string;
  frame: string;
}

type Direction = "i2r" | "r2i";

interface VectorCase {
  name: string;
  suite: number;
  derived: { session_id: string; traffic_i2r: string; traffic_r2i: string };
  epochs: Record<Direction, { epoch: number; secret: string; key: string; iv: string }[]>;
  frames: Record<Direction, VectorFrame[]>;
  frame_refusals?: {
    direction: Direction;
    note: string;
    accepted: number;
    transport: "udp" | "reliable" | "both";
    frame: string;
    expect: string;
  }[];
}

const file = new URL("../../vectors/stt1/handshake.json", import.meta.url);
const cases = (JSON.parse(readFileSync(file, "utf8")) as { cases: VectorCase[] }).cases;
const DIRECTIONS: Direction[] = ["i2r", "r2i"];

/** The two ends of one direction; the other direction only carries what rotation needs. */
function ends(vector: VectorCase, direction: Direction, reliable: boolean) {
  const { derived } = vector;
  const forth = direction === "i2r" ? derived.traffic_i2r : derived.traffic_r2i;
  const back = direction === "i2r" ? derived.traffic_r2i : derived.traffic_i2r;
  const make = (send: string, recv: string): Protection =>
    new Protection({
      provider,
      suite: vector.suite,
      sessionId: fromHex(derived.session_id),
      sendSecret: fromHex(send),
      recvSecret: fromHex(recv),
      reliable,
      timestamps: true,
      nowMs: 0,
    });
  return { sender: make(forth, back), receiver: make(back, forth) };
}

for (const vector of cases) {
  for (const direction of DIRECTIONS) {
    const title = `${vector.name}, ${direction}`;

    test(`stt1 vectors: ${title}: epochs`, () => {
      let secret = fromHex(vector.epochs[direction][0]?.secret ?? "");
      for (const epoch of vector.epochs[direction]) {
        assert.equal(toHex(secret), epoch.secret);
        const keys = epochKeys(provider, secret);
        assert.equal(toHex(keys.key), epoch.key);
        assert.equal(toHex(keys.iv), epoch.iv);
        secret = keys.next;
      }
    });

    for (const reliable of [false, true]) {
      test(`stt1 vectors: ${title}: frames, ${reliable ? "reliable" : "udp"}`, () => {
        const { sender, receiver } = ends(vector, direction, reliable);
        for (const expected of vector.frames[direction]) {
          if (expected.note.includes("not consecutive")) continue;
          while (sender.sendEpoch < expected.epoch) {
            assert.notEqual(openFrame(sender, sealFrame(receiver, new Uint8Array([0]))), undefined);
            assert.equal(sender.startRotation(0), true);
          }
          const frame = sealFrame(
            sender,
            fromHex(expected.plaintext),
            expected.type,
            expected.flags,
            expected.stream_id,
            Number(expected.timestamp),
          );
          assert.equal(toHex(frame), expected.frame, expected.note);
          assert.equal(sender.lastSequence, Number(expected.sequence));
          const payload = openFrame(receiver, frame);
          assert.equal(payload && toHex(payload), expected.plaintext, expected.note);
          assert.equal(receiver.lastEpoch, expected.epoch);
          assert.equal(receiver.sendEpoch, expected.epoch);
        }
      });
    }

    test(`stt1 vectors: ${title}: the last sequences there are`, () => {
      const { receiver } = ends(vector, direction, false);
      const secret = fromHex(vector.epochs[direction][0]?.secret ?? "");
      const keys = new EpochKeys(provider, aeadOfSuite(vector.suite), secret, 0);
      const send = new SendDirection(fromHex(vector.derived.session_id), keys);
      for (const expected of vector.frames[direction]) {
        while (send.epoch < expected.epoch) send.advance();
        send.nextSequence = Number(expected.sequence);
        const payload = fromHex(expected.plaintext);
        const buffer = new Uint8Array(FRAME_HEADROOM + payload.length + TAG_BYTES);
        buffer.set(payload, FRAME_HEADROOM);
        const end = FRAME_HEADROOM + payload.length;
        const { type, flags, stream_id, timestamp } = expected;
        send.seal(buffer, FRAME_HEADROOM, end, type, flags, stream_id, Number(timestamp));
        const frame = buffer.slice(send.frameStart, send.frameEnd);
        assert.equal(toHex(frame), expected.frame, expected.note);
        assert.equal(toHex(headerOf(frame).associatedData), expected.associated_data);
        const opened = openFrame(receiver, frame);
        assert.equal(opened && toHex(opened), expected.plaintext, expected.note);
      }
      assert.equal(send.nextSequence, 2 ** 53);
      assert.throws(
        () => send.seal(new Uint8Array(100), FRAME_HEADROOM, FRAME_HEADROOM, 1, 0, 0, 0),
        { code: "AEAD_LIMIT" },
      );
    });
  }

  for (const reliable of [false, true]) {
    const refusals = (vector.frame_refusals ?? []).filter((refusal) =>
      refusal.transport === "both" || (refusal.transport === "reliable") === reliable
    );
    if (refusals.length === 0) continue;
    test(`stt1 vectors: ${vector.name}: refused frames, ${reliable ? "reliable" : "udp"}`, () => {
      const meaning: Record<string, OpenFailure> = {
        crypto: "crypto",
        unprotected: "unprotected",
        replayed: "seen",
        epoch: "epoch",
        old_epoch: "old_epoch",
        sequence_gap: "gap",
      };
      const codes: Record<string, string | undefined> = reliable
        ? {
          crypto: "CRYPTO",
          unprotected: "PROTOCOL",
          epoch: "KEY_ROTATION_ERROR",
          sequence_gap: "PROTOCOL",
        }
        : { old_epoch: "KEY_ROTATION_ERROR" };
      for (const refusal of refusals) {
        const { receiver } = ends(vector, refusal.direction, reliable);
        const frames = vector.frames[refusal.direction];
        for (const { frame } of frames.slice(0, refusal.accepted)) {
          assert.notEqual(openFrame(receiver, fromHex(frame)), undefined);
        }
        assert.equal(openFrame(receiver, fromHex(refusal.frame)), undefined, refusal.note);
        assert.equal(receiver.lastFailure, meaning[refusal.expect], refusal.note);
        assert.equal(receiver.lastError?.code, codes[refusal.expect], refusal.note);
        const next = frames[refusal.accepted];
        if (next === undefined || receiver.lastError !== undefined) continue;
        assert.notEqual(openFrame(receiver, fromHex(next.frame)), undefined, "state untouched");
      }
    });
  }
}
