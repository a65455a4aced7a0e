import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import { staticKey } from "../crypto/key_schedule.ts";
import {
  answered,
  dial,
  fieldsIn,
  flipped,
  listen,
  offered,
  provider,
  seed,
  sent,
  shake,
  UDP,
  withFields,
} from "./fixture_test.ts";
import type { Initiator } from "./initiator.ts";
import { transportParameters } from "./parameters.ts";
import { encodeRetry, type RetryContent } from "./retry.ts";

/** Times at which the initiator sends, when nobody answers. */
function sendTimes(initiator: Initiator, untilMs: number): number[] {
  const times: number[] = [];
  let nowMs: number | undefined = 0;
  while (nowMs !== undefined && nowMs <= untilMs) {
    initiator.onTimeout(nowMs);
    while (initiator.transmit(nowMs) !== undefined) times.push(nowMs);
    nowMs = initiator.nextTimeout();
  }
  return times;
}

function retryFor(hello: Uint8Array, content: RetryContent, seedFill = 1): Uint8Array {
  const nonce = fieldsIn(hello).get("nonce") as Uint8Array;
  return encodeRetry(provider, seed(seedFill).retryKey, nonce, content);
}

test("HELLO goes out again at 1, 2, 4 and 8 s, byte for byte, until 10 s", () => {
  const initiator = dial();
  const frames = new Set<string>();
  let nowMs: number | undefined = 0;
  const times: number[] = [];
  while (nowMs !== undefined) {
    initiator.onTimeout(nowMs);
    for (let frame; (frame = initiator.transmit(nowMs)) !== undefined;) {
      frames.add(toHex(frame));
      times.push(nowMs);
    }
    nowMs = initiator.nextTimeout();
  }
  assert.deepEqual(times, [0, 1000, 2000, 4000, 8000]);
  assert.equal(frames.size, 1);
  assert.equal(initiator.phase, "failed");
  assert.equal(initiator.failure?.code, "HANDSHAKE_TIMEOUT");
});

test("HANDSHAKE_TIMEOUT lists the causes, and what was dropped", () => {
  const silent = dial();
  sent(silent, 0);
  silent.receive(Uint8Array.of(1), 5);
  silent.onTimeout(10_000);
  const text = silent.failure?.message ?? "";
  for (const word of ["10000 ms", "seed", "listen", "firewall", "clocks", "lost", "1 frame"]) {
    assert.ok(text.includes(word), `${word}: ${text}`);
  }
  const unproven = dial();
  unproven.receive(answered(listen(), sent(unproven, 0), 1), 2);
  unproven.onTimeout(10_000);
  assert.match(unproven.failure?.message ?? "", /pair key.*accept.*lost/);
});

test("AUTH_PROOF goes out again after max(2 RTT, 100 ms), doubling", () => {
  const near = dial();
  near.receive(answered(listen(), sent(near, 0), 5), 10);
  assert.equal(near.rttMs, 10);
  assert.deepEqual(
    sendTimes(near, 100_000).map((ms) => ms),
    [0, 100, 300, 700, 1500, 3100, 6300],
  );
  const far = dial();
  far.receive(answered(listen(), sent(far, 0), 200), 400);
  sent(far, 400);
  assert.equal(far.nextTimeout(), 1200);
  far.onTimeout(1200);
  sent(far, 1200);
  assert.equal(far.nextTimeout(), 2800);
});

test("a repeated HELLO leaves the RTT open", () => {
  const initiator = dial();
  const acceptor = listen();
  sent(initiator, 0);
  initiator.onTimeout(1000);
  initiator.receive(answered(acceptor, sent(initiator, 1000), 1001), 1002);
  assert.equal(initiator.phase, "proof");
  assert.equal(initiator.rttMs, undefined);
});

test("reliable transports: every message once, and the limit stays", () => {
  const initiator = dial({ reliable: true });
  assert.deepEqual(sendTimes(initiator, 9999), [0]);
  assert.equal(initiator.nextTimeout(), 10_000);
  initiator.onTimeout(10_000);
  assert.equal(initiator.failure?.code, "HANDSHAKE_TIMEOUT");
  assert.equal(initiator.nextTimeout(), undefined);
});

test("a protected frame of the session stands in for FINAL", () => {
  const initiator = dial();
  initiator.onSessionFrame(0);
  assert.equal(initiator.phase, "hello");
  initiator.receive(answered(listen(), sent(initiator, 0), 1), 2);
  initiator.onSessionFrame(3);
  assert.equal(initiator.phase, "done");
  assert.equal(initiator.nextTimeout(), undefined);
  assert.equal(initiator.transmit(3), undefined);
});

test("a cookie goes into the same HELLO", () => {
  const initiator = dial();
  const hello = sent(initiator, 0);
  const cookie = new Uint8Array(20).fill(9);
  initiator.receive(retryFor(hello, { code: 1, cookie }), 50);
  const again = sent(initiator, 50);
  assert.equal(toHex(again), toHex(withFields(hello, { cookie })));
  assert.equal(initiator.nextTimeout(), 1050);
});

test("at most two RETRYs: the third is dropped on UDP and ends a reliable dial", () => {
  for (const reliable of [false, true]) {
    const initiator = dial({ reliable });
    let hello = sent(initiator, 0);
    for (let times = 1; times <= 2; times++) {
      initiator.receive(retryFor(hello, { code: 1, cookie: Uint8Array.of(times) }), times);
      hello = sent(initiator, times);
    }
    initiator.receive(retryFor(hello, { code: 1, cookie: Uint8Array.of(3) }), 3);
    assert.equal(initiator.transmit(3), undefined);
    assert.equal(initiator.drops.get("retry"), 1);
    assert.equal(initiator.phase, reliable ? "failed" : "hello");
  }
});

test("a RETRY that is not for this HELLO, or not of this seed, changes nothing", () => {
  const initiator = dial();
  const hello = sent(initiator, 0);
  const content = { code: 4 };
  const genuine = retryFor(hello, content);
  const wrong = [
    retryFor(hello, content, 2),
    retryFor(sent(dial(), 0), content),
    retryFor(hello, { code: 9 }),
    retryFor(hello, { code: 1 }),
    retryFor(hello, { code: 1, cookie: new Uint8Array(300) }),
    ...["code", "cookie", "versions", "suites", "mac"].map((name) =>
      withFields(genuine, {
        [name]: name === "code" ? 1 : ["cookie", "mac"].includes(name) ? new Uint8Array(16) : [7],
      })
    ),
    withFields(genuine, { x: 1 }),
  ];
  for (const frame of wrong) initiator.receive(frame, 1);
  assert.equal(initiator.drops.get("retry"), wrong.length);
  assert.equal(initiator.phase, "hello");
  initiator.receive(genuine, 2);
  assert.equal(initiator.failure?.code, "BUSY");
});

test("suites: starts over once, with a fresh nonce and node_id and the named suite in front", () => {
  const initiator = dial({ suites: [1, 2] });
  const first = sent(initiator, 0);
  initiator.receive(retryFor(first, { code: 3, suites: [127, 2] }), 1);
  const second = sent(initiator, 1);
  const [before, after] = [fieldsIn(first), fieldsIn(second)];
  assert.deepEqual(after.get("suites"), [2, 1]);
  for (const name of ["nonce", "node_id", "seed_id", "commitment"]) {
    assert.notDeepEqual(after.get(name), before.get(name), name);
  }
  initiator.receive(retryFor(first, { code: 4 }), 2);
  assert.equal(initiator.phase, "hello", "the old nonce is no longer open");
  initiator.receive(retryFor(second, { code: 3, suites: [1] }), 3);
  assert.equal(initiator.failure?.code, "SUITE");
});

test("suites and versions that are not ours end the dial", () => {
  const suite = dial();
  suite.receive(retryFor(sent(suite, 0), { code: 3, suites: [127] }), 1);
  assert.equal(suite.failure?.code, "SUITE");
  const version = dial();
  version.receive(retryFor(sent(version, 0), { code: 2, versions: [2, 3] }), 1);
  assert.equal(version.failure?.code, "VERSION");
  assert.equal(version.failure?.remote, true);
});

test("a listener that takes only the other suite is reached after one RETRY", () => {
  const initiator = dial({ suites: [1, 2] });
  const acceptor = listen({ suites: [2] });
  initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
  const pending = shake(initiator, acceptor);
  assert.equal(initiator.phase, "done");
  assert.equal(pending.session.suite, 2);
  assert.equal(initiator.session?.suite, 2);
});

test("downgrade: a HELLO that asked for the second suite of both sides is noticed by both", () => {
  // The initiator is talked into suite 2 by a holder of the seed in the middle.
  const initiator = dial({ suites: [1, 2] });
  initiator.receive(retryFor(sent(initiator, 0), { code: 3, suites: [2] }), 1);
  initiator.receive(answered(listen({ suites: [1, 2] }), sent(initiator, 1), 2), 3);
  assert.equal(initiator.failure?.code, "SUITE");
});

test("downgrade: suites changed in HELLO or RESPONSE", () => {
  const initiator = dial({ suites: [1, 2] });
  const acceptor = listen({ suites: [1, 2] });
  const hello = sent(initiator, 0);
  const swapped = acceptor.receive(withFields(hello, { suites: [2, 1] }), UDP, 1);
  assert.deepEqual(swapped, { kind: "drop", reason: "commitment" });
  const response = answered(acceptor, hello, 2);
  initiator.receive(withFields(response, { suite: 2 }), 3);
  assert.equal(initiator.drops.get("suite"), 1);
  initiator.receive(response, 4);
  assert.equal(initiator.phase, "proof");
});

test("pins are checked before AUTH_PROOF would reveal us", () => {
  const listener = staticKey(provider, new Uint8Array(32).fill(0x22)).publicKey;
  const cause = new Error("lookup failed");
  const thrower = () => {
    throw cause;
  };
  for (const expect of [new Uint8Array(32), () => false, thrower]) {
    const initiator = dial({ expect });
    initiator.receive(answered(listen(), sent(initiator, 0), 1), 2);
    assert.equal(initiator.failure?.code, "PEER_IDENTITY");
    assert.equal(initiator.failure?.cause, expect === thrower ? cause : undefined);
    assert.equal(initiator.transmit(2), undefined);
    assert.equal(initiator.session, undefined);
  }
  for (const expect of [listener, (nodeId: Uint8Array) => toHex(nodeId) === toHex(listener)]) {
    const initiator = dial({ expect });
    shake(initiator, listen());
    assert.equal(initiator.phase, "done");
    assert.equal(initiator.session?.peer.pinned, true);
  }
});

test("dialling ourselves is SELF unless allowed", () => {
  const key = staticKey(provider, new Uint8Array(32).fill(0x33));
  const refused = dial({ staticKey: key });
  refused.receive(answered(listen({ staticKey: key }), sent(refused, 0), 1), 2);
  assert.equal(refused.failure?.code, "SELF");
  const allowed = dial({ staticKey: key, allowSelf: true });
  const pending = shake(allowed, listen({ staticKey: key, allowSelf: true }));
  assert.equal(allowed.phase, "done");
  assert.equal(pending.refusal, undefined);
  const half = dial({ staticKey: key, allowSelf: true });
  const acceptor = listen({ staticKey: key });
  half.receive(answered(acceptor, sent(half, 0), 1), 2);
  assert.equal(offered(acceptor, sent(half, 2), 3).refusal?.code, "SELF");
});

test("application names: both set and different is REFUSED", () => {
  const refused = dial({ parameters: transportParameters({ app: "a" }) });
  const acceptor = listen({ parameters: transportParameters({ app: "b" }) });
  refused.receive(answered(acceptor, sent(refused, 0), 1), 2);
  assert.equal(refused.failure?.code, "REFUSED");
  assert.equal(refused.transmit(2), undefined);
  for (const [ours, theirs] of [["a", ""], ["", "b"], ["c", "c"]] as const) {
    const initiator = dial({ parameters: transportParameters({ app: ours }) });
    shake(initiator, listen({ parameters: transportParameters({ app: theirs }) }));
    assert.equal(initiator.phase, "done");
    assert.equal(initiator.session?.peer.parameters.app, theirs);
  }
});

test("messages that are not awaited: dropped on UDP, the end of a reliable dial", () => {
  for (const reliable of [false, true]) {
    const initiator = dial({ reliable });
    const acceptor = listen();
    const hello = sent(initiator, 0);
    initiator.receive(hello, 1);
    assert.equal(initiator.phase, reliable ? "failed" : "hello");
    assert.equal(initiator.drops.get("state"), 1);
    if (reliable) continue;
    const response = answered(acceptor, hello, 1);
    initiator.receive(response, 2);
    initiator.receive(response, 3);
    assert.equal(initiator.drops.get("state"), 2);
    assert.equal(initiator.phase, "proof");
  }
});

test("our own HELLO sent back as RESPONSE, or a session id of zero, matches no attempt", () => {
  const initiator = dial();
  const hello = sent(initiator, 0);
  const response = answered(listen(), hello, 1);
  const nonce = fieldsIn(hello).get("nonce") as Uint8Array;
  initiator.receive(withFields(response, { nonce, session_id: new Uint8Array(8) }), 2);
  assert.equal(initiator.drops.get("attempt"), 1);
  initiator.receive(response, 3);
  assert.equal(initiator.phase, "proof");
});

test("every bit of RESPONSE and FINAL counts, and the genuine one still succeeds", () => {
  const initiator = dial();
  const acceptor = listen();
  const response = answered(acceptor, sent(initiator, 0), 1);
  for (let bit = 0; bit < response.length * 8; bit++) {
    initiator.receive(flipped(response, bit >> 3, 1 << (bit & 7)), 2);
    assert.equal(initiator.phase, "hello", `bit ${bit}`);
  }
  initiator.receive(response, 3);
  const final = acceptor.accept(offered(acceptor, sent(initiator, 3), 4), 5);
  for (let bit = 0; bit < final.length * 8; bit++) {
    initiator.receive(flipped(final, bit >> 3, 1 << (bit & 7)), 6);
    assert.equal(initiator.phase, "proof", `bit ${bit}`);
  }
  initiator.receive(final, 7);
  assert.equal(initiator.phase, "done");
});

test("a FINAL of another session does not end this one", () => {
  const [one, two] = [dial(), dial()];
  const acceptor = listen();
  one.receive(answered(acceptor, sent(one, 0), 1), 2);
  two.receive(answered(acceptor, sent(two, 0), 1), 2);
  const final = acceptor.accept(offered(acceptor, sent(two, 2), 3), 3);
  one.receive(final, 4);
  assert.equal(one.drops.get("attempt"), 1);
  one.receive(withFields(final, { session_id: one.sessionId as Uint8Array }), 4);
  assert.equal(one.drops.get("confirmation"), 1);
  two.receive(final, 4);
  assert.equal(two.phase, "done");
});

test("destroy ends the dial", () => {
  const initiator = dial();
  sent(initiator, 0);
  assert.equal(initiator.openNonce?.length, 32);
  initiator.destroy();
  initiator.destroy();
  assert.equal(initiator.failure?.code, "CLOSED");
  assert.equal(initiator.openNonce, undefined);
  initiator.receive(Uint8Array.of(1), 1);
  assert.equal(initiator.nextTimeout(), undefined);
});

test("options that cannot be used are refused at once", () => {
  const wrong = [
    { suites: [] },
    { suites: [127] },
    { parameters: transportParameters({ ackEvery: 0 }) },
    { helloExtra: new Map([["nonce", 1]]) },
    { helloExtra: new Map([["cookie", 1]]) },
    { pairKey: new Uint8Array(31) },
  ];
  for (const overrides of wrong) assert.throws(() => dial(overrides), { code: "CONFIG" });
});
