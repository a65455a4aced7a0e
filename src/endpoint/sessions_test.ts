import { test } from "node:test";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { bytes, joined, NETS, pattern, readAll, text } from "./joined_for_test.ts";

for (const net of NETS) {
  const skip = net.skip === undefined ? {} : { skip: net.skip };

  test(
    `${net.name}: who is who`,
    skip,
    () =>
      joined({ net, dial: { app: "test/1" } }, async ({ listener, client, server }) => {
        assert.deepEqual(client.nodeId, listener.nodeId);
        assert.equal(client.id, Buffer.from(listener.nodeId).toString("hex"));
        assert.equal(client.info.role, "initiator");
        assert.equal(server.info.role, "responder");
        assert.equal(client.info.sessionId, server.info.sessionId);
        assert.equal(client.info.pinned, false);
        assert.equal(server.info.app, "test/1");
        assert.equal(server.info.seedIndex, 0);
        assert.equal(client.info.remoteAddress, listener.address);
        const key = client.export("test", bytes("context"), 32);
        assert.deepEqual(server.export("test", bytes("context"), 32), key);
        assert.ok(await client.ping() >= 0);
        assert.ok(await server.ping() >= 0);
      }),
  );

  test(
    `${net.name}: streams both ways, half-closed each on its own`,
    skip,
    () =>
      joined({ net }, async ({ client, server }) => {
        const up = await client.openStream();
        await up.write(pattern(300_000));
        const ended = up.end();
        const incoming = await server.acceptStream() ?? assert.fail();
        assert.equal(incoming.id, up.id);
        assert.deepEqual(await readAll(incoming), pattern(300_000));
        await ended;
        assert.equal(await incoming.read(), null, "null again");
        // The other direction is open still.
        await incoming.write(bytes("answer"));
        assert.equal(text(await up.read()), "answer");
        await incoming.end();
        assert.equal(await up.read(), null);
        await incoming.finished;
        await assert.rejects(up.write(bytes("late")), { code: "STREAM_CLOSED" });

        assert.equal(server.stream(incoming.id), undefined, "both halves are over");
        const down = await server.openStream({ priority: 900 });
        assert.equal(server.stream(down.id), down);
        await down.write(bytes("from the listener"));
        assert.equal(text(await (await client.acceptStream())!.read()), "from the listener");
      }),
  );

  test(
    `${net.name}: messages, unordered messages, datagrams and frames`,
    skip,
    () =>
      joined({ net }, async ({ client, server }) => {
        for (const size of [0, 1, 70_000]) await client.send(pattern(size));
        for (const size of [0, 1, 70_000]) {
          assert.deepEqual((await server.nextMessage())?.data, pattern(size));
        }
        const unordered = await server.openStream({ mode: "unordered" });
        for (let i = 0; i < 10; i++) await unordered.write(bytes(`message ${i}`));
        const got = new Set<string>();
        while (got.size < 10) got.add(text((await client.nextMessage())!.data));
        assert.equal(got.has("message 9"), true);

        client.sendDatagram(bytes("datagram"), { channel: 9 });
        const datagram = await server.nextDatagram();
        assert.equal(datagram?.channel, 9);
        assert.equal(text(datagram?.data ?? null), "datagram");

        const frame = new Promise((resolve) => server.onFrame(0x99, resolve));
        client.sendFrame(0x99, bytes("frame"), { flags: 0xff, streamId: 5 });
        assert.deepEqual(await frame, {
          type: 0x99,
          flags: 0xff,
          streamId: 5,
          payload: bytes("frame"),
        });
      }),
  );

  test(
    `${net.name}: reset and stop carry their codes`,
    skip,
    () =>
      joined({ net }, async ({ client, server }) => {
        const up = await client.openStream();
        await up.write(bytes("half"));
        const incoming = await server.acceptStream() ?? assert.fail();
        assert.equal(text(await incoming.read()), "half");
        up.reset(0x123);
        await assert.rejects(incoming.read(), { code: "STREAM_RESET", wire: 0x123, remote: true });
        await assert.rejects(up.write(bytes("x")), { code: "STREAM_CLOSED" });
        await assert.rejects(up.finished, { code: "STREAM_CLOSED" });

        up.stop(0x77_777);
        await assert.rejects(incoming.write(bytes("x")).then(() => incoming.finished), {
          code: "STREAM_STOPPED",
          wire: 0x77_777,
        });
        for (const code of [-1, 0.5, 2 ** 53]) {
          assert.throws(() => incoming.reset(code), { code: "CONFIG" });
          assert.throws(() => incoming.stop(code), { code: "CONFIG" });
        }
      }),
  );

  test(
    `${net.name}: rotation while data flows`,
    skip,
    () =>
      joined({ net, both: { rotateBytes: 65_536 } }, async ({ client, server }) => {
        const epochs: number[] = [];
        server.on("rekey", ({ direction, epoch }) => {
          if (direction === "receive") epochs.push(epoch);
        });
        const up = await client.openStream();
        const reading = server.acceptStream().then((stream) => readAll(stream!));
        await up.write(pattern(1_500_000));
        await up.end();
        assert.deepEqual(await reading, pattern(1_500_000));
        assert.ok(epochs.length > 3 && epochs[0] === 1);
        client.rotateKeys();
        await client.ping();
        assert.equal(client.stats().state, "established");
      }),
  );

  test(
    `${net.name}: what was sent before an orderly close is read after it`,
    skip,
    () =>
      joined({ net }, async ({ client, server }) => {
        const up = await client.openStream();
        await up.write(pattern(100_000));
        const never = await client.openStream();
        await never.write(bytes("no end"));
        await up.end();
        await client.send(bytes("message"));
        client.sendDatagram(bytes("datagram"));
        const facts = await client.close({ code: 0, reason: "done" });
        assert.deepEqual(facts, {
          code: 0,
          reason: "done",
          remote: false,
          error: undefined,
          complete: true,
        });
        assert.equal((await server.closed).reason, "done");
        const incoming = await server.acceptStream() ?? assert.fail();
        assert.deepEqual(await readAll(incoming), pattern(100_000));
        const cut = await server.acceptStream() ?? assert.fail();
        assert.equal(text(await cut.read()), "no end");
        await assert.rejects(cut.read(), { code: "CLOSED" }, "it did not end, the session did");
        assert.equal(await server.acceptStream(), null);
        assert.equal(text((await server.nextMessage())!.data), "message");
        assert.equal(await server.nextMessage(), null);
        assert.equal(text((await server.nextDatagram())!.data), "datagram");
        assert.equal(await server.nextDatagram(), null);
        await assert.rejects(server.openStream(), { code: "CLOSED" });
        assert.throws(() => server.sendDatagram(bytes("x")), { code: "CLOSED" });
        await assert.rejects(server.ping(), { code: "CLOSED" });
      }),
  );

  test(
    `${net.name}: an abort with the application's code reaches every wait`,
    skip,
    () =>
      joined({ net }, async ({ client, server }) => {
        const stream = await client.openStream();
        await stream.write(bytes("x"));
        const incoming = await server.acceptStream() ?? assert.fail();
        await incoming.read();
        const waits = [
          incoming.read(),
          incoming.finished,
          server.acceptStream(),
          server.nextMessage(),
          server.nextDatagram(),
        ];
        client.abort({ code: 0x200, reason: "enough" });
        for (const wait of waits) {
          await assert.rejects(wait, { code: "APPLICATION", wire: 0x200, remote: true });
        }
        const facts = await server.closed;
        assert.deepEqual([facts.code, facts.reason, facts.remote], [0x200, "enough", true]);
        assert.equal((await client.closed).remote, false);
      }),
  );
}

test("disposing closes in order", () =>
  joined({}, async ({ client, server }) => {
    await client[Symbol.asyncDispose]();
    assert.equal((await server.closed).code, 0);
    assert.equal((await client.close()).code, 0, "closing twice is harmless");
  }));

test("close refuses codes that belong to the protocol", () =>
  joined({}, async ({ client }) => {
    for (const code of [1, 0xff, -1, 0.5, NaN]) {
      await assert.rejects(client.close({ code }), { code: "CONFIG" });
      if (code !== 1 && code !== 0xff) {
        assert.throws(() => client.abort({ code }), { code: "CONFIG" });
      }
    }
    assert.equal(client.stats().state, "established");
  }));

test("a Buffer that its owner uses again was copied, and a seed in a Buffer stays what it was", () => {
  const buffer = Buffer.from("first");
  const seed = Buffer.alloc(32, 7);
  const nodeSeed = Buffer.alloc(32, 8);
  const pairKey = Buffer.alloc(32, 9);
  const lookup = Buffer.alloc(32, 9);
  return joined({
    both: { seed },
    dial: { nodeSeed, pairKey },
    listen: { pairKey: () => lookup },
  }, async ({ client, server }) => {
    const stream = await client.openStream();
    for (const word of ["first", "other", "third"]) {
      buffer.write(word);
      void stream.write(buffer);
      void client.send(buffer);
      client.sendDatagram(buffer);
    }
    void stream.end();
    const incoming = await server.acceptStream() ?? assert.fail();
    assert.equal(text(await readAll(incoming)), "firstotherthird");
    for (const word of ["first", "other", "third"]) {
      assert.equal(text((await server.nextMessage())!.data), word);
      assert.equal(text((await server.nextDatagram())!.data), word);
    }
    assert.deepEqual([seed[0], nodeSeed[0], pairKey[0], lookup[0]], [7, 8, 9, 9]);
  });
});

test("only bytes can be sent", () =>
  joined({}, async ({ client }) => {
    const stream = await client.openStream();
    const wrong = "text" as unknown as Uint8Array;
    await assert.rejects(stream.write(wrong), { code: "CONFIG" });
    await assert.rejects(stream.write(wrong, { own: true }), { code: "CONFIG" });
    await assert.rejects(client.send(wrong), { code: "CONFIG" });
    assert.throws(() => client.sendDatagram(wrong), { code: "CONFIG" });
    assert.throws(() => client.sendFrame(0x80, wrong), { code: "CONFIG" });
    await assert.rejects(stream.writable.getWriter().write(wrong), { code: "CONFIG" });
    await assert.rejects(client.openStream({ mode: "other" as never }), { code: "CONFIG" });
    await assert.rejects(client.openStream({ priority: 1001 }), { code: "CONFIG" });
  }));

test("frames that came before their handler wait for it; nobody's are counted", () =>
  joined({
    dial: { early: (peer) => void peer.sendFrame(0x90, bytes("early")) },
  }, async ({ client, server }) => {
    client.sendFrame(0x91, bytes("other"));
    await client.ping();
    assert.equal(server.stats().unhandledFrames, 2);
    const got: string[] = [];
    const remove = server.onFrame(0x90, ({ payload }) => void got.push(text(payload)));
    server.onFrame(0x91, ({ payload }) => void got.push(text(payload)));
    assert.throws(() => server.onFrame(0x90, () => undefined), { code: "CONFIG" });
    for (const type of [0, 0x7f, 0x100]) {
      assert.throws(() => server.onFrame(type, () => undefined), { code: "CONFIG" });
    }
    await client.ping();
    assert.deepEqual(got, ["early", "other"]);
    remove();
    client.sendFrame(0x90, bytes("late"));
    await client.ping();
    assert.equal(server.stats().unhandledFrames, 1);
  }));
