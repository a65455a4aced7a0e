import assert from "node:assert/strict";
import { test } from "node:test";
import type { CryptoProvider } from "../crypto/provider.ts";
import { Acceptor } from "./acceptor.ts";
import {
  acceptorConfig,
  answered,
  assertDropped,
  dial,
  fieldsIn,
  hostOf,
  listen,
  provider,
  seed,
  sent,
  shake,
  UDP,
  UNIX_MS,
  withFields,
} from "./fixture_test.ts";
import { transportParameters } from "./parameters.ts";

test("rate: shape comes first, then 20 per second and address with a burst of 5", () => {
  const acceptor = listen();
  for (let times = 0; times < 50; times++) assertDropped(acceptor, Uint8Array.of(1), "frame");
  const stranger = sent(dial({ seedKeys: seed(9) }), 0);
  for (let times = 0; times < 5; times++) assertDropped(acceptor, stranger, "seed_id");
  assertDropped(acceptor, stranger, "rate");
  assertDropped(acceptor, sent(dial(), 0), "rate");
  answered(acceptor, sent(dial(), 0), 0, hostOf(1));
  assertDropped(acceptor, stranger, "seed_id", 50);
  assert.equal(acceptor.drops.get("rate"), 2);
});

test("freshness: 2 minutes either way, else a cookie", () => {
  for (const offMs of [120_000, -120_000]) {
    const fresh = answered(listen({ unixOffsetMs: UNIX_MS + offMs }), sent(dial(), 0), 0);
    assert.equal(fieldsIn(fresh).get("type"), "RESPONSE");
  }
  for (const offMs of [120_001, -120_001]) {
    const acceptor = listen({ unixOffsetMs: UNIX_MS + offMs });
    const initiator = dial();
    initiator.receive(answered(acceptor, sent(initiator, 0), 0), 0);
    const withCookie = sent(initiator, 0);
    const other = { ...UDP, host: "192.0.2.8" };
    assert.equal(fieldsIn(answered(acceptor, withCookie, 0, other)).get("type"), "RETRY");
    assert.equal(fieldsIn(answered(acceptor, withCookie, 0)).get("type"), "RESPONSE");
  }
});

test("a timestamp that no clock can show needs a cookie, too", () => {
  const acceptor = listen();
  for (const timestamp of [2n ** 63n - 1n, 2n ** 64n - 1n, -(2n ** 63n), 0, -1]) {
    const frame = withFields(sent(dial(), 0), { timestamp });
    assert.equal(fieldsIn(answered(acceptor, frame, 0, hostOf(1))).get("code"), 1);
  }
});

test("the clock may be corrected while running", () => {
  const config = acceptorConfig({ unixOffsetMs: 0 });
  const acceptor = new Acceptor(config, 0);
  const hello = sent(dial(), 0);
  assert.equal(fieldsIn(answered(acceptor, hello, 0)).get("type"), "RETRY");
  config.unixOffsetMs = UNIX_MS;
  assert.equal(fieldsIn(answered(acceptor, hello, 0)).get("type"), "RESPONSE");
});

test("under load: the same dial gets in with a cookie, and no state is kept for the first HELLO", () => {
  const acceptor = listen({ underLoad: () => true });
  const initiator = dial();
  initiator.receive(answered(acceptor, sent(initiator, 0), 1), 2);
  assert.equal(acceptor.halfOpenCount, 0);
  shake(initiator, acceptor);
  assert.equal(initiator.phase, "done");
  assert.equal(acceptor.counters.retries.get(1), 1);
});

test("half of the half-open table in use counts as load", () => {
  const acceptor = listen({ halfOpen: 4 });
  const types = Array.from(
    { length: 3 },
    (_, index) => fieldsIn(answered(acceptor, sent(dial(), 0), 0, hostOf(index))).get("type"),
  );
  assert.deepEqual(types, ["RESPONSE", "RESPONSE", "RETRY"]);
});

test("busy: RETRY code 4, but only for a commitment that verifies", () => {
  const acceptor = listen({ busy: () => true });
  const initiator = dial();
  const hello = sent(initiator, 0);
  assertDropped(acceptor, withFields(hello, { commitment: new Uint8Array(16) }), "commitment");
  initiator.receive(answered(acceptor, hello, 1), 2);
  assert.equal(initiator.failure?.code, "BUSY");
  assert.equal(acceptor.halfOpenCount, 0);
});

test("a RETRY is never larger than its HELLO", () => {
  const initiator = dial({ suites: [1] });
  const hello = sent(initiator, 0);
  for (const overrides of [{ underLoad: () => true }, { suites: [2] }, { busy: () => true }]) {
    const result = listen(overrides).receive(hello, UDP, 0);
    if (result.kind === "send") assert.ok(result.frame.length <= hello.length);
  }
});

test("RESPONSE stays within 3 times HELLO with the largest payload that fits", () => {
  const hello = sent(dial({ suites: [1] }), 0);
  const extra = new Map([["x", new Uint8Array(400 - 111)]]);
  const response = answered(listen({ parameters: transportParameters({ extra }) }), hello, 0);
  assert.ok(response.length > 700 && response.length <= 3 * hello.length);
});

test("half-open handshakes end after their deadline", () => {
  const acceptor = listen();
  const initiator = dial();
  const response = answered(acceptor, sent(initiator, 0), 0);
  assert.equal(acceptor.nextTimeout(), 10_000);
  initiator.receive(response, 1);
  acceptor.onTimeout(10_000);
  assert.equal(acceptor.halfOpenCount, 0);
  assertDropped(acceptor, sent(initiator, 10_000), "attempt", 10_000);
});

test("bounds: 2 000 HELLOs of spoofed addresses leave no more than the limit", () => {
  const acceptor = listen({ halfOpen: 64, underLoad: () => false });
  let answers = 0;
  for (let index = 0; index < 2000; index++) {
    const result = acceptor.receive(sent(dial(), 0), hostOf(index), 0);
    if (result.kind === "send") answers += result.frame.length;
  }
  // From half of the table on only cookies are given out.
  assert.equal(acceptor.halfOpenCount, 32);
  assert.equal(acceptor.counters.retries.get(1), 2000 - 32);
  assert.ok(answers > 0);
  acceptor.onTimeout(10_000);
  assert.equal(acceptor.halfOpenCount, 0);
});

test("bounds: with the defaults, one address holds 16, all together never more than 1024", () => {
  const acceptor = listen({ handshakeRate: Infinity });
  for (let index = 0; index < 16; index++) answered(acceptor, sent(dial(), 0), 0);
  const unlucky = sent(dial(), 0);
  assertDropped(acceptor, unlucky, "half_open");
  answered(acceptor, sent(dial(), 0), 0, hostOf(1));
  assert.equal(acceptor.halfOpenCount, 17);
  assert.equal(fieldsIn(answered(acceptor, unlucky, 10_000)).get("type"), "RESPONSE");
});

test("bounds: the caches of nonces and networks are as large as their options say", () => {
  const acceptor = listen({ handshakeRate: 4, maxNonces: 2, maxNetworks: 2 });
  const hellos = [0, 1, 2].map(() => sent(dial(), 0));
  hellos.forEach((hello, index) => answered(acceptor, hello, 0, hostOf(index)));
  // Half-open handshakes are over; of three nonces two are known.
  acceptor.onTimeout(10_000);
  assertDropped(acceptor, hellos[2] as Uint8Array, "replay", 10_000, hostOf(7));
  assertDropped(acceptor, hellos[1] as Uint8Array, "replay", 10_000, hostOf(8));
  answered(acceptor, hellos[0] as Uint8Array, 10_000, hostOf(9));
  // One HELLO at once for each network; with two others the first is forgotten, and may come again.
  assertDropped(acceptor, sent(dial(), 0), "rate", 10_000, hostOf(9));
  for (const host of [11, 12]) answered(acceptor, sent(dial(), 0), 10_000, hostOf(host));
  answered(acceptor, sent(dial(), 0), 10_000, hostOf(9));
});

test("bounds: cookies do not pass the limit either", () => {
  const acceptor = listen({ halfOpen: 8 });
  for (let index = 0; index < 20; index++) {
    const initiator = dial();
    const from = hostOf(index);
    const first = acceptor.receive(sent(initiator, 0), from, 0);
    if (first.kind !== "send") continue;
    initiator.receive(first.frame, 1);
    if (initiator.phase !== "hello") continue;
    const second = acceptor.receive(sent(initiator, 1), from, 1);
    if (acceptor.halfOpenCount < 8) assert.equal(second.kind, "send");
  }
  assert.equal(acceptor.halfOpenCount, 8);
  assert.equal(acceptor.drops.get("half_open"), 12);
});

test("no key agreement before the commitment verified and there is room", () => {
  let agreements = 0;
  const counting: CryptoProvider = {
    ...provider,
    x25519: (privateKey) => {
      const key = provider.x25519(privateKey);
      return {
        publicKey: key.publicKey,
        agree: (publicKey) => {
          agreements++;
          return key.agree(publicKey);
        },
        destroy: () => key.destroy(),
      };
    },
  };
  const acceptor = listen({
    provider: counting,
    staticKey: counting.x25519(),
    handshakeRate: Infinity,
    halfOpenPerAddress: 1,
  });
  const hello = sent(dial(), 0);
  assertDropped(acceptor, withFields(hello, { commitment: new Uint8Array(16) }), "commitment");
  assertDropped(acceptor, withFields(hello, { seed_id: new Uint8Array(8) }), "seed_id");
  assert.equal(agreements, 0);
  answered(acceptor, hello, 0);
  const once = agreements;
  assert.ok(once > 0);
  answered(acceptor, hello, 1);
  assertDropped(acceptor, sent(dial(), 0), "half_open");
  assert.equal(agreements, once);
});

test("an ephemeral key of low order is dropped", () => {
  const injection = {
    ephemeral: () => ({
      publicKey: new Uint8Array(32),
      agree: () => undefined,
      destroy: () => undefined,
    }),
  };
  const acceptor = listen();
  assertDropped(acceptor, sent(dial({ injection }), 0), "crypto");
  assert.equal(acceptor.halfOpenCount, 0);
});
