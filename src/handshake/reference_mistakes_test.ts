/** Mistakes of the reference's handshake; docs/reference_mistakes.md counts them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { decodeHandshakeFrame } from "./handshake_frame.ts";
import { assertDropped, dial, listen, sent, shake } from "./fixture_test.ts";

test("a handshake message without a frame around it is answered with nothing", () => {
  const acceptor = listen();
  const frame = sent(dial(), 0);
  assertDropped(acceptor, decodeHandshakeFrame(frame), "frame");
  assert.equal(acceptor.halfOpenCount, 0);
  assert.equal(
    acceptor.receive(frame, { host: "192.0.2.7", port: 1, reliable: false }, 0).kind,
    "send",
  );
});

test("sessions of the same two nodes and the same seed share no key, no id and no message", () => {
  const seen = new Set<string>();
  let counted = 0;
  for (let round = 0; round < 3; round++) {
    const initiator = dial();
    const hello = toHex(sent(initiator, 0));
    const { session } = shake(dial(), listen());
    for (
      const bytes of [session.secrets.i2r, session.secrets.r2i, session.sessionId]
    ) {
      seen.add(toHex(bytes));
      counted++;
    }
    seen.add(hello);
    counted++;
  }
  assert.equal(seen.size, counted);
});
