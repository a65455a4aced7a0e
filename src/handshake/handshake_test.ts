import fc from "fast-check";
import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import { toHex } from "../codec/hex.ts";
import type { Acceptor } from "./acceptor.ts";
import { dial, listen, offered, provider, sent, shake, UDP } from "./fixture_test.ts";
import type { Initiator } from "./initiator.ts";
import { decodeMessage } from "./messages.ts";
import { routeHandshake } from "./routing.ts";
import type { PendingSession } from "./types.ts";

/** What the link does with one frame: nothing (lost), or copies after these delays. */
type Link = (frame: Uint8Array, nowMs: number) => readonly number[];

interface Outcome {
  readonly initiator: Initiator;
  readonly acceptor: Acceptor;
  readonly sessions: PendingSession[];
  readonly endMs: number;
  readonly sent: string[];
}

interface Arrival {
  readonly atMs: number;
  readonly to: "initiator" | "acceptor";
  readonly frame: Uint8Array;
}

/** Runs one dial in virtual time until it is done or failed. */
function run(link: Link, acceptDelayMs = 0): Outcome {
  const initiator = dial();
  const acceptor = listen({ handshakeRate: Infinity });
  const sessions: PendingSession[] = [];
  const names: string[] = [];
  const arrivals: Arrival[] = [];
  const accepts: { atMs: number; pending: PendingSession }[] = [];
  let nowMs = 0;
  const send = (to: Arrival["to"], frame: Uint8Array): void => {
    names.push(decodeMessage(frame).type);
    for (const delay of link(frame, nowMs)) arrivals.push({ atMs: nowMs + delay, to, frame });
  };
  while (initiator.phase === "hello" || initiator.phase === "proof") {
    for (let frame; (frame = initiator.transmit(nowMs)) !== undefined;) send("acceptor", frame);
    arrivals.sort((a, b) => a.atMs - b.atMs);
    const next = Math.min(
      initiator.nextTimeout() ?? Infinity,
      acceptor.nextTimeout() ?? Infinity,
      arrivals[0]?.atMs ?? Infinity,
      accepts[0]?.atMs ?? Infinity,
    );
    assert.ok(next < Infinity, "nothing left to wait for");
    nowMs = Math.max(nowMs, next);
    initiator.onTimeout(nowMs);
    acceptor.onTimeout(nowMs);
    while ((accepts[0]?.atMs ?? Infinity) <= nowMs) {
      const { pending } = accepts.shift()!;
      send("initiator", acceptor.accept(pending, nowMs));
    }
    while ((arrivals[0]?.atMs ?? Infinity) <= nowMs) {
      const { to, frame } = arrivals.shift()!;
      if (to === "initiator") {
        initiator.receive(frame, nowMs);
        continue;
      }
      const result = acceptor.receive(frame, UDP, nowMs);
      if (result.kind === "send") send("initiator", result.frame);
      if (result.kind === "session") {
        sessions.push(result.pending);
        accepts.push({ atMs: nowMs + acceptDelayMs, pending: result.pending });
      }
    }
  }
  return { initiator, acceptor, sessions, endMs: nowMs, sent: names };
}

/** Loses the first `count` frames of one message. */
function losing(name: string, count: number, delayMs = 10): Link {
  let left = count;
  return (frame) => decodeMessage(frame).type === name && left-- > 0 ? [] : [delayMs];
}

test("no loss: four messages", () => {
  const { initiator, sent: names, endMs } = run(() => [10]);
  assert.equal(initiator.phase, "done");
  assert.deepEqual(names, ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]);
  assert.equal(endMs, 40);
});

test("loss of each message, once to four times, is repaired by the initiator's timers alone", () => {
  const ends: Record<string, number[]> = {};
  for (const name of ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]) {
    ends[name] = [1, 2, 3, 4].map((count) => {
      const { initiator, acceptor, sessions, endMs } = run(losing(name, count));
      assert.equal(initiator.phase, "done", `${name} lost ${count} times`);
      assert.equal(sessions.length, 1);
      assert.equal(acceptor.halfOpenCount, 0);
      return endMs;
    });
  }
  assert.deepEqual(ends.HELLO, [1040, 2040, 4040, 8040]);
  assert.deepEqual(ends.RESPONSE, [1040, 2040, 4040, 8040]);
  assert.deepEqual(ends.AUTH_PROOF, [140, 340, 740, 1540]);
  assert.deepEqual(ends.FINAL, [140, 340, 740, 1540]);
});

test("loss of everything is HANDSHAKE_TIMEOUT after 10 s", () => {
  for (const name of ["HELLO", "RESPONSE", "AUTH_PROOF", "FINAL"]) {
    const { initiator, endMs } = run(losing(name, Infinity));
    assert.equal(initiator.failure?.code, "HANDSHAKE_TIMEOUT");
    assert.equal(endMs, 10_000);
  }
});

test("an accept hook that takes its time delays FINAL, and repeats of AUTH_PROOF ask it once", () => {
  const { initiator, sessions, endMs, sent: names } = run(() => [10], 3000);
  assert.equal(initiator.phase, "done");
  assert.equal(sessions.length, 1);
  assert.equal(endMs, 3040);
  assert.ok(names.filter((name) => name === "AUTH_PROOF").length > 1);
  assert.equal(names.filter((name) => name === "FINAL").length, 1);
});

test("property: over any link that lets something through, both sides end with one session", () => {
  const fate = fc.oneof(
    { weight: 3, arbitrary: fc.constant<number[]>([]) },
    { weight: 6, arbitrary: fc.array(fc.integer({ min: 1, max: 600 }), { maxLength: 3 }) },
  );
  fc.assert(
    fc.property(fc.array(fate, { minLength: 30, maxLength: 30 }), (fates) => {
      let index = 0;
      const { initiator, sessions } = run(() => fates[index++] ?? [20]);
      assert.ok(sessions.length <= 1);
      if (initiator.phase === "failed") {
        assert.equal(initiator.failure?.code, "HANDSHAKE_TIMEOUT");
        return;
      }
      const [ours, theirs] = [initiator.session!, sessions[0]!.session];
      assert.equal(toHex(ours.secrets.i2r), toHex(theirs.secrets.i2r));
      assert.equal(toHex(ours.secrets.handshakeHash), toHex(theirs.secrets.handshakeHash));
    }),
    { numRuns: 150 },
  );
});

test("property: junk between the messages changes nothing", () => {
  const junk = fc.array(fc.uint8Array({ maxLength: 80 }), { maxLength: 5 });
  fc.assert(
    fc.property(junk, fc.nat(2000), (frames, offset) => {
      const initiator = dial();
      const acceptor = listen({ handshakeRate: Infinity });
      const disturb = (genuine: Uint8Array): void => {
        const changed = genuine.slice();
        changed[offset % changed.length]! ^= 0x55;
        for (const frame of [...frames, changed]) {
          initiator.receive(frame, 1);
          acceptor.receive(frame, UDP, 1);
        }
      };
      const hello = sent(initiator, 0);
      disturb(hello);
      const response = acceptor.receive(hello, UDP, 1);
      assert.ok(response.kind === "send");
      disturb(response.frame);
      initiator.receive(response.frame, 2);
      const proof = sent(initiator, 2);
      disturb(proof);
      const final = acceptor.accept(offered(acceptor, proof, 3), 3);
      disturb(final);
      initiator.receive(final, 4);
      assert.equal(initiator.phase, "done");
    }),
    { numRuns: 60 },
  );
});

test("a RETRY on a reliable transport: the new HELLO goes on the same connection", () => {
  const connection = {};
  const from = { ...UDP, reliable: true, connection };
  for (const overrides of [{ underLoad: () => true }, { suites: [2] }]) {
    const initiator = dial({ reliable: true });
    const acceptor = listen(overrides);
    const retry = acceptor.receive(sent(initiator, 0), from, 1);
    assert.ok(retry.kind === "send");
    initiator.receive(retry.frame, 2);
    shake(initiator, acceptor, from);
    assert.equal(initiator.phase, "done");
  }
});

test("frames of a shared socket find their dial", () => {
  const [one, two] = [dial(), dial()];
  const acceptor = listen();
  const hello = sent(one, 0);
  assert.deepEqual(routeHandshake(hello), { to: "acceptor" });
  const response = acceptor.receive(hello, UDP, 1);
  assert.ok(response.kind === "send");
  const route = routeHandshake(response.frame);
  assert.ok(route?.to === "attempt");
  assert.equal(toHex(route.nonceStart), toHex(one.openNonce!.subarray(0, 8)));
  assert.notEqual(toHex(route.nonceStart), toHex(two.openNonce!.subarray(0, 8)));
  one.receive(response.frame, 2);
  const final = acceptor.accept(offered(acceptor, sent(one, 2), 3), 3);
  assert.deepEqual(routeHandshake(final), { to: "session", sessionId: one.sessionId });
  const busy = listen({ busy: () => true }).receive(sent(two, 0), UDP, 0);
  assert.ok(busy.kind === "send");
  const back = routeHandshake(busy.frame);
  assert.ok(back?.to === "attempt");
  assert.equal(toHex(back.nonceStart), toHex(two.openNonce!.subarray(0, 8)));
  assert.equal(routeHandshake(Uint8Array.of(1, 2)), undefined);
});

test("ephemeral keys are destroyed once the handshake is over, on both sides and on failure", () => {
  const counted = () => {
    const counts = { made: 0, destroyed: 0 };
    const ephemeral = () => {
      const key = provider.x25519();
      counts.made++;
      return {
        publicKey: key.publicKey,
        agree: (publicKey: Uint8Array) => key.agree(publicKey),
        destroy: () => {
          counts.destroyed++;
          key.destroy();
        },
      };
    };
    return { counts, injection: { ephemeral } };
  };
  const [ours, theirs] = [counted(), counted()];
  const initiator = dial({ injection: ours.injection });
  const acceptor = listen({ injection: theirs.injection });
  shake(initiator, acceptor);
  assert.deepEqual(ours.counts, { made: 1, destroyed: 1 });
  assert.deepEqual(theirs.counts, { made: 1, destroyed: 1 });

  const lost = counted();
  const failing = dial({ injection: lost.injection });
  failing.onTimeout(10_000);
  assert.deepEqual(lost.counts, { made: 1, destroyed: 1 });

  const expired = counted();
  const waiting = listen({ injection: expired.injection });
  waiting.receive(sent(dial(), 0), UDP, 0);
  waiting.onTimeout(10_000);
  assert.deepEqual(expired.counts, { made: 1, destroyed: 1 });
});

test("nothing that can be printed shows key material", () => {
  const initiator = dial();
  const pending = shake(initiator, listen());
  const { secrets } = pending.session;
  const shown = [inspect(initiator, { depth: 9 }), inspect(pending, { depth: 9 })]
    .concat(JSON.stringify(pending), JSON.stringify(initiator));
  for (const secret of [secrets.i2r, secrets.r2i, secrets.final, secrets.exporter]) {
    const spellings = [toHex(secret), [...secret].join(), [...secret].join(", ")];
    for (const text of shown) {
      for (const spelling of spellings) assert.ok(!text.includes(spelling));
    }
  }
});
