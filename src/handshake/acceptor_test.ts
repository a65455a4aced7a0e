import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import {
  answered,
  assertDropped,
  dial,
  fieldsIn,
  flipped,
  hostOf,
  listen,
  offered,
  provider,
  seed,
  sent,
  shake,
  tcp,
  UDP,
  UNIX_MS,
  withFields,
} from "./fixture_test.ts";
import { transportParameters } from "./parameters.ts";

test("the four messages with IP and UDP headers are at most 1300 bytes with default parameters", () => {
  // What `listen` and `connect` announce: SPEC 6.2.9 has no default for these.
  const parameters = transportParameters({ capabilities: 11 });
  const initiator = dial({ parameters });
  const acceptor = listen({ parameters });
  const hello = sent(initiator, 0);
  const response = answered(acceptor, hello, 0);
  initiator.receive(response, 0);
  const proof = sent(initiator, 0);
  const final = acceptor.accept(offered(acceptor, proof, 0), 0);
  const sizes = [hello, response, proof, final].map(({ length }) => length + 28);
  const total = sizes.reduce((sum, size) => sum + size, 0);
  assert.ok(total <= 1300, `${sizes.join(" + ")} = ${total}`);
  assert.ok(response.length < 3 * hello.length);
});

test("a handshake: both sides have the same keys and know each other", () => {
  const initiator = dial();
  const acceptor = listen();
  const pending = shake(initiator, acceptor);
  const [ours, theirs] = [initiator.session!, pending.session];
  assert.equal(toHex(ours.secrets.i2r), toHex(theirs.secrets.i2r));
  assert.equal(toHex(ours.secrets.r2i), toHex(theirs.secrets.r2i));
  assert.equal(toHex(ours.sessionId), toHex(theirs.sessionId));
  assert.equal(ours.peer.pinned, false);
  assert.equal(theirs.peer.seedIndex, 0);
  assert.equal(acceptor.halfOpenCount, 0);
  assert.deepEqual(acceptor.counters, {
    responses: 1,
    retries: new Map(),
    repeats: 0,
    sessions: 1,
  });
});

test("each of 64 seeds works and is named; another one is silence", () => {
  const acceptor = listen({ seeds: Array.from({ length: 64 }, (_, index) => seed(index + 1)) });
  for (const fill of [1, 33, 64]) {
    const pending = shake(dial({ seedKeys: seed(fill) }), acceptor);
    assert.equal(pending.session.peer.seedIndex, fill - 1);
  }
  assertDropped(acceptor, sent(dial({ seedKeys: seed(65) }), 0), "seed_id");
  assert.equal(acceptor.halfOpenCount, 0);
});

test("the order of the checks: the first that fails decides", () => {
  const acceptor = listen({ handshakeRate: Infinity, ownNonces: () => own });
  let own = false;
  const hello = sent(dial(), 0);
  // Everything is wrong at once; one thing after the other is put right.
  const wrong = withFields(hello, {
    seed_id: new Uint8Array(8),
    version: 2,
    suites: [99],
    timestamp: 0,
    commitment: new Uint8Array(16),
  });
  const fields = fieldsIn(hello);
  assertDropped(acceptor, flipped(wrong, 4), "frame");
  assertDropped(acceptor, wrong, "seed_id");
  const seeded = withFields(wrong, { seed_id: fields.get("seed_id")! });
  own = true;
  assertDropped(acceptor, seeded, "reflection");
  own = false;
  const retryCode = (frame: Uint8Array) => fieldsIn(answered(acceptor, frame, 0)).get("code");
  assert.equal(retryCode(seeded), 2);
  const versioned = withFields(seeded, { version: 1 });
  assertDropped(acceptor, versioned, "suite");
  assert.equal(retryCode(withFields(versioned, { suites: [99, 1] })), 3);
  const suited = withFields(versioned, { suites: [1] });
  assert.equal(retryCode(suited), 1);
  assertDropped(acceptor, withFields(suited, { timestamp: UNIX_MS }), "commitment");
  assert.equal(acceptor.halfOpenCount, 0);
  answered(acceptor, hello, 0);
});

test("an identical HELLO gets the stored RESPONSE, from any address, with or without cookie", () => {
  const acceptor = listen();
  const hello = sent(dial(), 0);
  const response = toHex(answered(acceptor, hello, 0));
  assert.equal(toHex(answered(acceptor, hello, 1000)), response);
  assert.equal(toHex(answered(acceptor, hello, 2000, hostOf(1))), response);
  const cookie = new Uint8Array(20);
  assert.equal(toHex(answered(acceptor, withFields(hello, { cookie }), 3000)), response);
  assert.equal(acceptor.halfOpenCount, 1);
  assert.equal(acceptor.counters.repeats, 3);
});

test("other addresses get a RESPONSE again 5 times in all, the first address as long as its rate lets it", () => {
  const acceptor = listen({ timeoutMs: 10_000 });
  const hello = sent(dial(), 0);
  const response = toHex(answered(acceptor, hello, 0));
  for (const atMs of [100, 200, 300]) {
    assert.equal(toHex(answered(acceptor, hello, atMs)), response);
  }
  const elsewhere = [hostOf(1), hostOf(2), { ...UDP, port: 1 }, hostOf(1), hostOf(3)];
  for (const from of elsewhere) {
    assert.equal(toHex(answered(acceptor, hello, 500, from)), response);
  }
  for (const atMs of [600, 700, 9_999]) {
    assertDropped(acceptor, hello, "duplicate", atMs, hostOf(4));
  }
  const cookie = new Uint8Array(20);
  assertDropped(acceptor, withFields(hello, { cookie }), "duplicate", 800, hostOf(4));
  assert.equal(toHex(answered(acceptor, hello, 9_999)), response);
  assertDropped(acceptor, hello, "replay", 10_000);
  assertDropped(acceptor, hello, "replay", 10_000, hostOf(4));
});

test("HELLOs with a nonce that was seen count for the rate, broken ones too, and are forgotten with it", () => {
  const acceptor = listen({ maxNonces: 1, timeoutMs: 1000 });
  const hello = sent(dial(), 0);
  answered(acceptor, hello, 0);
  for (const zeta of [0, 1, 2, 3]) {
    assertDropped(acceptor, withFields(hello, { zeta }), "replay", 2000, hostOf(1));
  }
  assertDropped(acceptor, withFields(hello, { capabilities: "none" }), "replay", 2000, hostOf(1));
  assertDropped(acceptor, hello, "rate", 2000, hostOf(1));
  // Another nonce pushes the first out of the cache.
  answered(acceptor, sent(dial(), 2000), 2000, hostOf(2));
  answered(acceptor, hello, 3000, hostOf(3));
});

test("the same nonce with other content is dropped", () => {
  const ephemeral = provider.randomBytes(32);
  const injection = { ephemeral: () => provider.x25519(ephemeral) };
  const acceptor = listen();
  answered(acceptor, sent(dial({ injection }), 0), 0);
  // A second genuine HELLO of the same key differs in its node_id.
  assertDropped(acceptor, sent(dial({ injection }), 0), "replay");
  assert.equal(acceptor.halfOpenCount, 1);
});

test("replays: HELLO after its handshake is over, AUTH_PROOF elsewhere, all messages to a fresh dial", () => {
  const acceptor = listen();
  const initiator = dial();
  const hello = sent(initiator, 0);
  const response = answered(acceptor, hello, 1);
  initiator.receive(response, 2);
  const proof = sent(initiator, 2);
  const pending = offered(acceptor, proof, 3);
  assertDropped(acceptor, hello, "duplicate", 3);
  const final = acceptor.accept(pending, 4);
  assertDropped(acceptor, hello, "replay", 5);
  assertDropped(acceptor, hello, "replay", 100_000);
  assertDropped(acceptor, proof, "attempt", 100_000);
  assertDropped(listen(), proof, "attempt");
  for (const frame of [response, final]) assertDropped(acceptor, frame, "type", 100_000);
  const fresh = dial();
  sent(fresh, 0);
  for (const frame of [hello, response, proof, final]) fresh.receive(frame, 1);
  assert.equal(fresh.phase, "hello");
});

test("a HELLO replayed to another listener of the seed opens nothing without the initiator", () => {
  const initiator = dial();
  const hello = sent(initiator, 0);
  const other = listen({ staticKey: provider.x25519() });
  const acceptor = listen();
  answered(other, hello, 0);
  initiator.receive(answered(acceptor, hello, 1), 2);
  assertDropped(other, sent(initiator, 2), "attempt", 3);
});

test("FINAL only on accept; an identical AUTH_PROOF gets it again, 5 times within 10 s", () => {
  const acceptor = listen();
  const initiator = dial();
  initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
  const proof = sent(initiator, 2);
  const pending = offered(acceptor, proof, 3);
  assert.equal(acceptor.halfOpenCount, 1);
  assertDropped(acceptor, proof, "duplicate", 4);
  const final = acceptor.accept(pending, 2000);
  assert.equal(acceptor.halfOpenCount, 0);
  for (let times = 0; times < 5; times++) {
    assert.equal(toHex(answered(acceptor, proof, 2001, hostOf(3))), toHex(final));
  }
  assertDropped(acceptor, proof, "duplicate", 2002);
  assertDropped(acceptor, flipped(proof, proof.length - 1), "type", 2002);
  assert.equal(acceptor.nextTimeout(), 12_000);
  acceptor.onTimeout(12_000);
  assertDropped(acceptor, proof, "attempt", 12_000);
  assert.equal(acceptor.nextTimeout(), undefined);
});

test("refuse and release forget the session", () => {
  const acceptor = listen();
  for (const end of ["refuse", "release"] as const) {
    const initiator = dial();
    initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
    const proof = sent(initiator, 2);
    const pending = offered(acceptor, proof, 3);
    acceptor[end](pending, 4);
    assert.equal(acceptor.halfOpenCount, 0);
    assertDropped(acceptor, proof, "attempt", 5);
    acceptor.release(pending);
  }
});

test("accepting after the half-open deadline still makes a FINAL", () => {
  const acceptor = listen();
  const initiator = dial({ timeoutMs: 60_000 });
  initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
  const pending = offered(acceptor, sent(initiator, 2), 9_000);
  acceptor.onTimeout(11_000);
  assert.equal(acceptor.halfOpenCount, 0);
  initiator.receive(acceptor.accept(pending, 12_000), 12_001);
  assert.equal(initiator.phase, "done");
});

test("session ids: never 0, never one that is taken; another nonce is tried", () => {
  const tried: string[] = [];
  const acceptor = listen({
    sessionIdTaken: (id) => tried.push(toHex(id)) < 4,
  });
  shake(dial(), acceptor);
  assert.equal(new Set(tried).size, 4);
  const full = listen({ sessionIdTaken: () => true });
  assertDropped(full, sent(dial(), 0), "session_id");
  const ephemeral = provider.randomBytes(32);
  const injection = { ephemeral: () => provider.x25519(ephemeral) };
  assertDropped(listen({ injection }), sent(dial({ injection }), 0), "session_id");
});

test("pair keys: equal on both sides or silence; looked up by nodeId", () => {
  const pairKey = new Uint8Array(32).fill(5);
  const other = new Uint8Array(32).fill(6);
  for (const match of [pairKey, () => pairKey]) {
    const initiator = dial({ pairKey });
    const pending = shake(initiator, listen({ pairKey: match }));
    assert.equal(initiator.phase, "done");
    assert.equal(pending.session.peer.pairKey, true);
    assert.equal(initiator.session?.peer.pairKey, true);
  }
  const nobody = shake(dial(), listen({ pairKey: () => undefined }));
  assert.equal(nobody.session.peer.pairKey, false);
  const thrower = () => {
    throw new Error("lookup failed");
  };
  const mismatches = [
    [pairKey, other],
    [pairKey, undefined],
    [undefined, pairKey],
    [pairKey, () => undefined],
    [undefined, thrower],
    [pairKey, () => new Uint8Array(31)],
  ] as const;
  for (const [ours, theirs] of mismatches) {
    const initiator = dial(ours === undefined ? {} : { pairKey: ours });
    const acceptor = listen(theirs === undefined ? {} : { pairKey: theirs });
    initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
    assertDropped(acceptor, sent(initiator, 2), "crypto", 3);
    assert.equal(acceptor.halfOpenCount, 1);
  }
});

test("a payload of message 3 that is refused comes back with the session to say so under its keys", () => {
  const acceptor = listen({ parameters: transportParameters({ app: "" }) });
  // A lenient initiator sends what a strict one would refuse to encode: unknown depth in extra.
  const extra = new Map([["deep", [[1]]]]);
  const initiator = dial({ parameters: transportParameters({ extra }) });
  initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
  const pending = offered(acceptor, sent(initiator, 2), 3);
  assert.equal(pending.refusal?.code, "TRANSPORT_PARAMETER");
  assert.equal(toHex(pending.session.secrets.r2i), toHex(initiator.session!.secrets.r2i));
});

test("every bit of HELLO and AUTH_PROOF counts, and the genuine one still succeeds", () => {
  const acceptor = listen({ handshakeRate: Infinity });
  const initiator = dial();
  const hello = sent(initiator, 0);
  for (let bit = 0; bit < hello.length * 8; bit++) {
    const result = acceptor.receive(flipped(hello, bit >> 3, 1 << (bit & 7)), UDP, 1);
    const type = result.kind === "send" ? fieldsIn(result.frame).get("type") : "RETRY";
    assert.equal(type, "RETRY", `bit ${bit}`);
    assert.equal(acceptor.halfOpenCount, 0);
  }
  initiator.receive(answered(acceptor, hello, 1), 2);
  const proof = sent(initiator, 2);
  for (let bit = 0; bit < proof.length * 8; bit++) {
    const result = acceptor.receive(flipped(proof, bit >> 3, 1 << (bit & 7)), UDP, 3);
    assert.equal(result.kind, "drop", `bit ${bit}`);
  }
  offered(acceptor, proof, 4);
});

test("reliable transports: a session lives on its one connection, and every failure frees it", () => {
  const acceptor = listen({ handshakeRate: Infinity });
  const [one, two] = [{}, {}];
  const initiator = dial({ reliable: true });
  const hello = sent(initiator, 0);
  initiator.receive(answered(acceptor, hello, 0, tcp(one)), 1);
  const proof = sent(initiator, 1);
  assertDropped(acceptor, hello, "replay", 1, tcp(two));
  assertDropped(acceptor, proof, "attempt", 1, tcp(two));
  assertDropped(acceptor, proof, "attempt", 1, UDP);
  assert.equal(acceptor.halfOpenCount, 1);
  assertDropped(acceptor, flipped(proof, proof.length - 100), "crypto", 1, tcp(one));
  assert.equal(acceptor.halfOpenCount, 0);
});

test("reliable transports: one handshake per connection; FINAL is not kept for repeats", () => {
  const acceptor = listen({ handshakeRate: Infinity });
  const connection = {};
  const initiator = dial({ reliable: true });
  const pending = shake(initiator, acceptor, tcp(connection));
  assert.equal(initiator.phase, "done");
  assert.equal(acceptor.nextTimeout(), undefined);
  acceptor.release(pending);
  answered(acceptor, sent(dial({ reliable: true }), 0), 1, tcp(connection));
  assertDropped(acceptor, sent(dial({ reliable: true }), 0), "duplicate", 1, tcp(connection));
  assert.equal(acceptor.halfOpenCount, 0);
  answered(acceptor, sent(dial({ reliable: true }), 0), 1, tcp(connection));
  acceptor.forget(connection);
  assert.equal(acceptor.halfOpenCount, 0);
});

test("a UDP session's AUTH_PROOF may come from another address, but not by another transport", () => {
  const acceptor = listen();
  const initiator = dial();
  initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
  const proof = sent(initiator, 2);
  assertDropped(acceptor, proof, "attempt", 3, tcp({}));
  offered(acceptor, proof, 3, { ...UDP, host: "198.51.100.77", port: 1 });
});

test("destroy forgets what is half open", () => {
  const acceptor = listen();
  answered(acceptor, sent(dial(), 0), 0);
  acceptor.destroy();
  assert.equal(acceptor.halfOpenCount, 0);
  assert.equal(acceptor.nextTimeout(), undefined);
});

test("options that cannot be used are refused at once", () => {
  const wrong = [
    { seeds: [] },
    { seeds: new Array(65).fill(seed(1)) },
    { suites: [] },
    { pairKey: new Uint8Array(31) },
    { halfOpen: 0 },
    { halfOpenPerAddress: -1 },
    { handshakeRate: Number.NaN },
    { timeoutMs: 0 },
    { parameters: transportParameters({ maxFrame: 1 }) },
  ];
  for (const overrides of wrong) assert.throws(() => listen(overrides), { code: "CONFIG" });
});
