import { test } from "node:test";
import assert from "node:assert/strict";
import { DatagramPair, type DatagramPairOptions } from "../testing/datagram_pair.ts";
import type { Side } from "../testing/simulated_link.ts";
import type { CloseFacts } from "./events.ts";
import { assertNothingLeft, exchange } from "./udp_exchange_for_test.ts";

function established(options: DatagramPairOptions): DatagramPair {
  const pair = new DatagramPair(options);
  const open = pair.run(
    () => pair.a.state === "established" && pair.b?.state === "established",
  );
  assert.ok(open, "not established");
  return pair;
}

function closes(pair: DatagramPair): Partial<Record<Side, CloseFacts>> {
  const facts: Partial<Record<Side, CloseFacts>> = {};
  pair.onEvent = (side, event) => {
    if (event.type === "closed") facts[side] = event.facts;
  };
  return facts;
}

/** A failure names its seed. */
function seeds(count: number, body: (seed: number) => void): void {
  for (let seed = 1; seed <= count; seed++) {
    try {
      body(seed);
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
}

test("udp: a handshake that loses messages either way is repeated until it stands", () => {
  seeds(40, (seed) => {
    established({ seed, link: { delayMs: 25, loss: 0.3, duplicate: 0.1 } });
  });
});

test("udp: early data whose handshake loses FINAL and AUTH_PROOF arrives", () => {
  seeds(20, (seed) => {
    const pair = new DatagramPair({ seed, link: { delayMs: 25, loss: 0.3, reorder: 0.1 } });
    let written = 0;
    pair.onEvent = (side, event) => {
      if (side !== "a" || event.type !== "early") return;
      const id = pair.a.streams.open(0) ?? assert.fail();
      pair.a.streams.write(id, new Uint8Array(5000).fill(7));
      pair.a.streams.finish(id);
      written = id;
    };
    let got = 0;
    const ended = pair.run(() => {
      while (written > 0 && pair.b?.streams.has(written)) {
        const chunk = pair.b.streams.read(written);
        if (chunk === undefined) break;
        if (chunk === null) return true;
        got += chunk.length;
      }
      return false;
    }, 60_000);
    assert.ok(ended);
    assert.equal(got, 5000);
  });
});

test("udp: close flushes under loss, and both sides end in order", () => {
  let unaware = 0;
  seeds(40, (seed) => {
    const pair = established({ seed, link: { delayMs: 25, loss: 0.2 } });
    const facts = closes(pair);
    const id = pair.a.streams.open(0) ?? assert.fail();
    pair.a.streams.write(id, new Uint8Array(20_000));
    pair.a.streams.finish(id);
    let got = 0;
    pair.a.close(pair.clock.nowMs, 0, "done");
    pair.run(() => {
      for (let chunk; pair.b!.streams.has(id) && (chunk = pair.b!.streams.read(id));) {
        got += chunk.length;
      }
      return pair.a.finished;
    }, 60_000);
    assert.ok(pair.a.finished);
    assert.equal(facts.a?.error, undefined);
    assert.equal(facts.a?.complete, true);
    assert.equal(got, 20_000);
    assert.ok(pair.a.nextTimeout() === undefined);
    if (!pair.b!.finished) unaware++;
    else assert.deepEqual([facts.b?.remote, facts.b?.reason], [true, "done"]);
  });
  // Four SESSION_CLOSE in 3 PTO: at 20 % loss one of 600 sessions waits for its idle timeout.
  assert.ok(unaware <= 1, `${unaware} of 40`);
});

test("udp: abort in the middle of data ends both sides with its code", () => {
  seeds(20, (seed) => {
    const pair = established({ seed, link: { delayMs: 25, loss: 0.1, bytesPerSecond: 100_000 } });
    const facts = closes(pair);
    const id = pair.a.streams.open(0) ?? assert.fail();
    pair.a.streams.write(id, new Uint8Array(500_000));
    pair.run(() => false, 300);
    pair.a.abort(pair.clock.nowMs, 0x123, "enough");
    assert.ok(pair.run(() => pair.a.finished && pair.b!.finished, 60_000));
    assert.equal(facts.a?.complete, false);
    assert.equal(facts.b?.code, 0x123);
  });
});

test("udp: a dead path ends by the idle timeout, on both sides and with bytes in flight", () => {
  const options = { maxIdle: 10_000 };
  const pair = established({ link: { delayMs: 25 }, options });
  const facts = closes(pair);
  const id = pair.a.streams.open(0) ?? assert.fail();
  pair.a.streams.write(id, new Uint8Array(100_000));
  pair.run(() => false, 60);
  for (const side of ["a", "b"] as const) pair.link.change(side, { loss: 1 });
  const from = pair.clock.nowMs;
  assert.ok(pair.run(() => pair.a.finished && pair.b!.finished, 120_000));
  assert.ok(pair.clock.nowMs - from >= 10_000);
  assert.ok(pair.clock.nowMs - from < 14_000);
  for (const side of ["a", "b"] as const) assert.equal(facts[side]?.error?.code, "IDLE_TIMEOUT");
});

test("udp: the idle timeout is never below three probe timeouts", () => {
  const pair = established({ link: { delayMs: 400 }, options: { maxIdle: 100 } });
  pair.b!.ping();
  const id = pair.a.streams.open(0) ?? assert.fail();
  pair.a.streams.write(id, new Uint8Array(50_000));
  pair.a.streams.finish(id);
  assert.ok(pair.run(() => pair.a.streams.isIdle(), 30_000));
  assert.equal(pair.a.state, "established");
});

test("udp: a path that is dark for seconds goes on where it stopped", () => {
  for (const congestion of ["cubic", "bbr", "newreno"] as const) {
    let cut = 0;
    const pair = exchange({ link: { delayMs: 25, bytesPerSecond: 500_000 }, congestion }, {
      seed: 4,
      streams: [200_000, 200_000],
      messages: 10,
      onTurn: ({ link, clock }) => {
        if (cut === 0 && clock.nowMs > 300) {
          cut = clock.nowMs;
          for (const side of ["a", "b"] as const) link.change(side, { loss: 1 });
        } else if (cut > 0 && clock.nowMs > cut + 5000) {
          for (const side of ["a", "b"] as const) link.change(side, { loss: 0 });
        }
      },
    });
    assertNothingLeft(pair);
    assert.ok(pair.clock.nowMs > 5000 && pair.clock.nowMs < 14_000, `${pair.clock.nowMs}`);
  }
});

test("udp: keys rotate under loss and reordering, on limits and on request by both sides", () => {
  seeds(12, (seed) => {
    let turn = 0;
    const link = { delayMs: 20, jitterMs: 5, loss: 0.1, reorder: 0.2, duplicate: 0.1 };
    const pair = exchange({ link, options: { rotatePackets: 40 } }, {
      seed,
      streams: [60_000, 60_000, 60_000],
      messages: 20,
      onTurn: ({ a, b }) => {
        if (++turn % 97 === 0 && a.state === "established") a.rotateKeys();
        if (turn % 131 === 0 && b!.state === "established") b!.rotateKeys();
      },
    });
    assertNothingLeft(pair);
    for (const side of [pair.a, pair.b!]) {
      assert.ok(side.stats().sendEpoch >= 4, `epoch ${side.stats().sendEpoch}`);
    }
  });
});

test("udp: packets grow to what the path carries while data flows, and shrink in a black hole", () => {
  const link = { delayMs: 10, bytesPerSecond: 2_000_000, queueBytes: 60_000, mtu: 1400 };
  let seen = 0;
  let sizeBefore = 0;
  const pair = exchange({ link }, {
    seed: 2,
    streams: [1_500_000],
    messages: 1,
    onTurn: ({ a, link, clock }) => {
      seen = a.maxDatagramSize;
      if (clock.nowMs > 500 && sizeBefore === 0) {
        sizeBefore = a.stats().path!.packetSize;
        for (const side of ["a", "b"] as const) link.change(side, { mtu: 1250 });
      }
    },
  });
  assert.equal(sizeBefore, 1392);
  assert.equal(pair.a.stats().path?.packetSize, 1200);
  assert.ok(seen < 1200 && seen > 1100);
  assertNothingLeft(pair);
});

test("udp: probes of the path's size are exact in packed mode too, and end where it does not grow", () => {
  for (const mtu of [1300, 1452]) {
    const link = { delayMs: 10, bytesPerSecond: 2_000_000, queueBytes: 60_000, mtu };
    const pair = exchange({ link, options: { packed: true } }, {
      seed: 2,
      streams: [400_000],
      messages: 1,
    });
    assertNothingLeft(pair);
    assert.equal(pair.a.stats().path?.packetSize, mtu === 1452 ? 1452 : 1280);
    const sent = pair.link.stats("a").sent;
    pair.run(() => false, 60_000);
    // A few late acknowledgements and the ping that asks for one; probes without end were thousands.
    const late = pair.link.stats("a").sent - sent;
    assert.ok(late < 10, `an idle session sends ${late} packets in a minute`);
  }
});

test("udp: datagrams and pings pass beside bulk, and only datagrams may be missing", () => {
  const pair = established({ link: { delayMs: 25, loss: 0.05, bytesPerSecond: 1_000_000 } });
  const id = pair.a.streams.open(0) ?? assert.fail();
  let pongs = 0;
  let got = 0;
  pair.onEvent = (side, event) => {
    if (side === "a" && event.type === "pong") pongs++;
    if (side !== "b" || event.type !== "datagram") return;
    for (let each = pair.b!.nextDatagram(); each !== undefined; each = pair.b!.nextDatagram()) {
      assert.equal(each.channel, 9);
      assert.equal(each.data.length, 900);
      got++;
    }
  };
  let sent = 0;
  let next = pair.clock.nowMs;
  pair.run(() => {
    while (pair.a.streams.canWrite(id)) pair.a.streams.write(id, new Uint8Array(16_384));
    while (pair.b!.streams.has(id) && pair.b!.streams.read(id)) continue;
    if (pair.clock.nowMs >= next && sent < 200) {
      pair.a.sendDatagram(9, new Uint8Array(900));
      if (sent++ % 10 === 0) pair.a.ping();
      next = pair.clock.nowMs + 10;
    }
    return false;
  }, 6000);
  assert.equal(sent, 200);
  assert.ok(got >= 170 && got <= 200, `${got} datagrams`);
  assert.ok(pongs >= 15, `${pongs} pongs`);
});

test("udp: a receiver that reads nothing holds no more than it allowed, and goes on later", () => {
  const options = { maxData: 131_072, maxStreamData: 65_536, sendBuffer: 65_536 };
  const pair = established({ link: { delayMs: 25, loss: 0.05 }, options });
  const ids = [1, 2, 3].map(() => pair.a.streams.open(0) ?? assert.fail());
  const total = 300_000;
  const written = new Map(ids.map((id) => [id, 0]));
  const write = (): void => {
    for (const id of ids) {
      for (let at = written.get(id)!; at < total && pair.a.streams.canWrite(id);) {
        pair.a.streams.write(id, new Uint8Array(10_000));
        written.set(id, at += 10_000);
        if (at === total) pair.a.streams.finish(id);
      }
    }
  };
  pair.run(() => {
    write();
    assert.ok(pair.b!.stats().streams.recvBuffered <= 131_072);
    // What waits to be sent is bounded by the option, what is not acknowledged by the peer's window.
    assert.ok(pair.a.stats().streams.sendBuffered <= 131_072 + 3 * (65_536 + 10_000));
    return false;
  }, 5000);
  assert.equal(pair.b!.stats().streams.recvBuffered, 131_072);
  let got = 0;
  const ended = pair.run(() => {
    write();
    for (const id of ids) {
      for (let chunk; pair.b!.streams.has(id) && (chunk = pair.b!.streams.read(id));) {
        got += chunk.length;
      }
    }
    return got === 3 * total;
  }, 60_000);
  assert.ok(ended, `${got} bytes`);
});

test("udp: a ping is answered although its PING or its PONG is lost", () => {
  seeds(40, (seed) => {
    const pair = established({ seed, link: { delayMs: 10, loss: 0.25 } });
    let answered = 0;
    pair.onEvent = (side, event) => {
      if (side === "a" && event.type === "pong" && event.ping === asked) answered++;
    };
    let asked = 0;
    for (let round = 1; round <= 5; round++) {
      asked = pair.a.ping();
      assert.ok(pair.run(() => answered === round, 30_000), `ping ${round} has no answer`);
    }
  });
});
