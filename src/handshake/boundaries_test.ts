/** The exact edges of the handshake: one less, one more, and what only a broken provider brings about. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { SttValue } from "../codec/values.ts";
import type { X25519PrivateKey } from "../crypto/provider.ts";
import { SttError } from "../errors.ts";
import { checkFields } from "./fields.ts";
import {
  answered,
  assertDropped,
  dial,
  fieldsIn,
  hostOf,
  listen,
  offered,
  provider,
  seed,
  sent,
  shake,
  tcp,
  UDP,
  withFields,
} from "./fixture_test.ts";
import { HalfOpenTable } from "./half_open.ts";
import { decodeHandshakeFrame, encodeHandshakeFrame } from "./handshake_frame.ts";
import { decodeMessage } from "./messages.ts";
import { encodeParameters, negotiation, transportParameters } from "./parameters.ts";
import { judgePayload } from "./peer_payload.ts";
import type { ResponderHandshake } from "./responder_handshake.ts";
import { encodeRetry } from "./retry.ts";
import { timeoutError } from "./timeout_error.ts";

/** A key of ours whose agreements come out as `agree` says. */
function keyThat(agree: X25519PrivateKey["agree"]): X25519PrivateKey {
  const { publicKey } = provider.x25519();
  return { publicKey, agree, destroy: () => undefined };
}

/** A private key whose public key is chosen so that the session id becomes `id`. */
function keyFor(nonce: Uint8Array, id: Uint8Array): X25519PrivateKey {
  const key = provider.x25519();
  const publicKey = key.publicKey.slice();
  for (const [index, byte] of id.entries()) publicKey[index] = (nonce[index] as number) ^ byte;
  return { publicKey, agree: (other) => key.agree(other), destroy: () => key.destroy() };
}

const nonceIn = (frame: Uint8Array): Uint8Array => fieldsIn(frame).get("nonce") as Uint8Array;

function idIn(frame: Uint8Array): Uint8Array {
  return fieldsIn(frame).get("session_id") as Uint8Array;
}

test("rate: 20 in the second behind the burst, not one more", () => {
  const acceptor = listen();
  const stranger = sent(dial({ seedKeys: seed(9) }), 0);
  for (let ms = 0; ms <= 1000; ms++) acceptor.receive(stranger, UDP, ms);
  assert.equal(acceptor.drops.get("seed_id"), 25);
});

test("half of the half-open table counts as load, a third does not", () => {
  const acceptor = listen({ halfOpen: 6 });
  const types = [1, 2, 3, 4].map((host) =>
    fieldsIn(answered(acceptor, sent(dial(), 0), 0, hostOf(host))).get("type")
  );
  assert.deepEqual(types, ["RESPONSE", "RESPONSE", "RESPONSE", "RETRY"]);
});

test("a handshake that ends gives its address one place back, and no more", () => {
  const acceptor = listen({ halfOpenPerAddress: 2 });
  const first = {};
  answered(acceptor, sent(dial({ reliable: true }), 0), 0, tcp(first));
  answered(acceptor, sent(dial({ reliable: true }), 0), 0, tcp({}));
  acceptor.forget(first);
  answered(acceptor, sent(dial({ reliable: true }), 0), 0, tcp({}));
  assertDropped(acceptor, sent(dial({ reliable: true }), 0), "half_open", 0, tcp({}));
});

test("the half-open table forgets an address with its last handshake", () => {
  const table = new HalfOpenTable();
  const handshake = { destroy: () => undefined } as unknown as ResponderHandshake;
  const entry = (byte: number) => ({
    handshake,
    nonce: new Uint8Array(32).fill(byte),
    sessionId: new Uint8Array(8).fill(byte),
    address: "a",
    source: UDP,
    hello: new Uint8Array(0),
    response: new Uint8Array(0),
    repeatsElsewhere: 0,
    expiresMs: byte,
  });
  const [one, two] = [entry(1), entry(2)];
  table.add(one);
  table.add(two);
  assert.deepEqual([table.addresses, table.countOf("a")], [1, 2]);
  table.remove(one);
  table.remove(one);
  assert.deepEqual([table.addresses, table.countOf("a")], [1, 1]);
  table.remove(two);
  assert.deepEqual([table.addresses, table.countOf("a"), table.size], [0, 0, 0]);
  assert.equal(table.byConnection(undefined), undefined);
});

test("a HELLO is not answered twice over two kinds of transport", () => {
  const acceptor = listen();
  const hello = sent(dial(), 0);
  answered(acceptor, hello, 0);
  assertDropped(acceptor, hello, "replay", 0, tcp({}));
  const other = sent(dial(), 0);
  answered(acceptor, other, 0, tcp({}));
  assertDropped(acceptor, other, "replay", 0);
});

test("a session id that is half open, or whose FINAL may be repeated, is not given out again", () => {
  let next: X25519PrivateKey | undefined;
  const acceptor = listen({
    injection: { ephemeral: () => next ?? provider.x25519() },
    handshakeRate: Infinity,
  });
  const initiator = dial();
  const response = answered(acceptor, sent(initiator, 0), 0);
  const id = idIn(response);
  const collide = (): Uint8Array => {
    const hello = sent(dial(), 0);
    next = keyFor(nonceIn(hello), id);
    return hello;
  };
  assertDropped(acceptor, collide(), "session_id");
  initiator.receive(response, 1);
  acceptor.accept(offered(acceptor, sent(initiator, 1), 2), 3);
  assert.equal(acceptor.halfOpenCount, 0);
  assertDropped(acceptor, collide(), "session_id", 4);
});

test("eight nonces are tried for a free session id", () => {
  let tries = 0;
  const acceptor = listen({ sessionIdTaken: () => ++tries > 0 });
  assertDropped(acceptor, sent(dial(), 0), "session_id");
  assert.equal(tries, 8);
});

test("of two orders of suites the initiator's counts, on both sides", () => {
  for (const [ours, theirs] of [[[1, 2], [2, 1]], [[2, 1], [1, 2]]] as const) {
    const initiator = dial({ suites: ours });
    const pending = shake(initiator, listen({ suites: theirs }));
    assert.equal(initiator.phase, "done");
    assert.equal(pending.refusal, undefined);
    assert.equal(pending.session.suite, ours[0]);
  }
});

test("a session that is let go takes no other one of its id with it", () => {
  const keys: X25519PrivateKey[] = [];
  const acceptor = listen({ injection: { ephemeral: () => keys.pop() ?? provider.x25519() } });
  const initiator = dial();
  const response = answered(acceptor, sent(initiator, 0), 0);
  initiator.receive(response, 1);
  const pending = offered(acceptor, sent(initiator, 1), 2);
  acceptor.onTimeout(10_000);
  const hello = sent(dial({}, 10_000), 10_000);
  keys.push(keyFor(nonceIn(hello), idIn(response)));
  answered(acceptor, hello, 10_000);
  acceptor.release(pending);
  assert.equal(acceptor.halfOpenCount, 1);
});

test("as many FINALs are kept as handshakes may be half open", () => {
  const acceptor = listen({ halfOpen: 1, underLoad: () => false });
  const proofs = [1, 2].map((host) => {
    const initiator = dial();
    initiator.receive(answered(acceptor, sent(initiator, 0), 0, hostOf(host)), 0);
    const proof = sent(initiator, 0);
    acceptor.accept(offered(acceptor, proof, 0), 0);
    return proof;
  });
  assertDropped(acceptor, proofs[0] as Uint8Array, "attempt");
  answered(acceptor, proofs[1] as Uint8Array, 0);
});

test("reset tokens: of 16 bytes in the payload, made for ids of 8 bytes on both sides", () => {
  const lengths = new Set<number>();
  const resetToken = (id: Uint8Array): Uint8Array => {
    lengths.add(id.length);
    return new Uint8Array(16).fill(7);
  };
  const initiator = dial({ resetToken });
  const pending = shake(initiator, listen({ resetToken }));
  assert.equal(initiator.session?.peer.parameters.reset?.length, 16);
  assert.equal(pending.session.peer.parameters.reset?.length, 16);
  assert.deepEqual([...lengths], [8]);
});

test("a listener whose reset tokens would not fit says so before it listens", () => {
  const filled = (length: number) =>
    transportParameters({ extra: new Map([["x", new Uint8Array(length)]]) });
  const base = encodeParameters(filled(0), negotiation(1, [1, 2])).length;
  const parameters = filled(395 - base);
  listen({ parameters });
  assert.throws(() => listen({ parameters, resetToken: () => undefined }), { code: "CONFIG" });
});

test("what a session says of itself", () => {
  const initiator = dial();
  const pending = shake(initiator, listen());
  for (const session of [initiator.session, pending.session]) {
    assert.equal(session?.version, 1);
    assert.deepEqual([session?.peer.pinned, session?.peer.pairKey], [false, false]);
  }
  const pinned = dial({ expect: () => true });
  shake(pinned, listen());
  assert.equal(pinned.session?.peer.pinned, true);
  assert.equal("refusal" in pending, false);
});

test("dialling ourselves is told to the listener as well", () => {
  const staticKey = provider.x25519();
  const pending = (allowSelf: boolean) => {
    const initiator = dial({ staticKey, allowSelf: true });
    const acceptor = listen({ staticKey, allowSelf });
    initiator.receive(answered(acceptor, sent(initiator, 0), 0), 0);
    return offered(acceptor, sent(initiator, 0), 0);
  };
  assert.equal(pending(false).refusal?.code, "SELF");
  assert.equal(pending(true).refusal, undefined);
  const initiator = dial({ staticKey });
  const acceptor = listen({ staticKey });
  initiator.receive(answered(acceptor, sent(initiator, 0), 0), 0);
  assert.equal(initiator.failure?.code, "SELF");
});

test("cookies of 1 to 256 bytes are echoed, others end nothing on UDP", () => {
  for (const [length, echoed] of [[0, false], [1, true], [256, true], [257, false]] as const) {
    const initiator = dial();
    const nonce = nonceIn(sent(initiator, 0));
    const cookie = new Uint8Array(length);
    initiator.receive(encodeRetry(provider, seed(1).retryKey, nonce, { code: 1, cookie }), 1);
    assert.equal(initiator.transmit(1) !== undefined, echoed, `${length} bytes`);
    assert.equal(initiator.drops.get("retry"), echoed ? undefined : 1);
  }
});

test("errors that a listener's RETRY brings say that they are the listener's", () => {
  for (
    const [content, code] of [
      [{ code: 4 }, "BUSY"],
      [{ code: 2, versions: [9] }, "VERSION"],
      [{ code: 3, suites: [9] }, "SUITE"],
    ] as const
  ) {
    const initiator = dial();
    const nonce = nonceIn(sent(initiator, 0));
    initiator.receive(encodeRetry(provider, seed(1).retryKey, nonce, content), 1);
    assert.equal(initiator.failure?.code, code);
    assert.equal(initiator.failure?.remote, true);
  }
});

test("time passes a finished dial by, and a reliable one has nothing to repeat", () => {
  const done = dial();
  shake(done, listen());
  done.onTimeout(60_000);
  assert.equal(done.phase, "done");
  assert.equal(done.nextTimeout(), undefined);
  const reliable = dial({ reliable: true });
  sent(reliable, 0);
  reliable.onTimeout(5000);
  assert.equal(reliable.transmit(5000), undefined);
  assert.equal(reliable.phase, "hello");
});

test("a finished dial takes no frames and no end any more", () => {
  const done = dial({ reliable: true });
  shake(done, listen(), tcp({}));
  done.receive(Uint8Array.of(1), 100);
  assert.equal(done.drops.get("state"), 1);
  done.destroy();
  assert.deepEqual([done.phase, done.failure], ["done", undefined]);
});

test("a listener that speaks our version after all is dialled anew", () => {
  const initiator = dial();
  const nonce = nonceIn(sent(initiator, 0));
  const content = { code: 2, versions: [9, 1] };
  initiator.receive(encodeRetry(provider, seed(1).retryKey, nonce, content), 1);
  assert.notDeepEqual(nonceIn(sent(initiator, 1)), nonce);
});

test("the slowest rate still admits one", () => {
  const acceptor = listen({ handshakeRate: 1 });
  answered(acceptor, sent(dial(), 0), 0);
  assertDropped(acceptor, sent(dial(), 0), "rate");
});

test("a repeat that waits to be sent does not move the next one", () => {
  const initiator = dial();
  sent(initiator, 0);
  initiator.onTimeout(1000);
  assert.equal(initiator.nextTimeout(), 10_000, "it is due already");
  initiator.onTimeout(2500);
  sent(initiator, 2500);
  assert.equal(initiator.nextTimeout(), 2000);
});

test("an answer in no time is a round trip of 0 ms", () => {
  const initiator = dial();
  initiator.receive(answered(listen(), sent(initiator, 5), 5), 5);
  assert.equal(initiator.rttMs, 0);
});

test("a RETRY is not awaited behind RESPONSE", () => {
  const initiator = dial();
  const hello = sent(initiator, 0);
  initiator.receive(answered(listen(), hello, 0), 0);
  const content = { code: 1, cookie: new Uint8Array(20) };
  initiator.receive(encodeRetry(provider, seed(1).retryKey, nonceIn(hello), content), 1);
  assert.equal(initiator.phase, "proof");
  assert.equal(initiator.drops.get("state"), 1);
});

test("a static key that agrees on nothing ends the dial, one that breaks is no fault of the peer", () => {
  const silent = dial({ staticKey: keyThat(() => undefined) });
  silent.receive(answered(listen(), sent(silent, 0), 0), 0);
  assert.equal(silent.failure?.code, "CRYPTO");
  for (const fault of [new Error("the hardware is gone"), new SttError("INTERNAL", "a bug")]) {
    const broken = keyThat(() => {
      throw fault;
    });
    const initiator = dial({ staticKey: broken });
    const response = answered(listen(), sent(initiator, 0), 0);
    assert.throws(() => initiator.receive(response, 0), fault);
    const acceptor = listen({ injection: { ephemeral: () => broken } });
    assert.throws(() => acceptor.receive(sent(dial(), 0), UDP, 0), fault);
  }
});

test("a provider that breaks while AUTH_PROOF is read is not taken for a wrong pair key", () => {
  const fault = new Error("the hardware is gone");
  let broken = false;
  const ephemeral = (): X25519PrivateKey => {
    const key = provider.x25519();
    const agree = (other: Uint8Array): Uint8Array | undefined => {
      if (broken) throw fault;
      return key.agree(other);
    };
    return { publicKey: key.publicKey, agree, destroy: () => key.destroy() };
  };
  const acceptor = listen({ injection: { ephemeral } });
  const initiator = dial();
  initiator.receive(answered(acceptor, sent(initiator, 0), 0), 0);
  const proof = sent(initiator, 0);
  broken = true;
  assert.throws(() => acceptor.receive(proof, UDP, 0), fault);
});

test("mistakes of the caller are not taken for bytes of the peer", () => {
  assert.throws(() => decodeMessage(undefined as never), TypeError);
  const rules = { role: "initiator", suite: 1, version: 1, suites: [1], app: "" } as const;
  assert.throws(() => judgePayload(rules, undefined as never), TypeError);
  const payload = encodeParameters(transportParameters(), negotiation(1, [1]));
  assert.equal("error" in judgePayload(rules, payload), false);
  assert.equal(judgePayload(rules, new Uint8Array()).resumed, false, "nothing that decodes");
});

test("strangers' frames have bodies of 4096 bytes at most", () => {
  // The header has 30 bytes, and one for the length of the metadata.
  const largest = encodeHandshakeFrame(new Uint8Array(4096 - 31));
  assert.equal(decodeHandshakeFrame(largest).length, 4096 - 31);
  const larger = encodeHandshakeFrame(new Uint8Array(4097 - 31));
  assert.throws(() => decodeHandshakeFrame(larger), { limit: 4096 });
});

test("a HELLO without a cookie or a ticket has no such property", () => {
  const hello = sent(dial(), 0);
  for (const name of ["cookie", "ticket"]) {
    assert.equal(name in decodeMessage(hello), false);
    assert.equal(name in decodeMessage(withFields(hello, { [name]: new Uint8Array(16) })), true);
  }
});

test("a field that breaks its rule is named with the rule", () => {
  const fields = new Map<string, SttValue>();
  assert.throws(() => checkFields("X", fields, { a: "int" }), /a is absent or not int$/);
  assert.throws(
    () => checkFields("X", fields, { b: { bytes: 32 } }),
    /b is absent or not 32 bytes$/,
  );
});

test("a dial that nothing came back to speaks of no dropped frames", () => {
  assert.doesNotMatch(timeoutError("hello", 10, new Map()).message, /dropped/);
  assert.match(timeoutError("hello", 10, new Map([["frame", 2]])).message, /dropped: 2 frame$/);
});
