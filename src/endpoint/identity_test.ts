import { test } from "node:test";
import assert from "node:assert/strict";
import { toHex } from "../codec/hex.ts";
import { toBase64Url } from "../codec/base64url.ts";
import type { ErrorCode } from "../errors.ts";
import { connect } from "./connect.ts";
import { bytes, freshAddress, joined, text } from "./joined_for_test.ts";
import { listen, type Listener, type ListenerEvents } from "./listener.ts";
import type { ConnectOptions, ListenOptions } from "./options.ts";
import { generateSeed } from "./seeds.ts";

async function listening(
  options: ListenOptions,
  run: (listener: Listener) => Promise<void>,
): Promise<void> {
  const listener = await listen(freshAddress(), options);
  try {
    await run(listener);
  } finally {
    await listener.close();
  }
}

/** Dials in vain; returns what the listener says of it. */
async function refused(
  listener: Listener,
  options: ConnectOptions,
  code: ErrorCode,
): Promise<ListenerEvents["rejected"]> {
  const before = listener.stats().rejected;
  const rejected = new Promise<ListenerEvents["rejected"]>((resolve) => {
    listener.on("rejected", resolve, { once: true });
  });
  await assert.rejects(connect(listener.address, options), { code });
  const event = await rejected;
  assert.equal(listener.stats().rejected, before + 1);
  return event;
}

test("pins by bytes, hex and predicate", async () => {
  const seed = generateSeed();
  await listening({ seed, nodeSeed: new Uint8Array(32).fill(3) }, async (listener) => {
    const { nodeId } = listener;
    const right: ConnectOptions["expect"][] = [
      nodeId,
      toHex(nodeId),
      toHex(nodeId).toUpperCase(),
      (id) => toHex(id) === toHex(nodeId),
    ];
    for (const expect of right) {
      const peer = await connect(listener.address, { seed, expect: expect as string });
      assert.equal(peer.info.pinned, true);
      await peer.close();
    }
    const other = nodeId.map((byte) => byte ^ 1);
    const wrong: ConnectOptions["expect"][] = [
      other,
      toHex(other),
      () => false,
      () => {
        throw new Error("no");
      },
    ];
    for (const expect of wrong) {
      await refused(listener, { seed, expect: expect as string }, "PEER_IDENTITY");
    }
    for (const expect of ["zz", "00", new Uint8Array(31), 5]) {
      await assert.rejects(connect(listener.address, { seed, expect: expect as string }));
    }
    assert.equal(listener.stats().rejected, 4, "a malformed pin is not dialled with");
  });
});

test("a node seed gives a lasting identity, none a new one each time", async () => {
  const seed = generateSeed();
  const nodeSeed = new Uint8Array(32).fill(4);
  const ids: string[] = [];
  for (const options of [{ nodeSeed }, { nodeSeed }, {}, {}]) {
    await listening({ seed, ...options }, (listener) => {
      ids.push(toHex(listener.nodeId));
      return Promise.resolve();
    });
  }
  assert.equal(ids[0], ids[1]);
  assert.equal(new Set(ids).size, 3);
});

test("a wrong seed is HANDSHAKE_TIMEOUT at the dialler; the listener counts it and goes on", async () => {
  const seed = generateSeed();
  await listening({ seed }, async (listener) => {
    const event = await refused(listener, { seed: generateSeed() }, "HANDSHAKE_TIMEOUT");
    assert.match(event.error.message, /seed_id/);
    assert.deepEqual(listener.stats().drops, { seed_id: 1 });
    const peer = await connect(listener.address, { seed });
    assert.equal((await listener.nextPeer())?.info.sessionId, peer.info.sessionId);
    await peer.close();
    assert.deepEqual([listener.stats().accepted, listener.stats().rejected], [1, 1]);
  });
});

test("several seeds, told apart by index; seed comes before seeds", async () => {
  const seeds = [generateSeed(), generateSeed(), generateSeed()];
  const [first, ...others] = seeds;
  for (const options of [{ seeds }, { seed: first as Uint8Array, seeds: others }]) {
    await listening(options, async (listener) => {
      for (const [index, seed] of seeds.entries()) {
        for (const form of [seed, toHex(seed), toBase64Url(seed)]) {
          const client = await connect(listener.address, { seed: form });
          assert.equal((await listener.nextPeer())?.info.seedIndex, index);
          await client.close();
        }
      }
    });
  }
});

test("pair keys: equal, looked up, missing, wrong", async () => {
  const seed = generateSeed();
  const pairKey = generateSeed();
  const nodeSeed = generateSeed();
  await listening({ seed, pairKey }, async (listener) => {
    const client = await connect(listener.address, { seed, pairKey: toHex(pairKey) });
    assert.equal(client.info.pairKey, true);
    assert.equal((await listener.nextPeer())?.info.pairKey, true);
    await client.close();
    await refused(listener, { seed }, "HANDSHAKE_TIMEOUT");
    await refused(listener, { seed, pairKey: generateSeed() }, "HANDSHAKE_TIMEOUT");
    assert.deepEqual(listener.stats().drops, { crypto: 2 });
  });
  const known: string[] = [];
  const lookup = (id: Uint8Array) => known.includes(toHex(id)) ? pairKey : undefined;
  await listening({ seed, pairKey: lookup }, async (listener) => {
    const stranger = await connect(listener.address, { seed, nodeSeed });
    const id = (await listener.nextPeer())?.id ?? "";
    assert.equal(stranger.info.pairKey, false);
    await stranger.close();
    known.push(id);
    await refused(listener, { seed, nodeSeed }, "HANDSHAKE_TIMEOUT");
    const friend = await connect(listener.address, { seed, nodeSeed, pairKey });
    assert.equal((await listener.nextPeer())?.info.pairKey, true);
    await friend.close();
  });
});

test("a pair key look-up that throws or answers nonsense refuses the peer and is reported", async () => {
  const seed = generateSeed();
  const answers: (() => Uint8Array)[] = [
    () => {
      throw new Error("the database is gone");
    },
    () => new Uint8Array(31),
    () => "secret" as never,
  ];
  for (const pairKey of answers) {
    await listening({ seed, pairKey }, async (listener) => {
      const errors: unknown[] = [];
      listener.on("error", (error) => void errors.push(error));
      await refused(listener, { seed }, "HANDSHAKE_TIMEOUT");
      assert.equal(errors.length, 1);
    });
  }
});

test("dialling itself is SELF at both ends unless it is allowed", async () => {
  const seed = generateSeed();
  const nodeSeed = generateSeed();
  await listening({ seed, nodeSeed }, async (listener) => {
    await refused(listener, { seed, nodeSeed }, "SELF");
    await refused(listener, { seed, nodeSeed, allowSelf: true }, "SELF");
  });
  await listening({ seed, nodeSeed, allowSelf: true }, async (listener) => {
    const peer = await connect(listener.address, { seed, nodeSeed, allowSelf: true });
    assert.deepEqual(peer.nodeId, listener.nodeId);
    await peer.close();
  });
});

test("suites: the dialler's order decides, nothing in common is silence", async () => {
  const seed = generateSeed();
  const cases: [number[], number[], number | undefined][] = [
    [[1, 2], [1, 2], 1],
    [[2, 1], [1, 2], 2],
    [[1, 2], [2], 2],
    [[2], [1, 2], 2],
    [[1], [2], undefined],
  ];
  for (const [dialled, taken, expected] of cases) {
    await listening({ seed, suites: taken }, async (listener) => {
      if (expected === undefined) {
        await refused(listener, { seed, suites: dialled }, "HANDSHAKE_TIMEOUT");
        return;
      }
      const peer = await connect(listener.address, { seed, suites: dialled });
      assert.equal(peer.info.suite, expected);
      assert.equal((await listener.nextPeer())?.info.suite, expected);
      await peer.close();
    });
  }
});

test("different apps are REFUSED, one empty name is not", async () => {
  const seed = generateSeed();
  await listening({ seed, app: "files/1" }, async (listener) => {
    const event = await refused(listener, { seed, app: "chat/1" }, "REFUSED");
    assert.ok(event.error !== undefined);
    for (const app of ["files/1", ""]) {
      const peer = await connect(listener.address, { seed, app });
      assert.equal(peer.info.app, "files/1");
      await peer.close();
    }
  });
});

test("more than maxSessions is BUSY, also when they come at once; a closed one makes room", async () => {
  const seed = generateSeed();
  const options: ListenOptions = { seed, maxSessions: 2, handshakeRate: Infinity };
  await listening(options, async (listener) => {
    const dials = await Promise.allSettled(
      Array.from({ length: 6 }, () => connect(listener.address, { seed })),
    );
    const peers = dials.flatMap((dial) => dial.status === "fulfilled" ? [dial.value] : []);
    const codes = dials.flatMap((dial) => dial.status === "rejected" ? [dial.reason.code] : []);
    assert.equal(peers.length, 2);
    assert.deepEqual(codes, ["BUSY", "BUSY", "BUSY", "BUSY"]);
    await refused(listener, { seed }, "BUSY");
    await peers[0]?.close();
    while (listener.stats().sessions > 1) await peers[1]?.ping();
    await (await connect(listener.address, { seed })).close();
  });
});

test("the accept hook: yes, no, an exception, silence", async () => {
  const seed = generateSeed();
  type Accept = NonNullable<ListenOptions["accept"]>;
  const seen: string[] = [];
  const hooks: [Accept, boolean][] = [
    [(peer) => seen.push(peer.id) > 0, true],
    [() => Promise.resolve(true), true],
    [() => false, false],
    [() => Promise.resolve(false), false],
    [() => undefined as never, false],
    [() => 1 as never, false],
    [() => {
      throw new Error("the hook's own business");
    }, false],
    [() => Promise.reject(new Error("the hook's own business")), false],
    [() => new Promise(() => undefined), false],
  ];
  for (const [accept, yes] of hooks) {
    await listening({ seed, accept, acceptTimeout: 50 }, async (listener) => {
      const errors: unknown[] = [];
      listener.on("error", (error) => void errors.push(error));
      if (yes) {
        const peer = await connect(listener.address, { seed });
        const server = await listener.nextPeer();
        assert.equal(server?.id, seen.shift() ?? server?.id);
        await peer.close();
      } else {
        const event = await refused(listener, { seed }, "REFUSED");
        assert.equal(event.error.code, "REFUSED");
        assert.ok(!event.error.message.includes("own business"), "the peer may read it");
      }
      assert.ok(errors.length <= 1);
    });
  }
});

test("a yes that comes too late changes nothing", async () => {
  const seed = generateSeed();
  let answer: (yes: boolean) => void = () => undefined;
  const accept = () => new Promise<boolean>((resolve) => answer = resolve);
  await listening({ seed, accept, acceptTimeout: 20 }, async (listener) => {
    await refused(listener, { seed }, "REFUSED");
    answer(true);
    await Promise.resolve();
    assert.deepEqual([listener.stats().accepted, listener.stats().sessions], [0, 0]);
  });
});

test("early data arrives with the session, an early hook that throws ends the dial with its error", async () => {
  await joined({
    dial: {
      early: (peer) => {
        void peer.send(bytes("early message"));
        void peer.openStream().then((stream) => stream.write(bytes("early stream")));
      },
    },
  }, async ({ client, server }) => {
    assert.equal(text((await server.nextMessage())!.data), "early message");
    assert.equal(text(await (await server.acceptStream())!.read()), "early stream");
    assert.ok(await client.ping() >= 0);
  });
  const seed = generateSeed();
  const own = new Error("my own");
  await listening({ seed }, async (listener) => {
    const early = (): void => {
      throw own;
    };
    await assert.rejects(connect(listener.address, { seed, early }), (error) => error === own);
  });
});

test("early waits end with the refusal", async () => {
  const seed = generateSeed();
  let reading: Promise<unknown> | undefined;
  await listening({ seed, accept: () => false }, async (listener) => {
    const early: ConnectOptions["early"] = (peer) => {
      reading = peer.nextMessage();
      reading.catch(() => undefined);
    };
    await refused(listener, { seed, early }, "REFUSED");
    await assert.rejects(reading ?? Promise.resolve(), { code: "REFUSED" });
  });
});

test("nobody listens, or something else does", async () => {
  const seed = generateSeed();
  await assert.rejects(connect("mem:nobody-at-all", { seed }), { code: "TRANSPORT" });
  await assert.rejects(connect("tcp://127.0.0.1:1", { seed }), { code: "TRANSPORT" });
  await assert.rejects(connect("ws://127.0.0.1:1/", { seed }), { code: "TRANSPORT" });
  await assert.rejects(connect("http://127.0.0.1/", { seed }), { code: "ADDRESS" });
  await assert.rejects(listen("nothing", { seed }), { code: "ADDRESS" });
});
