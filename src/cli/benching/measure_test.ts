import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "../../endpoint/connect.ts";
import { BlockStream } from "../../endpoint/files/block_stream.ts";
import { listen } from "../../endpoint/listener.ts";
import type { Peer } from "../../endpoint/peer.ts";
import { generateSeed } from "../../endpoint/seeds.ts";
import { datagramLoss, download, upload } from "./measure.ts";
import { BENCH_CHANNEL, encodeCount } from "./wire.ts";

/** What a listener says, which need not be true: a count behind each request, and datagrams of its own. */
async function against<Result>(
  count: number,
  datagrams: number,
  measure: (run: { peer: Peer; now(): number; signal: AbortSignal }) => Promise<Result>,
): Promise<Result> {
  const seed = generateSeed();
  const listener = await listen("mem:bench-liar", { seed });
  const peer = await connect("mem:bench-liar", { seed });
  const there = await listener.nextPeer();
  assert(there !== null);
  void (async () => {
    for await (const stream of there.streams()) {
      const blocks = new BlockStream(stream, undefined);
      await blocks.block();
      await blocks.write(encodeCount(count));
      for (let sent = 0; sent < datagrams; sent++) {
        there.sendDatagram(new Uint8Array(1), { channel: BENCH_CHANNEL });
      }
      while (await blocks.bytes(65_536) !== null);
      await blocks.write(encodeCount(count));
      await stream.end();
    }
  })().catch(() => undefined);
  try {
    // A clock of its own: 10 ms for each look.
    let now = 0;
    return await measure({ peer, now: () => now += 10, signal: new AbortController().signal });
  } finally {
    await peer.close();
    await listener.close();
  }
}

test("a listener that says what cannot be is not believed, and no figure below 0 is told", async () => {
  const untrue = (claim: RegExp): { code: string; message: RegExp } => ({
    code: "PROTOCOL",
    message: claim,
  });
  await assert.rejects(
    against(2, 0, (run) => upload(run, 30, 1, () => undefined)),
    untrue(/^cannot trust this listener: it says that 2 bytes arrived, where \d+ were sent$/),
  );
  await assert.rejects(
    against(1_000_000_000, 0, (run) => datagramLoss(run, 3)),
    untrue(/it says that 1000000000 datagrams arrived, of 3 sent$/),
  );
  await assert.rejects(
    against(3, 9, (run) => datagramLoss(run, 3)),
    untrue(/it says that 9 datagrams come back, of 3 sent$/),
  );
});

test("a datagram that came back arrived, whatever the listener had counted by then", async () => {
  const loss = await against(1, 2, (run) => datagramLoss(run, 3));
  assert.deepEqual(loss, { sent: 3, size: loss?.size, lostThere: 1, lostBack: 0 });
});

test("a listener that sends on and on is left", async () => {
  const seed = generateSeed();
  const listener = await listen("mem:bench-endless", { seed });
  const peer = await connect("mem:bench-endless", { seed });
  const there = await listener.nextPeer();
  assert(there !== null);
  const endless = (async () => {
    const stream = await there.acceptStream();
    for (;;) await stream?.write(new Uint8Array(1000));
  })();
  // Each look at the clock is a second later.
  let now = 0;
  const run = { peer, now: () => now += 1000, signal: new AbortController().signal };
  await assert.rejects(download(run, 3000, 1, () => undefined), {
    code: "PROTOCOL",
    message: "cannot measure: the listener sends for more than 3000 ms",
  });
  await assert.rejects(endless, { code: "STREAM_STOPPED" });
  await peer.close();
  await listener.close();
});
