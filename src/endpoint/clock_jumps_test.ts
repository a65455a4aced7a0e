import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { type Clock, systemClock } from "./clock.ts";
import { connect } from "./connect.ts";
import { MEMORY, pattern, readAll, TCP, UDP } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";

const HOUR_MS = 3_600_000;
const YEAR_MS = 365 * 24 * HOUR_MS;

/** The system's clock, which somebody sets. */
class SetClock implements Clock {
  /** What was added to either clock so far. */
  wallMs = 0;
  monotonicMs = 0;

  now(): number {
    return systemClock.now() + this.monotonicMs;
  }

  unix(): number {
    return systemClock.unix() + this.wallMs;
  }
}

for (const net of [MEMORY, TCP, UDP]) {
  test(`${net.name}: a session does not notice that somebody sets the wall clock`, async () => {
    const clock = new SetClock();
    const seed = generateSeed();
    const listener = await listen(net.address(), { seed, clock });
    try {
      const client = await connect(listener.address, { seed, clock });
      const server = await listener.nextPeer();
      assert(server !== null);
      for (const wallMs of [YEAR_MS, -YEAR_MS, 0]) {
        clock.wallMs = wallMs;
        const stream = await client.openStream();
        const writing = stream.write(pattern(300_000)).then(() => stream.end());
        const incoming = await server.acceptStream();
        assert(incoming !== null);
        assert.deepEqual(await readAll(incoming), pattern(300_000));
        await writing;
        const ms = await client.ping();
        assert(ms >= 0 && ms < 60_000, `a round trip of ${ms} ms`);
      }
      await client.close();
      assert.equal((await server.closed).error, undefined);
    } finally {
      await listener.close();
    }
  });

  test(`${net.name}: who dials with another wall clock is asked for a cookie, and gets in`, async () => {
    const [there, here] = [new SetClock(), new SetClock()];
    const seed = generateSeed();
    // A cookie costs a second HELLO.
    const listener = await listen(net.address(), { seed, clock: there, handshakeRate: Infinity });
    try {
      for (
        const [listening, dialling] of [[0, 0], [YEAR_MS, 0], [0, YEAR_MS], [0, -YEAR_MS], [
          -YEAR_MS,
          0,
        ], [0, 0]]
      ) {
        there.wallMs = listening ?? 0;
        here.wallMs = dialling ?? 0;
        const client = await connect(listener.address, {
          seed,
          clock: here,
          handshakeTimeout: 5000,
        });
        await client.ping();
        await client.close();
      }
      // A repeat may come for a session that has ended (9.3); nothing else is dropped.
      const { tombstone: _, ...others } = listener.stats().drops;
      assert.deepEqual(others, {});
    } finally {
      await listener.close();
    }
  });
}

for (const net of [TCP, UDP]) {
  for (const side of ["sender", "receiver"] as const) {
    test(`${net.name}: the ${side}'s monotonic clock leaps in mid-transfer: every byte arrives`, async () => {
      const clock = new SetClock();
      const own = { clock, maxIdle: 0 };
      const seed = generateSeed();
      const listener = await listen(net.address(), {
        seed,
        ...(side === "receiver" ? own : { maxIdle: 0 }),
      });
      try {
        const client = await connect(listener.address, {
          seed,
          ...(side === "sender" ? own : { maxIdle: 0 }),
        });
        const server = await listener.nextPeer();
        assert(server !== null);
        const stream = await client.openStream();
        const content = pattern(4_000_000);
        const writing = (async () => {
          for (let at = 0; at < content.length; at += 250_000) {
            await stream.write(content.subarray(at, at + 250_000));
          }
          await stream.end();
        })();
        const incoming = await server.acceptStream();
        assert(incoming !== null);
        const chunks: Uint8Array[] = [];
        let bytes = 0;
        // A suspended machine: some clocks go on meanwhile. Two hours are past the time for new keys, too. A second such
        // leap, before the peer has used the new ones, would end the session (SPEC 7.4).
        const leaps = [5000, 120_000, 2 * HOUR_MS];
        for await (const chunk of incoming) {
          chunks.push(chunk);
          bytes += chunk.length;
          if (bytes > content.length * (4 - leaps.length) / 5) {
            clock.monotonicMs += leaps.shift() ?? 0;
          }
        }
        assert.equal(leaps.length, 0);
        assert.deepEqual(
          new Uint8Array(await new Blob(chunks as Uint8Array<ArrayBuffer>[]).arrayBuffer()),
          content,
        );
        await writing;
        await client.close();
        assert.equal((await server.closed).error, undefined);
      } finally {
        await listener.close();
      }
    });
  }
}

test("a wall clock that is set back between a cookie and its return costs that one dial at most", async () => {
  const clock = new SetClock();
  const seed = generateSeed();
  let looks = 0;
  const setBack: Clock = {
    now: () => clock.now(),
    // Looked at when listening begins, at the first HELLO and at the second one, which brings the cookie.
    unix: () => clock.unix() + (++looks <= 2 ? YEAR_MS : YEAR_MS - HOUR_MS),
  };
  const listener = await listen("udp://127.0.0.1:0", { seed, clock: setBack });
  try {
    const first = await connect(listener.address, { seed, handshakeTimeout: 400 }).catch((error) =>
      error
    );
    assert(looks >= 3);
    if (first instanceof SttError) assert.equal(first.code, "HANDSHAKE_TIMEOUT");
    else await first.close();
    const second = await connect(listener.address, { seed });
    await second.ping();
    await second.close();
  } finally {
    await listener.close();
  }
});
