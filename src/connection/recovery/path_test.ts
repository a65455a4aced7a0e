import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Path } from "./path.ts";
import type { PathAddress, PathConfig, PathProbe } from "./path.ts";

const OLD: PathAddress = { host: "192.0.2.1", port: 1000 };
const NEW: PathAddress = { host: "198.51.100.7", port: 2000 };
const OTHER: PathAddress = { host: "203.0.113.9", port: 3000 };
const PTO = 100;

function pathAt(config: Partial<PathConfig> = {}): Path {
  let count = 0;
  const random = (length: number): Uint8Array => new Uint8Array(length).fill(++count);
  return new Path({ remote: OLD, validated: true, migrate: true, random, ...config });
}

function receive(
  path: Path,
  from: PathAddress,
  sequence: number,
  nowMs: number,
  probing = false,
  bytes = 100,
): void {
  path.onDatagram(from.host, from.port, bytes);
  path.onFrame(from.host, from.port, bytes, sequence, probing, nowMs, PTO);
}

function probes(path: Path): PathProbe[] {
  const found: PathProbe[] = [];
  for (let probe = path.nextProbe(60, 0); probe !== undefined; probe = path.nextProbe(60, 0)) {
    found.push(probe);
    path.onSent(probe.to.host, probe.to.port, 60);
  }
  return found;
}

test("nothing happens while the peer stays", () => {
  const path = pathAt();
  for (let sequence = 0; sequence < 10; sequence++) receive(path, OLD, sequence, sequence);
  assert.deepEqual(probes(path), []);
  assert.equal(path.nextTimeout(), undefined);
  assert.equal(path.allowance, Infinity);
  assert.equal(path.holdBulk, false);
});

test("a new address and the old one are challenged; the new one's answer moves", () => {
  const path = pathAt();
  receive(path, OLD, 0, 0);
  receive(path, NEW, 1, 10);
  assert.equal(path.remote, OLD);
  assert.equal(path.holdBulk, true);
  const [first, second] = probes(path);
  assert.deepEqual([first!.to, first!.type, first!.limit], [NEW, "pathChallenge", 300]);
  assert.deepEqual([second!.to, second!.limit], [OLD, Infinity]);
  assert.notDeepEqual(first!.token, second!.token);
  assert.deepEqual(path.onResponse(first!.token, 30), {
    kind: "moved",
    from: OLD,
    to: NEW,
    portOnly: false,
    rttMs: 30,
  });
  assert.deepEqual(path.remote, NEW);
  assert.equal(path.validated, true);
  assert.equal(path.holdBulk, false);
  assert.equal(path.nextTimeout(), undefined);
  assert.equal(path.onResponse(first!.token, 30), undefined, "a token counts once");
});

test("a rebinding that only changes the port is told", () => {
  const path = pathAt();
  receive(path, { host: OLD.host, port: 4444 }, 0, 0);
  const change = path.onResponse(probes(path)[0]!.token, 30);
  assert.equal(change?.kind === "moved" && change.portOnly, true);
});

test("the old address answers and the new one is silent: stay", () => {
  const path = pathAt();
  receive(path, NEW, 0, 0);
  const first = probes(path);
  assert.equal(path.onResponse(first[1]!.token, 30), undefined);
  assert.equal(path.holdBulk, false);
  assert.equal(path.nextTimeout(), 100);
  path.onTimeout(99);
  assert.deepEqual(probes(path), []);
  path.onTimeout(100);
  assert.deepEqual(probes(path).map((probe) => probe.to), [NEW], "the old one has answered");
  assert.equal(path.nextTimeout(), 300);
  path.onTimeout(300);
  assert.deepEqual(probes(path).map((probe) => probe.to), [NEW]);
  assert.equal(path.takeStayed(), undefined);
  path.onTimeout(700);
  assert.deepEqual(path.takeStayed(), { kind: "stayed", rejected: NEW, oldAnswered: true });
  assert.equal(path.takeStayed(), undefined);
  assert.equal(path.remote, OLD);
  assert.equal(path.nextTimeout(), undefined);
  assert.equal(path.onResponse(first[0]!.token, 30), undefined, "too late");
});

test("neither answers: stay, and try again when the peer is heard from there again", () => {
  const path = pathAt();
  receive(path, NEW, 0, 0);
  probes(path);
  for (const nowMs of [100, 300, 700]) {
    path.onTimeout(nowMs);
    probes(path);
  }
  assert.deepEqual(path.takeStayed(), { kind: "stayed", rejected: NEW, oldAnswered: false });
  receive(path, NEW, 1, 800);
  assert.equal(path.onResponse(probes(path)[0]!.token, 30)?.kind, "moved");
});

test("late, probing and foreign frames do not count", () => {
  const path = pathAt();
  receive(path, OLD, 10, 0);
  receive(path, NEW, 9, 1);
  receive(path, NEW, 11, 2, true);
  assert.equal(path.nextTimeout(), undefined);
  assert.deepEqual(probes(path), []);
  receive(path, NEW, 12, 3);
  assert.equal(probes(path).length, 2);
});

test("a newer frame from the old address ends the examination", () => {
  const path = pathAt();
  receive(path, NEW, 5, 0);
  const token = probes(path)[0]!.token;
  receive(path, OLD, 4, 1);
  assert.equal(path.holdBulk, true, "an older frame was only late");
  receive(path, OLD, 6, 2);
  assert.deepEqual(path.takeStayed(), { kind: "stayed", rejected: NEW, oldAnswered: true });
  assert.equal(path.onResponse(token, 30), undefined);
  assert.equal(path.remote, OLD);
});

test("a third address takes the place of the second", () => {
  const path = pathAt();
  receive(path, NEW, 0, 0);
  const stale = probes(path)[0]!.token;
  receive(path, OTHER, 1, 1);
  const fresh = probes(path)[0]!;
  assert.deepEqual(fresh.to, OTHER);
  assert.equal(path.onResponse(stale, 30), undefined);
  assert.equal(path.onResponse(fresh.token, 30)?.kind, "moved");
  assert.deepEqual(path.remote, OTHER);
});

test("ever new addresses do not hold bulk data back for longer than one answer of the old one", () => {
  const path = pathAt();
  receive(path, { ...NEW, port: 1 }, 0, 0);
  const asked = probes(path).find(({ to }) => to === OLD)!;
  for (let count = 2; count < 50; count++) {
    receive(path, { ...NEW, port: count }, count, count);
    assert.equal(path.holdBulk, true);
    assert.equal(probes(path).length, 1, "the old address is asked once");
  }
  path.onResponse(asked.token, 60);
  assert.equal(path.holdBulk, false);
  for (let count = 61; count < 1060; count++) {
    receive(path, { ...NEW, port: count }, count, count);
    assert.equal(path.holdBulk, false);
    assert.equal(probes(path).length, 1);
  }
  receive(path, { ...NEW, port: 5 }, 2000, 1060);
  assert.equal(path.holdBulk, true);
  assert.equal(probes(path).length, 2);
});

test("migrate: false takes nothing from elsewhere", () => {
  const path = pathAt({ migrate: false });
  assert.equal(path.accepts(OLD.host, OLD.port), true);
  assert.equal(path.accepts(NEW.host, NEW.port), false);
  assert.equal(path.accepts(OLD.host, OLD.port + 1), false);
});

test("a guessed answer, or one before the challenge went out, moves nothing", () => {
  const path = pathAt();
  receive(path, NEW, 0, 0);
  assert.equal(path.onResponse(new Uint8Array(8).fill(1), 30), undefined);
  assert.equal(path.onResponse(new Uint8Array(8).fill(200), 30), undefined);
  assert.equal(path.remote, OLD);
});

test("challenges are answered to where they came from, within three times their size", () => {
  const path = pathAt();
  const token = new Uint8Array(8).fill(77);
  path.onChallenge(token, NEW.host, NEW.port, 70);
  token.fill(0);
  const [answer] = probes(path);
  assert.deepEqual([answer!.type, answer!.to, answer!.limit], ["pathResponse", NEW, 210]);
  assert.deepEqual(answer!.token, new Uint8Array(8).fill(77));
  path.onChallenge(token, NEW.host, NEW.port, 10);
  assert.deepEqual(probes(path), [], "too small to be answered");
  for (let count = 0; count < 100; count++) path.onChallenge(token, OLD.host, OLD.port, 70);
  assert.equal(probes(path).length, 4);
});

test("an address that is not validated gets three times what it sent", () => {
  const path = pathAt({ validated: false });
  assert.equal(path.allowance, 0);
  path.onDatagram(OLD.host, OLD.port, 100);
  assert.equal(path.allowance, 300);
  path.onSent(OLD.host, OLD.port, 250);
  assert.equal(path.allowance, 50);
  path.onDatagram(NEW.host, NEW.port, 1000);
  assert.equal(path.allowance, 50);
  path.onValidated();
  assert.equal(path.allowance, Infinity);
});

test("no address that has not answered gets more than three times what came from it", () => {
  const all = [OLD, NEW, OTHER];
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("frame" as const),
      from: fc.nat(2),
      probing: fc.boolean(),
      bytes: fc.integer({ min: 34, max: 200 }),
      older: fc.boolean(),
    }),
    fc.record({ kind: fc.constant("challenge" as const), from: fc.nat(2) }),
    fc.record({ kind: fc.constant("time" as const), ms: fc.nat(400) }),
    fc.record({ kind: fc.constant("answer" as const), pick: fc.nat(20) }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 100 }), fc.boolean(), (steps, validated) => {
    const path = pathAt({ validated });
    const received = [0, 0, 0];
    const sent = [0, 0, 0];
    const answered = [validated, false, false];
    const tokens: { to: number; token: Uint8Array }[] = [];
    let sequence = 0;
    let now = 0;
    for (const s of steps) {
      if (s.kind === "frame") {
        received[s.from]! += s.bytes;
        const number = s.older ? Math.max(sequence - 2, 0) : ++sequence;
        receive(path, all[s.from]!, number, now, s.probing, s.bytes);
      } else if (s.kind === "challenge") {
        const { host, port } = all[s.from]!;
        received[s.from]! += 70;
        path.onDatagram(host, port, 70);
        path.onChallenge(new Uint8Array(8), host, port, 70);
      } else if (s.kind === "time") {
        now += s.ms;
        path.onTimeout(now);
      } else if (tokens.length > 0) {
        const { to, token } = tokens[s.pick % tokens.length]!;
        const change = path.onResponse(token, 30);
        if (change?.kind === "moved") {
          assert.equal(change.to, path.remote);
          answered[to] = true;
        }
      }
      for (let probe = path.nextProbe(60, 0); probe !== undefined; probe = path.nextProbe(60, 0)) {
        const to = all.findIndex((address) =>
          address.host === probe.to.host && address.port === probe.to.port
        );
        if (probe.type === "pathChallenge") tokens.push({ to, token: probe.token });
        const bytes = Math.min(probe.limit, 1200);
        path.onSent(probe.to.host, probe.to.port, bytes);
        sent[to]! += bytes;
      }
      const due = path.nextTimeout();
      assert.ok(due === undefined || due >= now - 400);
      for (const index of [0, 1, 2]) {
        if (answered[index]) continue;
        assert.ok(sent[index]! <= 3 * received[index]!, `${index}: ${sent} of ${received}`);
      }
      const at = all.findIndex((address) => address.host === path.remote.host);
      assert.ok(answered[at] || at === 0);
    }
  }));
});
