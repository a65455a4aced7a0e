import assert from "node:assert/strict";
import { test } from "node:test";
import { Prng } from "../testing/prng.ts";
import { joined, pattern, readAll, UDP, until } from "./joined_for_test.ts";
import { tampering } from "./tampering_for_test.ts";

const LIMIT = { timeout: 60_000 };

/** Sizes around those of packets, of 1200 bytes and of loopback's. */
function size(index: number): number {
  return [1, 900, 1100, 1200, 5000, 16_000, 16_384, 40_000][index % 8]! + index;
}

test("udp: with loss and repeats each mode delivers what it promises", LIMIT, () => {
  const prng = new Prng(5);
  const transports = [tampering((datagram) => {
    const chance = prng.float();
    return chance < 0.1 ? [] : chance < 0.15 ? [datagram, datagram] : [datagram];
  })];
  return joined({ net: UDP, both: { transports } }, async ({ client, server }) => {
    const ordered = await client.openStream({ mode: "messages" });
    const unordered = await client.openStream({ mode: "unordered" });
    const plain = await client.openStream();
    const count = 60;
    const sending = Promise.all([
      (async () => {
        for (let index = 0; index < count; index++) {
          await ordered.write(pattern(size(index), index));
        }
        await ordered.end();
      })(),
      (async () => {
        for (let index = 0; index < count; index++) {
          await unordered.write(pattern(size(index), index));
        }
        await unordered.end();
      })(),
      (async () => {
        await plain.write(pattern(500_000));
        await plain.end();
      })(),
    ]);
    const inOrder: Uint8Array[] = [];
    const inAnyOrder: number[] = [];
    while (inOrder.length + inAnyOrder.length < 2 * count) {
      const { streamId, data } = await server.nextMessage() ?? assert.fail();
      if (streamId === ordered.id) {
        assert.deepEqual(data, pattern(size(inOrder.length), inOrder.length));
        inOrder.push(data);
        continue;
      }
      assert.equal(streamId, unordered.id);
      const index = Array.from({ length: count }, (_, at) => at)
        .find((at) => size(at) === data.length) ?? assert.fail(`${data.length} bytes`);
      assert.deepEqual(data, pattern(size(index), index));
      inAnyOrder.push(index);
    }
    assert.equal(inOrder.length, count);
    assert.equal(new Set(inAnyOrder).size, count, "each once");
    const incoming = await server.acceptStream() ?? assert.fail();
    assert.deepEqual(await readAll(incoming), pattern(500_000));
    await sending;
  });
});

test("udp: datagrams of the stated size arrive once or not at all", LIMIT, () => {
  const prng = new Prng(6);
  const transports = [tampering((datagram) => {
    const chance = prng.float();
    return chance < 0.1 ? [] : chance < 0.2 ? [datagram, datagram] : [datagram];
  })];
  return joined({ net: UDP, both: { transports, pathMtu: 1400 } }, async ({ client, server }) => {
    const sizes: number[] = [];
    client.on("datagram-size", ({ maxDatagramSize }) => void sizes.push(maxDatagramSize));
    const got = new Map<number, number>();
    const reading = (async () => {
      for await (const { channel, data } of server.datagrams()) {
        assert.ok(!got.has(channel), `datagram ${channel} came twice`);
        assert.deepEqual(data, pattern(data.length, channel));
        got.set(channel, data.length);
      }
    })();
    const sent: number[] = [];
    for (let channel = 0; channel < 200; channel++) {
      const { maxDatagramSize } = client;
      assert.ok(maxDatagramSize >= 1140 && maxDatagramSize <= 1352, `${maxDatagramSize}`);
      assert.equal(client.sendDatagram(pattern(maxDatagramSize, channel), { channel }), true);
      sent.push(maxDatagramSize);
      const tooLarge = new Uint8Array(client.maxDatagramSize + 1);
      assert.throws(() => client.sendDatagram(tooLarge), {
        code: "DATAGRAM_TOO_LARGE",
        limit: client.maxDatagramSize,
      });
      if (channel % 10 === 9) await client.ping();
    }
    await until(() => got.size >= 120);
    for (const [channel, length] of got) assert.equal(length, sent[channel]);
    assert.ok(got.size < 200, "some are lost, and nobody sends them again");
    await client.close();
    await reading;
    // One step, unless the network eats all three probes.
    assert.ok(sizes.length <= 1 && sizes.every((each) => each === 1348), `${sizes}`);
  });
});
