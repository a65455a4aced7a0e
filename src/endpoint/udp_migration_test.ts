import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { connect } from "./connect.ts";
import { pattern, readAll, until } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import { NatProxy } from "./nat_proxy_for_test.ts";
import type { EndpointOptions } from "./options.ts";
import type { Peer } from "./peer.ts";
import { generateSeed } from "./seeds.ts";

const LIMIT = { timeout: 60_000 };
const SIZE = 1_500_000;

interface Behind {
  readonly proxy: NatProxy;
  readonly client: Peer;
  readonly server: Peer;
}

/** A session through a NAT. */
async function behindNat(
  options: EndpointOptions,
  act: (ends: Behind) => Promise<void>,
): Promise<void> {
  const seed = generateSeed();
  const listener = await listen("udp://127.0.0.1:0", { seed, ...options });
  const proxy = new NatProxy(listener.address);
  await proxy.start();
  try {
    const client = await connect(proxy.address, { seed, ...options });
    const server = await listener.nextPeer() ?? assert.fail();
    await act({ proxy, client, server });
    await client.close();
  } finally {
    await listener.close();
    await proxy.close();
  }
}

/** Moves `SIZE` bytes both ways and calls `mark` when a quarter has arrived. */
async function transfer({ client, server }: Behind, mark: () => Promise<void>): Promise<void> {
  const one = async (from: Peer, to: Peer): Promise<void> => {
    const stream = await from.openStream();
    const writing = (async () => {
      for (let at = 0; at < SIZE; at += 100_000) {
        await stream.write(pattern(SIZE).subarray(at, at + 100_000));
      }
      await stream.end();
    })();
    const incoming = await to.acceptStream() ?? assert.fail();
    assert.ok(Buffer.compare(await readAll(incoming), pattern(SIZE)) === 0);
    await writing;
  };
  const marked = (async () => {
    await until(() => server.stats().bytesReceived > SIZE / 4);
    await mark();
  })();
  await Promise.all([one(client, server), one(server, client), marked]);
}

test(
  "udp: a NAT that rebinds in mid-stream costs no byte, and the peer is followed",
  LIMIT,
  () =>
    behindNat({}, async (ends) => {
      const { proxy, client, server } = ends;
      const moves: unknown[] = [];
      server.on("migrated", (move) => void moves.push(move));
      const first = proxy.outsideAddress;
      assert.equal(server.remoteAddress, first);
      await transfer(ends, () => proxy.rebindOutside());
      await until(() => moves.length === 1);
      const second = proxy.outsideAddress;
      assert.deepEqual(moves, [{ from: first, to: second }]);
      assert.deepEqual([server.remoteAddress, server.info.remoteAddress], [second, first]);
      assert.deepEqual([server.stats().migrations, client.stats().migrations], [1, 0]);
      await transfer(ends, () => Promise.resolve());
    }),
);

test(
  "udp: a server whose address changes in mid-stream is followed",
  LIMIT,
  () =>
    behindNat({}, async (ends) => {
      const { proxy, client, server } = ends;
      // Only what comes from there tells the client of the new address.
      await transfer(ends, () => proxy.rebindInside());
      await until(() => client.remoteAddress === proxy.address);
      assert.deepEqual([server.stats().migrations, client.stats().migrations], [0, 1]);
    }),
);

test(
  "udp: copies from another address that come first divert nothing",
  LIMIT,
  () =>
    behindNat({ pathMtu: 1452 }, async (ends) => {
      const { proxy, client, server } = ends;
      proxy.copies = true;
      await transfer(ends, () => Promise.resolve());
      assert.equal(server.remoteAddress, proxy.outsideAddress);
      assert.deepEqual([server.stats().migrations, client.stats().migrations], [0, 0]);
      const { sent, received } = proxy.copier;
      assert.ok(received > 0 && received <= 3 * sent, `${received} for ${sent}`);
      assert.ok((server.stats().rejected.frame_seen ?? 0) > 100);
    }),
);

test(
  "udp: with migrate: false a peer that moves is lost",
  LIMIT,
  () =>
    behindNat({ migrate: false, maxIdle: 600 }, async ({ proxy, client, server }) => {
      await client.ping();
      await proxy.rebindOutside();
      const ping = assert.rejects(client.ping());
      const [facts] = await Promise.all([client.closed, server.closed, ping]);
      assert.equal(facts.error?.code, "IDLE_TIMEOUT");
      assert.ok((server.stats().rejected.migrate ?? 0) > 0);
      assert.equal(server.stats().migrations, 0);
    }),
);
