import assert from "node:assert/strict";
import { test } from "node:test";
import { FRAME_HEADROOM, FrameHeader, parseFrameHeader } from "../codec/frame.ts";
import { FRAME_CONTROL, FRAME_DATA, FRAME_MAX_BODY, TAG_BYTES } from "../constants.ts";
import { pair } from "../testing/pair.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Protection } from "../session/protection.ts";
import { Forger, payloadOf } from "./forger_for_test.ts";

function joined(...parts: Uint8Array[]): Uint8Array {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

/** A CONTROL frame. */
function sealed(by: Protection, payload: Uint8Array): Uint8Array {
  const end = FRAME_HEADROOM + payload.length;
  const buffer = new Uint8Array(end + TAG_BYTES);
  buffer.set(payload, FRAME_HEADROOM);
  by.seal(buffer, FRAME_HEADROOM, end, FRAME_CONTROL, 0, 0, 0);
  return buffer.slice(by.frameStart, by.frameEnd);
}

const TOKEN = new Uint8Array(8);

for (
  const [name, wrong] of [
    ["an empty CONTROL frame", (forger: Forger) => forger.frame(FRAME_CONTROL, new Uint8Array(0))],
    ["a forged frame", (forger: Forger) => {
      const frame = forger.frame(FRAME_DATA, new Uint8Array(9));
      frame[frame.length - 1]! ^= 1;
      return frame;
    }],
    ["bytes that are no frame", () => new Uint8Array(60)],
  ] as const
) {
  test(`SESSION_CLOSE goes out although more arrives behind ${name}`, () => {
    const run = pair().establish();
    const forger = new Forger(run);
    const { victim } = forger;
    const bad = wrong(forger);
    const rest = [1, 2, 3].map(() => forger.control({ type: "ping", token: TOKEN }));
    // A transport may deliver several chunks before its owner gets to send.
    victim.receive(joined(bad, rest[0]!), run.clock.nowMs);
    victim.receive(joined(rest[1]!, rest[2]!), run.clock.nowMs);
    forger.take();
    assert.notEqual(forger.closeCode, undefined);
    assert.equal(victim.state, "closing");
    victim.onTimeout(run.clock.nowMs + 1000);
    assert.equal(victim.state, "closed");
  });
}

test("nothing behind SESSION_CLOSE in its frame is acted upon", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  const close = { type: "sessionClose", code: 0, reason: new Uint8Array(0) } as const;
  const later = { type: "sessionClose", code: 0x200, reason: new Uint8Array(0) } as const;
  const wrong = { type: "ack", largest: 1, delayUs: 0, ranges: [[0, 1]] } as const;
  forger.give(forger.control(
    close,
    { type: "streamData", stream: 1, flags: 0, kind: 0, offset: 0, data: new Uint8Array(3) },
    later,
    { ...wrong, ranges: [[0, 1]] },
  ));
  assert.deepEqual(forger.events.map(({ type }) => type), ["closed"]);
  assert.equal(run.b.closeFacts?.code, 0);
  assert.equal(forger.closeCode, 0);
});

test("a peer cannot rotate without waiting for a frame of ours in each epoch", () => {
  const run = pair().establish();
  const forger = new Forger(run);
  const { i2r, r2i } = run.traffic;
  // Somebody with the victim's keys says to the forger's own protection what the victim has not said.
  const shadow = new Protection({
    provider: nodeProvider(),
    suite: 1,
    sessionId: run.a.session?.sessionId ?? assert.fail(),
    sendSecret: r2i.slice(),
    recvSecret: i2r.slice(),
    reliable: true,
    nowMs: 0,
  });
  const { victim } = forger;
  const { nowMs } = run.clock;
  const opened = (by: Protection, frame: Uint8Array): void => {
    const header = new FrameHeader();
    parseFrameHeader(frame, 0, frame.length, FRAME_MAX_BODY, header);
    assert.notEqual(by.open(frame, header, nowMs), undefined);
  };
  const give = (frame: Uint8Array): void => {
    opened(shadow, frame);
    victim.receive(frame, nowMs);
  };
  const padding = { type: "padding", count: 1 } as const;
  give(forger.control(padding));
  opened(forger.protection, sealed(shadow, payloadOf(padding)));
  assert.ok(forger.protection.startRotation(nowMs));
  // The victim has sent nothing: epoch 1 cannot have begun.
  give(forger.control({ type: "keyRotation", epoch: 1 }));
  assert.equal(victim.closeFacts?.error?.code, "KEY_ROTATION_ERROR");
});
