import assert from "node:assert/strict";
import { test } from "node:test";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";
import type { LinkAddress, Side } from "../testing/simulated_link.ts";
import type { Connection } from "./connection.ts";
import type { ConnectionEvent } from "./events.ts";
import { assertNothingLeft, exchange } from "./udp_exchange_for_test.ts";

const OTHER_PORT: LinkAddress = { host: "10.0.0.1", port: 50_000 };
const ELSEWHERE: LinkAddress = { host: "192.0.2.77", port: 7777 };

function established(options: DatagramPairOptions): DatagramPair {
  const pair = new DatagramPair(options);
  const open = (): boolean => pair.a.state === "established" && pair.b?.state === "established";
  assert.ok(pair.run(open), "not established");
  return pair;
}

function migrations(pair: DatagramPair): [number, number] {
  return [pair.a.stats().migrations, pair.b!.stats().migrations];
}

/** Runs `act` once, when `afterMs` of virtual time have passed. */
function once(afterMs: number, act: (pair: DatagramPair) => void): (pair: DatagramPair) => void {
  let done = false;
  return (pair) => {
    if (done || pair.clock.nowMs < afterMs) return;
    done = true;
    act(pair);
  };
}

const PLAN = { streams: [120_000, 120_000, 60_000], messages: 20 };
const LINK = { delayMs: 25, bytesPerSecond: 500_000, queueBytes: 100_000 };

for (const congestion of ["cubic", "bbr", "newreno"] as const) {
  test(`a NAT that changes the port in mid-stream costs no byte, ${congestion}`, () => {
    for (let seed = 1; seed <= 6; seed++) {
      const link = { ...LINK, loss: seed % 2 === 0 ? 0.05 : 0, reorder: 0.05 };
      const pair = exchange({ link, congestion }, {
        ...PLAN,
        seed,
        onTurn: once(150 + 40 * seed, ({ link }) => link.rebind("a", OTHER_PORT)),
      });
      assert.deepEqual(migrations(pair), [0, 1]);
      assertNothingLeft(pair);
    }
  });
}

test("either side changes its host in mid-stream, again and again", () => {
  for (const side of ["a", "b"] as const) {
    let next = 200;
    let count = 0;
    const pair = exchange({ link: LINK }, {
      ...PLAN,
      seed: 5,
      onTurn: ({ link, clock }) => {
        if (clock.nowMs < next || count === 4) return;
        next = clock.nowMs + 250;
        link.rebind(side, { host: `192.0.2.${++count}`, port: 4000 });
      },
    });
    assert.deepEqual(migrations(pair), side === "a" ? [0, 4] : [4, 0]);
    assertNothingLeft(pair);
    assert.ok(pair.clock.nowMs < 6000, `${pair.clock.nowMs} ms`);
  }
});

test("both sides move at once while their old addresses still answer", () => {
  for (let seed = 1; seed <= 10; seed++) {
    const pair = exchange({ link: LINK, oldAddresses: true }, {
      ...PLAN,
      seed,
      onTurn: once(300, ({ link }) => {
        link.rebind("a", ELSEWHERE);
        link.rebind("b", { host: "198.51.100.5", port: 80 });
      }),
    });
    assert.deepEqual(migrations(pair), [1, 1]);
    assertNothingLeft(pair);
  }
});

/** One direction only: `b` sends, and `a` has nothing but acknowledgements and credit for it. */
function download(pair: DatagramPair, size: number, onTurn: () => void): boolean {
  const id = pair.b!.streams.open(0) ?? assert.fail();
  let written = 0;
  let read = 0;
  return pair.run(() => {
    onTurn();
    const { streams } = pair.b!;
    while (written < size && streams.canWrite(id)) {
      streams.write(id, new Uint8Array(Math.min(4000, size - written)));
      written = Math.min(size, written + 4000);
      if (written === size) streams.finish(id);
    }
    for (let chunk; pair.a.streams.has(id) && (chunk = pair.a.streams.read(id));) {
      read += chunk.length;
    }
    return read === size;
  }, 60_000);
}

test("a receiver that sends nothing but acknowledgements is found at its new port", () => {
  for (let at = 1; at <= 12; at++) {
    const pair = established({ seed: at, link: { delayMs: 25, bytesPerSecond: 200_000 } });
    const from = pair.clock.nowMs;
    let moved = false;
    const whole = download(pair, 100_000, () => {
      if (moved || pair.clock.nowMs < from + 30 * at) return;
      moved = true;
      pair.link.rebind("a", OTHER_PORT);
    });
    assert.ok(whole, `after ${30 * at} ms: not whole`);
    assert.equal(pair.b!.stats().migrations, 1);
    assert.ok(pair.clock.nowMs - from < 4000, `${pair.clock.nowMs - from} ms`);
  }
});

test("the event names both addresses; `target` follows; another host starts over", () => {
  for (const to of [OTHER_PORT, ELSEWHERE]) {
    const pair = established({ link: { delayMs: 20 } });
    const events: ConnectionEvent[] = [];
    pair.onEvent = (_, event) => void (event.type === "migrated" && events.push(event));
    assert.ok(download(pair, 400_000, () => undefined));
    const before = pair.b!.stats().path!;
    assert.equal(before.packetSize, 1452);
    assert.ok(before.window > 50_000);
    const from = pair.link.address("a");
    pair.link.rebind("a", to);
    pair.a.ping();
    assert.ok(pair.run(() => pair.b!.stats().migrations === 1, 5000));
    const { packetSize, window } = pair.b!.stats().path!;
    assert.equal(packetSize, to === OTHER_PORT ? 1452 : 1200);
    assert.equal(window >= before.window, to === OTHER_PORT);
    assert.ok(window === 12_000 || to === OTHER_PORT);
    pair.run(() => false, 1000);
    assert.deepEqual(events, [{ type: "migrated", from, to }]);
    assert.deepEqual(pair.b!.target, to);
  }
});

/** Copies of everything that comes to `side` arrive before it, from elsewhere. Counts the bytes that go there. */
function copied(
  pair: DatagramPair,
  side: Side,
  source: () => LinkAddress,
): { readonly earned: Map<string, number>; readonly sent: Map<string, number> } {
  const victim = pair[side] as Connection;
  const earned = new Map<string, number>();
  const sent = new Map<string, number>();
  const receive = victim.receive.bind(victim);
  const transmit = victim.transmit.bind(victim);
  const add = (to: Map<string, number>, { host, port }: LinkAddress, bytes: number): void => {
    const key = `${host}:${port}`;
    to.set(key, (to.get(key) ?? 0) + bytes);
  };
  victim.receive = (bytes, nowMs, host, port) => {
    const from = source();
    add(earned, from, bytes.length);
    receive(bytes.slice(), nowMs, from.host, from.port);
    receive(bytes, nowMs, host, port);
  };
  victim.transmit = (nowMs) => {
    const frame = transmit(nowMs);
    if (frame !== undefined) add(sent, victim.target!, frame.length);
    return frame;
  };
  return { earned, sent };
}

test("copies with spoofed sources that overtake the originals divert nothing", () => {
  for (const spread of [1, 1_000_000]) {
    for (const side of ["a", "b"] as const) {
      let count = 0;
      const source = (): LinkAddress => ({
        host: `6.6.${side === "a" ? 1 : 2}.6`,
        port: 1 + count++ % spread % 65_535,
      });
      let seen: ReturnType<typeof copied> | undefined;
      const pair = exchange({ link: LINK }, {
        ...PLAN,
        seed: 3,
        onTurn: (pair) => void (seen ??= copied(pair, side, source)),
      });
      assert.deepEqual(migrations(pair), [0, 0]);
      assertNothingLeft(pair);
      const { earned, sent } = seen!;
      assert.ok(count > 200);
      let challenged = 0;
      for (const [address, bytes] of earned) {
        const got = sent.get(address) ?? 0;
        if (got > 0) challenged++;
        assert.ok(got <= 3 * bytes, `${address} got ${got} for ${bytes}`);
      }
      assert.ok(challenged > 0);
      assert.ok(pair.clock.nowMs < 2500, `${pair.clock.nowMs} ms`);
    }
  }
});

test("the old address answers and the new one is silent: stay", () => {
  const pair = established({ link: { delayMs: 20 } });
  pair.run(() => false, 1000);
  const receive = pair.b!.receive.bind(pair.b);
  let copies = 0;
  pair.b!.receive = (bytes, nowMs, host, port) => {
    if (copies++ === 0) receive(bytes.slice(), nowMs, ELSEWHERE.host, ELSEWHERE.port);
    else receive(bytes, nowMs, host, port);
  };
  pair.a.ping();
  const targets = new Set<string>();
  const transmit = pair.b!.transmit.bind(pair.b);
  pair.b!.transmit = (nowMs) => {
    const frame = transmit(nowMs);
    if (frame !== undefined) targets.add(pair.b!.target!.host);
    return frame;
  };
  assert.ok(download(pair, 50_000, () => undefined));
  pair.run(() => false, 10_000);
  assert.deepEqual([...targets].sort(), ["10.0.0.1", ELSEWHERE.host]);
  assert.deepEqual(migrations(pair), [0, 0]);
  assert.equal(pair.b!.state, "established");
});

test("migrate: false drops what comes from elsewhere, and counts it", () => {
  const options = { migrate: false, maxIdle: 5000 };
  const pair = established({ link: { delayMs: 20 }, options });
  assert.equal(pair.a.session?.peer.parameters.migrate, false);
  pair.link.rebind("a", OTHER_PORT);
  const errors: unknown[] = [];
  pair.onEvent = (_, event) => void (event.type === "closed" && errors.push(event.facts.error));
  pair.a.ping();
  assert.ok(pair.run(() => pair.a.finished && pair.b!.finished, 60_000));
  assert.ok((pair.b!.stats().rejected.migrate ?? 0) > 1);
  assert.deepEqual(migrations(pair), [0, 0]);
  assert.deepEqual(errors.map((error) => (error as { code: string }).code), [
    "IDLE_TIMEOUT",
    "IDLE_TIMEOUT",
  ]);
});

test("an answering side whose answers come from another address is followed", () => {
  const pair = new DatagramPair({ link: { delayMs: 20 } });
  const asked = pair.link.address("b");
  const open = (): boolean => pair.a.state === "established" && pair.b?.state === "established";
  pair.run(() => pair.b !== undefined);
  pair.link.rebind("b", ELSEWHERE);
  assert.ok(pair.run(open));
  assert.deepEqual(pair.a.target, asked);
  pair.b!.ping();
  assert.ok(pair.run(() => pair.a.stats().migrations === 1, 5000));
  assert.deepEqual(pair.a.target, ELSEWHERE);
});
