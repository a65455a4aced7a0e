import { test } from "node:test";
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { connect } from "./connect.ts";
import { bytes, freshAddress, joined, NETS, pattern, readAll, text } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";

const REASON = new Error("changed my mind");

/** Rejects with the signal's own reason, before the call and while it waits, and leaves no listener behind. */
async function assertAborts(
  what: string,
  call: (signal: AbortSignal) => Promise<unknown>,
  waits = true,
): Promise<void> {
  const before = AbortSignal.abort(REASON);
  await assert.rejects(call(before), (error) => error === REASON, `${what}, aborted before`);
  if (!waits) return;
  const controller = new AbortController();
  const waiting = call(controller.signal);
  queueMicrotask(() => controller.abort(REASON));
  await assert.rejects(waiting, (error) => error === REASON, `${what}, aborted while it waits`);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0, `${what} left a listener`);
}

test("every wait of a session ends with the signal's reason, and nothing is lost", () =>
  joined({ both: { maxStreams: 2, maxStreamData: 10_000, sendBuffer: 20_000 } }, async (ends) => {
    const { client, server, listener } = ends;
    const stream = await client.openStream();
    await stream.write(bytes("0"));
    const incoming = await server.acceptStream() ?? assert.fail();
    await incoming.read();

    await assertAborts("read", (signal) => incoming.read({ signal }));
    await assertAborts("nextMessage", (signal) => server.nextMessage({ signal }));
    await assertAborts("nextDatagram", (signal) => server.nextDatagram({ signal }));
    await assertAborts("acceptStream", (signal) => server.acceptStream({ signal }));
    await assertAborts("nextPeer", (signal) => listener.nextPeer({ signal }));
    await assertAborts("ping", (signal) => client.ping({ signal }));
    await assertAborts("streams()", (signal) => server.streams({ signal }).next());
    await assertAborts("messages()", (signal) => server.messages({ signal }).next());
    await assertAborts("datagrams()", (signal) => server.datagrams({ signal }).next());

    await client.send(bytes("m1"));
    await assertAborts("openStream", (signal) => client.openStream({ signal }));
    await assertAborts("send", (signal) => client.send(pattern(50_000), { signal }));
    await assertAborts("write", (signal) => stream.write(pattern(50_000), { signal }));
    await assertAborts("ready", (signal) => stream.ready({ signal }));
    await assertAborts("end", (signal) => stream.end({ signal }));

    // What waited was not taken away, and what was taken before the abort goes out once.
    client.sendDatagram(bytes("d"));
    assert.equal(text((await server.nextDatagram())!.data), "d");
    assert.equal(text((await server.nextMessage())!.data), "m1");
    assert.deepEqual((await server.nextMessage())!.data, pattern(50_000));
    assert.deepEqual(await readAll(incoming), pattern(50_000));
    const aborted = AbortSignal.abort(REASON);
    await client.send(bytes("m2"));
    await assert.rejects(server.nextMessage({ signal: aborted }), (error) => error === REASON);
    assert.equal(text((await server.nextMessage())!.data), "m2");
  }));

for (const net of NETS) {
  test(
    `${net.name}: dialling aborts at every moment`,
    net.skip ? { skip: net.skip } : {},
    async () => {
      const seed = generateSeed();
      const listener = await listen(net.address(), {
        seed,
        handshakeRate: Infinity,
        halfOpenPerAddress: 1000,
        accept: () => new Promise((resolve) => setTimeout(() => resolve(true), 1)),
        ...(net.listen === undefined ? {} : { transport: net.listen }),
      });
      const dial = (signal: AbortSignal, early?: () => void) =>
        connect(listener.address, {
          seed,
          signal,
          ...(early === undefined ? {} : { early }),
          ...(net.dial === undefined ? {} : { transport: net.dial }),
        });
      const isReason = (error: unknown): boolean => error === REASON;
      await assert.rejects(dial(AbortSignal.abort(REASON)), isReason);
      for (const delay of [0, 0, 1, 2, 3, 5]) {
        const controller = new AbortController();
        const timer = setTimeout(() => controller.abort(REASON), delay);
        await dial(controller.signal).then((peer) => peer.close(), (error) => {
          assert.ok(isReason(error), String(error));
        });
        clearTimeout(timer);
        assert.equal(getEventListeners(controller.signal, "abort").length, 0);
      }
      const controller = new AbortController();
      await assert.rejects(dial(controller.signal, () => controller.abort(REASON)), isReason);
      // The signal of a dial does not touch the session that stands.
      const kept = new AbortController();
      const peer = await dial(kept.signal);
      kept.abort(REASON);
      assert.ok(await peer.ping() >= 0);
      await peer.close();
      await listener.close();
      assert.equal(listener.stats().sessions, 0);
      assert.equal(listener.stats().handshaking, 0);
    },
  );
}

test("a listener's signal closes it and its sessions", async () => {
  const seed = generateSeed();
  await assert.rejects(
    listen(freshAddress(), { seed, signal: AbortSignal.abort(REASON) }),
    (error) => error === REASON,
  );
  const controller = new AbortController();
  const listener = await listen(freshAddress(), { seed, signal: controller.signal });
  const client = await connect(listener.address, { seed });
  controller.abort();
  await listener.closed;
  assert.equal((await client.closed).error, undefined);
  assert.equal(await listener.nextPeer().then((peer) => peer?.closed).then(() => 0), 0);
  const other = new AbortController();
  const second = await listen(freshAddress(), { seed, signal: other.signal });
  await second.close();
  await second.closed;
  assert.equal(getEventListeners(other.signal, "abort").length, 0);
});
