import assert from "node:assert/strict";
import { test } from "node:test";
import { seedKeys } from "../crypto/key_schedule.ts";
import { nobleProvider } from "../crypto/noble_provider.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { Watch } from "../crypto/watching_provider_for_test.ts";
import { DatagramPair } from "../testing/datagram_pair.ts";
import { pair } from "../testing/pair.ts";
import type { ConnectionPair } from "../testing/connection_pair.ts";

const ROTATE = { rotatePackets: 16 };

function talk(run: ConnectionPair, messages: number): void {
  const { streams } = run.a;
  const id = streams.open(4) ?? assert.fail();
  for (let count = 0; count < messages; count++) {
    streams.writeMessage(id, new Uint8Array(100));
    run.settle();
    run.b.ping();
    run.settle();
  }
}

/** Node seeds are the caller's, and the seeded provider makes ephemeral keys of numbers of its own. */
const CALLERS = ["input of HKDF in input of HKDF", "private key in private key"];
const SEED = new Uint8Array(32).fill(5);

function left(watch: Watch): string[] {
  return watch.left().filter((what) => !CALLERS.includes(what));
}

for (const inner of [nodeProvider(), nobleProvider()]) {
  const watching = (): Watch => {
    const watch = new Watch(inner);
    const { psk, seedIdKey, retryKey } = seedKeys(inner, SEED);
    watch.excuse(SEED, psk, seedIdKey, retryKey);
    return watch;
  };

  test(`${inner.name}: nothing of a session's keys is left where they passed through once it is closed`, () => {
    const watch = watching();
    const run = pair({ provider: watch.provider, sharedSeed: SEED, options: ROTATE }).establish();
    talk(run, 60);
    assert.ok(run.a.stats().sendEpoch > 1);
    assert.notDeepEqual(left(watch), [], "the watch sees what is in use");
    run.a.close(run.clock.nowMs);
    run.settle();
    assert.deepEqual([run.a.state, run.b.state], ["closed", "closed"]);
    run.acceptor.destroy();
    assert.ok(watch.secrets > 40, `${watch.secrets}`);
    assert.deepEqual(left(watch), []);
  });

  test(`${inner.name}: nor of one over UDP, which keeps old epochs for a while`, () => {
    const watch = watching();
    const run = new DatagramPair({
      provider: watch.provider,
      options: ROTATE,
      link: { delayMs: 10, loss: 0.1 },
    });
    const moved = { a: 0, b: 0 };
    run.onEvent = (side, event) => void (event.type === "rekey" && moved[side]++);
    const open = (): boolean => run.a.state === "established" && run.b?.state === "established";
    assert.ok(run.run(open));
    for (let count = 0; count < 60; count++) {
      run.a.ping();
      run.b?.ping();
      run.run(() => false, 50);
    }
    assert.ok(moved.a > 4 && moved.b > 4);
    run.a.close(run.clock.nowMs);
    assert.ok(run.run(() => run.a.finished && run.b?.finished === true));
    run.destroy();
    assert.deepEqual(left(watch), []);
  });

  test(`${inner.name}: a dial that fails leaves nothing either`, () => {
    const watch = watching();
    const run = pair({
      provider: watch.provider,
      sharedSeed: SEED,
      accept: () => false,
    });
    assert.throws(() => run.establish(), { code: "REFUSED" });
    run.settle();
    run.acceptor.destroy();
    assert.deepEqual(left(watch), []);
  });
}

test("traffic secrets are gone as soon as there are keys, so that rotation is worth something", () => {
  const run = pair().establish();
  for (const { session } of [run.a, run.b]) {
    const { secrets } = session ?? assert.fail();
    assert.throws(() => secrets.i2r, { code: "INTERNAL" });
    assert.throws(() => secrets.r2i, { code: "INTERNAL" });
    assert.equal(secrets.export("label", new Uint8Array(0), 16).length, 16);
  }
});
