import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeFrame } from "../codec/frame.ts";
import { fromHex } from "../codec/hex.ts";
import { FRAME_CONTROL } from "../constants.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { ResetTokens } from "../crypto/reset_tokens.ts";
import { connect } from "./connect.ts";
import { bytes, pattern, until } from "./joined_for_test.ts";
import { listen, type Listener } from "./listener.ts";
import { NatProxy } from "./nat_proxy_for_test.ts";
import type { Peer } from "./peer.ts";
import { generateSeed } from "./seeds.ts";
import { StatelessReset } from "./stateless_reset.ts";
import { Stranger } from "./stranger_for_test.ts";

const LIMIT = { timeout: 60_000 };
const ID = fromHex("0102030405060708");

/** A protected frame of `size` bytes in the shape of any session's. */
function frameOf(sessionId: Uint8Array, size: number): Uint8Array {
  const frame = encodeFrame({
    type: FRAME_CONTROL,
    flags: 0,
    sessionId,
    sequence: 1_000_000,
    timestamp: 0,
    streamId: 0,
    metadata: Uint8Array.of(0),
    payload: new Uint8Array(size - (size > 130 ? 36 : 35)).fill(9),
  });
  assert.equal(frame.length, size);
  return frame;
}

function resets(): StatelessReset {
  const provider = nodeProvider();
  return new StatelessReset(provider, new ResetTokens(provider, pattern(32)));
}

test("a reset is smaller than its trigger, and is no trigger itself", () => {
  const reset = resets();
  assert.equal(reset.answer(ID, 79, "192.0.2.1", 0), undefined);
  const answer = reset.answer(ID, 80, "192.0.2.1", 0) ?? assert.fail();
  assert.equal(answer.length, 79);
  assert.equal(resets().answer(ID, answer.length, "192.0.2.1", 0), undefined);
  const again = reset.answer(ID, 80, "192.0.2.1", 0) ?? assert.fail();
  assert.notDeepEqual(again, answer);
  assert.deepEqual(again.subarray(63), answer.subarray(63), "the token is the session's");
});

test("the rate is an option: a tenth for one network, and never below one", () => {
  const provider = nodeProvider();
  const tokens = new ResetTokens(provider, pattern(32));
  const answered = (rate: number, hosts: number): number => {
    const reset = new StatelessReset(provider, tokens, rate);
    return Array.from({ length: 100 }, (_, n) => reset.answer(ID, 100, `192.0.2.${n % hosts}`, 0))
      .filter((answer) => answer !== undefined).length;
  };
  assert.equal(answered(20, 1), 2);
  assert.equal(answered(20, 50), 20);
  assert.equal(answered(3, 1), 1);
  for (const rate of [0, -1, NaN]) {
    assert.throws(() => answered(rate, 1), { code: "CONFIG", message: /resetRate/ });
  }
});

test("ten resets per second and address, a hundred in all", () => {
  const reset = resets();
  const answered = (host: string, count: number, nowMs: number): number =>
    Array.from({ length: count }, () => reset.answer(ID, 100, host, nowMs))
      .filter((answer) => answer !== undefined).length;
  assert.equal(answered("192.0.2.1", 50, 0), 10);
  assert.equal(answered("192.0.2.1", 50, 500), 5);
  let all = 15;
  for (let host = 2; host < 40; host++) all += answered(`192.0.2.${host}`, 10, 500);
  assert.ok(all >= 100 && all <= 150, `${all}`);
  assert.equal(answered("198.51.100.1", 10, 501), 0);
});

interface Restart {
  readonly seed: Uint8Array;
  readonly proxy: NatProxy;
  readonly client: Peer;
  /** The node again, without its sessions. */
  readonly second: Listener;
}

/** A client whose listener was started anew on the same node seed, or on none. */
async function restarted(
  lasting: boolean,
  act: (run: Restart) => Promise<void>,
  maxIdle = 300_000,
): Promise<void> {
  const seed = generateSeed();
  const options = { seed, maxIdle, ...(lasting ? { nodeSeed: generateSeed() } : {}) };
  const first = await listen("udp://127.0.0.1:0", options);
  const second = await listen("udp://127.0.0.1:0", options);
  const proxy = new NatProxy(first.address);
  await proxy.start();
  try {
    const client = await connect(proxy.address, { seed, maxIdle });
    await client.ping();
    proxy.redirect(second.address);
    await act({ seed, proxy, client, second });
  } finally {
    for (const peer of [first, second]) await peer.close();
    await proxy.close();
  }
}

test(
  "udp: clients of a listener that was restarted learn of it when they send",
  LIMIT,
  () =>
    restarted(true, async ({ client, second }) => {
      const stream = await client.openStream();
      await stream.write(pattern(5000));
      const { code, remote, error } = await client.closed;
      assert.deepEqual([code, remote, error?.code], [0x1f, true, "RESET_BY_PEER"]);
      assert.ok(second.stats().resets > 0);
      assert.ok(second.stats().drops.session! > 0);
    }),
);

test("udp: also those that send only a few bytes, or nothing but a PING", LIMIT, async () => {
  await restarted(true, async ({ client }) => {
    await client.send(bytes("!"));
    assert.equal((await client.closed).error?.code, "RESET_BY_PEER");
  });
  await restarted(true, async ({ client }) => {
    await assert.rejects(client.ping(), { code: "RESET_BY_PEER" });
  });
});

test(
  "udp: a node without a lasting seed says nothing",
  LIMIT,
  () =>
    restarted(false, async ({ client, second }) => {
      const stream = await client.openStream();
      await stream.write(pattern(5000));
      assert.equal((await client.closed).error?.code, "IDLE_TIMEOUT");
      assert.equal(second.stats().resets, 0);
    }, 700),
);

test("udp: forged resets end nothing, and live sessions cause none", LIMIT, async () => {
  const seed = generateSeed();
  const listener = await listen("udp://127.0.0.1:0", { seed, nodeSeed: generateSeed() });
  const client = await connect(listener.address, { seed });
  const server = await listener.nextPeer() ?? assert.fail();
  const sessionId = fromHex(client.info.sessionId);
  const stranger = await Stranger.open();
  try {
    const foreign = resets();
    for (let count = 0; count < 10; count++) {
      const forged = foreign.answer(sessionId, 100, "192.0.2.1", 0) ?? assert.fail();
      await stranger.send(forged, client.info.localAddress);
      await stranger.send(frameOf(sessionId, 51 + count), client.info.localAddress);
      await stranger.send(frameOf(sessionId, 200), listener.address);
      await stranger.send(frameOf(sessionId, 200).subarray(0, 100), client.info.localAddress);
    }
    await until(() => {
      const { frame_crypto = 0, FRAME_INCOMPLETE = 0 } = client.stats().rejected;
      return frame_crypto === 20 && FRAME_INCOMPLETE === 10;
    });
    await until(() => server.stats().rejected.frame_crypto === 10);
    assert.ok(await client.ping() >= 0);
    assert.equal(listener.stats().resets, 0);
    assert.equal(stranger.received, 0);
  } finally {
    await stranger.close();
    await client.close();
    await listener.close();
  }
});

test(
  "udp: strangers get less than they send, and two nodes never answer each other",
  LIMIT,
  async () => {
    const seed = generateSeed();
    const one = await listen("udp://127.0.0.1:0", { seed, nodeSeed: generateSeed() });
    const two = await listen("udp://127.0.0.1:0", { seed, nodeSeed: generateSeed() });
    const stranger = await Stranger.open();
    try {
      await stranger.send(frameOf(ID, 79), one.address);
      await until(() => one.stats().drops.session === 1);
      assert.equal(one.stats().resets, 0);
      await stranger.send(frameOf(ID, 80), one.address);
      await until(() => stranger.answers.length === 1);
      assert.equal(stranger.answers[0]!.length, 79);
      await stranger.send(stranger.answers[0]!, two.address);
      await until(() => two.stats().drops.session === 1);
      assert.deepEqual([one.stats().resets, two.stats().resets], [1, 0]);
      assert.ok(stranger.received < stranger.sent);
    } finally {
      await stranger.close();
      await one.close();
      await two.close();
    }
  },
);
