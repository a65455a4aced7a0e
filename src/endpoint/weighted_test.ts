import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, joined, NETS, pattern, text, UDP } from "./joined_for_test.ts";
import { Prng } from "../testing/prng.ts";
import type { SttStream } from "./stt_stream.ts";
import { tampering } from "./tampering_for_test.ts";

const LIMIT = { timeout: 60_000 };
const SEGMENT = 16_384;

/** Reads the pieces of a weighted stream to its end, each held against what was sent. */
async function readPieces(
  stream: SttStream,
  sent: Uint8Array,
): Promise<{ whole: number; missing: number }> {
  let at = 0;
  let whole = 0;
  let missing = 0;
  for await (const { offset, data, gap } of stream.segments()) {
    assert.equal(offset, at);
    if (data === undefined) {
      missing += gap;
      at += gap;
      continue;
    }
    assert.deepEqual(data, sent.slice(at, at + data.length));
    if (data.length === SEGMENT) whole++;
    at += data.length;
  }
  assert.equal(at, sent.length);
  assert.equal(await stream.readSegment(), null, "null again");
  return { whole, missing };
}

for (const net of [...NETS, UDP]) {
  test(
    `${net.name}: a weighted stream brings everything where nothing is lost, both ways`,
    net.skip === undefined ? LIMIT : { skip: net.skip },
    () =>
      joined({ net }, async ({ client, server }) => {
        const up = await client.openStream({ mode: "weighted" });
        assert.equal(up.mode, "weighted");
        const sent = pattern(5 * SEGMENT + 100);
        await up.write(sent);
        void up.end();
        const incoming = await server.acceptStream({ mode: "weighted" }) ?? assert.fail();
        assert.equal(incoming.id, up.id);
        incoming.setTarget(0.9999);
        await incoming.write(sent.subarray(0, 40_000));
        void incoming.end();
        assert.deepEqual(await readPieces(incoming, sent), { whole: 5, missing: 0 });
        assert.deepEqual(await readPieces(up, sent.subarray(0, 40_000)), { whole: 2, missing: 0 });
        await Promise.all([up.finished, incoming.finished]);
        assert.deepEqual(
          [client.stats().streams.weighted.segments, server.stats().streams.weighted.segments],
          [6, 3],
        );
        assert.equal(server.stats().streams.weighted.givenUp, 0);
      }),
  );
}

test(
  "udp: over a lossy network the target decides, and the reader sees what is missing",
  LIMIT,
  () => {
    const prng = new Prng(11);
    let lossy = false;
    const transports = [tampering((datagram) => lossy && prng.chance(0.2) ? [] : [datagram])];
    // Packets of the open Internet's size: on loopback a segment is one packet.
    const both = { transports, pathMtu: 1200, congestion: "bbr" } as const;
    return joined({ net: UDP, both }, async ({ client, server }) => {
      lossy = true;
      const count = 30;
      const sent = prng.bytes(count * SEGMENT);
      const got: { whole: number; missing: number }[] = [];
      for (const target of [0, "entropy"] as const) {
        const stream = await client.openStream({ mode: "weighted", target });
        const writing = stream.write(sent);
        const incoming = await server.acceptStream({ mode: "weighted" }) ?? assert.fail();
        const reading = readPieces(incoming, sent);
        await writing;
        await stream.end();
        got.push(await reading);
      }
      const [careless, careful] = got;
      // With one transmission the odds of 15 packets are 1 to 28; for random bytes the target is 0.99.
      assert.ok(
        careless!.whole <= 15 && careful!.whole >= 24,
        `${careless!.whole}, ${careful!.whole}`,
      );
      const { weighted, loss } = client.stats().streams;
      assert.ok(loss > 0.1 && loss < 0.35, `loss ${loss}`);
      const used = weighted.classes.filter(({ segments }) => segments > 0);
      assert.deepEqual(used.map(({ target }) => target), [0.99, "own"]);
      assert.deepEqual(used.map(({ segments }) => segments), [count, count]);
      assert.ok(used[0]!.givenUp <= 6 && used[1]!.givenUp >= 15);
      const missing = careless!.missing + careful!.missing;
      assert.equal(server.stats().streams.weighted.bytesMissing, missing);
      assert.ok(weighted.bytesGivenUp >= missing && weighted.retransmissions > 0);
      lossy = false;
    });
  },
);

test("weighted streams are met only by those who ask for them", () =>
  joined({}, async ({ client, server }) => {
    const weighted = await client.openStream({ mode: "weighted", target: 0.5 });
    await weighted.write(bytes("weighted"));
    const plain = await client.openStream();
    await plain.write(bytes("plain"));
    const first = await server.acceptStream() ?? assert.fail();
    assert.equal(first.id, plain.id);
    const modes: string[] = [];
    for await (const stream of server.streams({ mode: "weighted" })) {
      modes.push(stream.mode);
      // A reader of bytes would take what is behind a gap for what follows.
      await assert.rejects(stream.read(), { code: "CONFIG", message: /may have gaps/ });
      await assert.rejects(stream.readable.getReader().read(), { code: "CONFIG" });
      assert.equal(stream.tryReadSegment(), undefined, "a segment comes whole");
      await weighted.end().catch(() => undefined);
      const segment = await stream.readSegment() ?? assert.fail();
      assert.equal(text(segment.data ?? null), "weighted");
      break;
    }
    assert.deepEqual(modes, ["weighted"]);
    await assert.rejects(first.readSegment(), { code: "CONFIG" });
    assert.throws(() => first.setTarget(0.5), { code: "CONFIG" });
    const wrong = server.acceptStream({ mode: "messages" as "bytes" });
    await assert.rejects(wrong, { code: "CONFIG" });
  }));

test("leaving the loop over segments stops the stream; a reset ends it", () =>
  joined({}, async ({ client, server }) => {
    const stream = await client.openStream({ mode: "weighted" });
    await stream.write(pattern(3 * SEGMENT));
    const incoming = await server.acceptStream({ mode: "weighted" }) ?? assert.fail();
    for await (const { data } of incoming.segments()) {
      assert.equal(data?.length, SEGMENT);
      break;
    }
    await assert.rejects(stream.finished, { code: "STREAM_STOPPED" });
    const other = await client.openStream({ mode: "weighted" });
    await other.write(pattern(10));
    const otherThere = await server.acceptStream({ mode: "weighted" }) ?? assert.fail();
    other.reset(0x150);
    await assert.rejects(otherThere.readSegment(), { code: "STREAM_RESET", wire: 0x150 });
    const signal = AbortSignal.abort(new Error("no time"));
    await assert.rejects(otherThere.readSegment({ signal }), /no time/);
  }));

test("targets are checked before a stream is opened", () =>
  joined({}, async ({ client }) => {
    for (const target of [-1, 2, NaN, "much" as "entropy"]) {
      const opening = client.openStream({ mode: "weighted", target });
      await assert.rejects(opening, { code: "CONFIG", message: /target/ });
    }
    await assert.rejects(client.openStream({ target: 0.9 }), { code: "CONFIG", message: /bytes/ });
    assert.equal(client.stats().streams.opened, 0);
    const stream = await client.openStream({ mode: "weighted", target: "entropy" });
    stream.setTarget(1);
    stream.setTarget("entropy");
    assert.throws(() => stream.setTarget(1.5), { code: "CONFIG" });
  }));
