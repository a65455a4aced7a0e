import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createSocket, type Socket } from "node:dgram";
import { test } from "node:test";
import { decodeFrame } from "../codec/frame.ts";
import { parseAddress } from "../transport/address.ts";
import type { DatagramTransport } from "../transport/transport.ts";
import { connect } from "./connect.ts";
import {
  bytes,
  type Joined,
  joined,
  pattern,
  readAll,
  text,
  UDP,
  until,
} from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import type { EndpointOptions } from "./options.ts";
import type { Peer } from "./peer.ts";
import { generateSeed } from "./seeds.ts";
import { tampering } from "./tampering_for_test.ts";

const LIMIT = { timeout: 60_000 };

async function transfer(from: Peer, to: Peer, size: number): Promise<void> {
  const stream = await from.openStream();
  const writing = (async () => {
    await stream.write(pattern(size));
    await stream.end();
  })();
  const incoming = await to.acceptStream() ?? assert.fail();
  assert.ok(Buffer.compare(await readAll(incoming), pattern(size)) === 0);
  await writing;
}

/** Everything a session can carry. */
async function exercise({ client, server }: Joined): Promise<void> {
  await Promise.all([transfer(client, server, 200_000), transfer(server, client, 200_000)]);
  await client.send(bytes("up"));
  assert.equal(text((await server.nextMessage())!.data), "up");
  await server.send(pattern(300_000));
  assert.deepEqual((await client.nextMessage())!.data, pattern(300_000));
  assert.ok(await client.ping() >= 0);
}

/** A socket of no peer at all. */
async function stranger(act: (socket: Socket, port: number) => Promise<void>): Promise<void> {
  const socket = createSocket("udp4");
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", () => resolve()));
  try {
    await act(socket, socket.address().port);
  } finally {
    await new Promise<void>((resolve) => socket.close(() => resolve()));
  }
}

function sendFrom(socket: Socket, datagram: Uint8Array, port: number): Promise<void> {
  return new Promise((resolve) => socket.send(datagram, port, "127.0.0.1", () => resolve()));
}

for (const congestion of ["cubic", "bbr", "newreno"] as const) {
  test(
    `udp: streams of 5 MB both ways, ${congestion}`,
    LIMIT,
    () =>
      joined({ net: UDP, both: { congestion } }, async ({ client, server }) => {
        await Promise.all([
          transfer(client, server, 5_000_000),
          transfer(server, client, 5_000_000),
        ]);
        const facts = await client.close();
        assert.deepEqual([facts.code, facts.complete, facts.error], [0, true, undefined]);
        assert.deepEqual((await server.closed).error, undefined);
      }),
  );
}

test(
  "udp: messages, datagrams, frames, pings and new keys",
  LIMIT,
  () =>
    joined({ net: UDP }, async (ends) => {
      const { client, server } = ends;
      await exercise(ends);
      client.rotateKeys();
      await exercise(ends);
      assert.equal(server.stats().rejected.frame_crypto ?? 0, 0);
      const frames: number[] = [];
      server.onFrame(0x90, ({ payload }) => void frames.push(payload.length));
      client.sendFrame(0x90, pattern(1000));
      client.sendDatagram(pattern(1100), { channel: 7 });
      const datagram = await server.nextDatagram() ?? assert.fail();
      assert.deepEqual([datagram.channel, datagram.data], [7, pattern(1100)]);
      await until(() => frames.length === 1);
      assert.ok(client.maxDatagramSize >= 1100 && client.maxDatagramSize <= 65_507);
      assert.throws(() => client.sendDatagram(new Uint8Array(client.maxDatagramSize + 1)), {
        code: "DATAGRAM_TOO_LARGE",
      });
    }),
);

test("udp: over IPv6, and by a name", LIMIT, async () => {
  const run = (address: string) =>
    joined({ net: { name: "udp", address: () => address } }, async (ends) => {
      await exercise(ends);
      assert.equal(ends.client.info.remoteAddress, ends.listener.address);
    });
  await run("udp://localhost:0");
  try {
    await run("udp://[::1]:0");
  } catch (error) {
    // Machines without IPv6 refuse the address itself.
    assert.match(String(error), /cannot bind/);
  }
});

test("udp: many peers on one socket do not mix", LIMIT, async () => {
  const seed = generateSeed();
  const options = { seed, handshakeRate: Infinity, halfOpenPerAddress: 100 };
  const listener = await listen("udp://127.0.0.1:0", options);
  const clients = await Promise.all(
    Array.from({ length: 40 }, () => connect(listener.address, { seed })),
  );
  const servers = new Map<string, Peer>();
  while (servers.size < clients.length) {
    const peer = await listener.nextPeer() ?? assert.fail();
    servers.set(peer.info.sessionId, peer);
  }
  await Promise.all(clients.map(async (client, index) => {
    const server = servers.get(client.info.sessionId) ?? assert.fail();
    assert.equal(server.info.remoteAddress, client.info.localAddress);
    await transfer(client, server, 20_000 + index);
    await transfer(server, client, 20_000 + index);
  }));
  assert.deepEqual([listener.stats().sessions, listener.stats().handshaking], [40, 0]);
  await Promise.all(clients.map((client) => client.close()));
  await until(() => listener.stats().sessions === 0);
  await listener.close();
});

test("udp: a wrong seed and an address without a listener are silence", LIMIT, async () => {
  const seed = generateSeed();
  const listener = await listen("udp://127.0.0.1:0", { seed });
  const wrong = connect(listener.address, { seed: generateSeed(), handshakeTimeout: 200 });
  await assert.rejects(wrong, { code: "HANDSHAKE_TIMEOUT" });
  const { drops, rejected, handshaking } = listener.stats();
  assert.deepEqual([drops.seed_id, rejected, handshaking], [1, 0, 0]);
  await listener.close();
  const nobody = connect(listener.address, { seed, handshakeTimeout: 200 });
  await assert.rejects(nobody, { code: "HANDSHAKE_TIMEOUT" });
  await assert.rejects(connect("udp://127.0.0.1:0", { seed }), { code: "ADDRESS" });
  await assert.rejects(connect("udp://no-such-host.invalid:9", { seed }), { code: "TRANSPORT" });
});

test("udp: refusals, a full listener and the wrong node are told", LIMIT, async () => {
  const seed = generateSeed();
  let yes = false;
  const options = { seed, maxSessions: 1, accept: () => yes, handshakeRate: Infinity };
  const listener = await listen("udp://127.0.0.1:0", options);
  const rejected: string[] = [];
  listener.on("rejected", ({ error }) => void rejected.push(error.code));
  await assert.rejects(connect(listener.address, { seed }), { code: "REFUSED" });
  await until(() => listener.stats().rejected === 1);
  yes = true;
  const first = await connect(listener.address, { seed, expect: listener.nodeId });
  assert.equal(first.info.pinned, true);
  await assert.rejects(connect(listener.address, { seed }), { code: "BUSY" });
  await assert.rejects(connect(listener.address, { seed, app: "x", expect: () => false }), {
    code: "BUSY",
  });
  await first.close();
  await until(() => listener.stats().sessions === 0);
  const pinned = connect(listener.address, { seed, expect: new Uint8Array(32) });
  await assert.rejects(pinned, { code: "PEER_IDENTITY" });
  assert.deepEqual(rejected, ["REFUSED"]);
  await listener.close();
});

test("udp: what comes early waits for the accept hook", LIMIT, async () => {
  const seed = generateSeed();
  let decide: ((yes: boolean) => void) | undefined;
  const accept = () => new Promise<boolean>((resolve) => void (decide = resolve));
  const listener = await listen("udp://127.0.0.1:0", { seed, accept });
  const early = (peer: Peer) => peer.send(bytes("early"));
  const dial = connect(listener.address, { seed, early });
  await until(() => decide !== undefined);
  assert.equal(listener.stats().handshaking, 1);
  decide?.(true);
  const server = await listener.nextPeer() ?? assert.fail();
  assert.equal(text((await server.nextMessage())!.data), "early");
  await (await dial).close();
  await listener.close();
});

/** What `order` makes of AUTH_PROOF and the frame behind it, which share the second datagram of a dial. */
function proofWith(
  order: (proof: Uint8Array, data: Uint8Array) => Uint8Array[],
): DatagramTransport {
  let count = 0;
  return tampering((datagram) => {
    if (++count !== 2) return [datagram];
    const { size } = decodeFrame(datagram);
    assert.ok(size < datagram.length);
    return order(datagram.slice(0, size), datagram.slice(size));
  });
}

function joinedUp(first: Uint8Array, second: Uint8Array): Uint8Array {
  const out = new Uint8Array(first.length + second.length);
  out.set(first);
  out.set(second, first.length);
  return out;
}

test("udp: data in AUTH_PROOF's datagram, before it, and more than may wait", LIMIT, async () => {
  const seed = generateSeed();
  const orders: ((proof: Uint8Array, data: Uint8Array) => Uint8Array[])[] = [
    (proof, data) => [joinedUp(proof, data)],
    (proof, data) => [joinedUp(joinedUp(proof, data), data.subarray(0, 9))],
    (proof, data) => [data, proof],
    (proof, data) => [...Array.from({ length: 20 }, () => data), proof],
    (proof, data) => [joinedUp(proof, proof), data],
  ];
  const counted = [{}, {}, {}, { early: 4 }, { trailing: 1 }];
  for (const [index, order] of orders.entries()) {
    const listener = await listen("udp://127.0.0.1:0", { seed });
    const early = (peer: Peer) => peer.send(bytes("early"));
    const client = await connect(listener.address, { seed, early, transports: [proofWith(order)] });
    const server = await listener.nextPeer() ?? assert.fail();
    assert.equal(text((await server.nextMessage())!.data), "early");
    assert.deepEqual(listener.stats().drops, counted[index]);
    await client.close();
    await listener.close();
  }
});

test("udp: close, abort and signals", LIMIT, async () => {
  const seed = generateSeed();
  const stop = new AbortController();
  const listener = await listen("udp://127.0.0.1:0", { seed, signal: stop.signal });
  const one = await connect(listener.address, { seed });
  const oneThere = await listener.nextPeer() ?? assert.fail();
  void one.send(pattern(500_000)).catch(() => undefined);
  one.abort({ code: 0x123, reason: "enough" });
  const facts = await oneThere.closed;
  assert.deepEqual([facts.code, facts.reason, facts.remote], [0x123, "enough", true]);
  const dialling = new AbortController();
  const { signal } = dialling;
  const dial = connect("udp://127.0.0.1:9", { seed, signal });
  dialling.abort(new Error("changed my mind"));
  await assert.rejects(dial, /changed my mind/);
  const two = await connect(listener.address, { seed });
  stop.abort();
  await listener.closed;
  assert.equal((await two.closed).remote, true);
  await assert.rejects(connect(listener.address, { seed, signal }), /changed my mind/);
});

test(
  "udp: closing a listener delivers what was written",
  LIMIT,
  () =>
    joined({ net: UDP }, async ({ listener, client, server }) => {
      const down = await server.openStream();
      await down.write(pattern(100_000));
      void down.end();
      const closing = listener.close();
      const incoming = await client.acceptStream() ?? assert.fail();
      assert.deepEqual(await readAll(incoming), pattern(100_000));
      await closing;
      assert.deepEqual((await client.closed).code, 0);
      assert.equal(await listener.nextPeer(), null);
    }),
);

test("udp: the address is taken while it listens and free again after", LIMIT, async () => {
  const seed = generateSeed();
  const first = await listen("udp://127.0.0.1:0", { seed });
  await assert.rejects(listen(first.address, { seed }), { code: "TRANSPORT" });
  await first.close();
  const second = await listen(first.address, { seed });
  assert.equal(second.address, first.address);
  await second.close();
});

test("udp: a peer that vanishes ends by idle timeout", LIMIT, async () => {
  const seed = generateSeed();
  let cut = false;
  const transports = [tampering((datagram) => cut ? [] : [datagram])];
  const listener = await listen("udp://127.0.0.1:0", { seed, maxIdle: 400 });
  const client = await connect(listener.address, { seed, transports });
  const server = await listener.nextPeer() ?? assert.fail();
  await client.ping();
  cut = true;
  assert.equal((await server.closed).error?.code, "IDLE_TIMEOUT");
  await client.closed;
  await until(() => listener.stats().sessions === 0);
  await listener.close();
});

test("udp: loss, repeats, bit flips and reordering do no harm", LIMIT, async () => {
  let count = 0;
  let late: Uint8Array | undefined;
  const bad = tampering((datagram) => {
    count++;
    if (count % 13 === 0) return [];
    if (count % 17 === 0) return [datagram, datagram];
    if (count % 19 === 0) {
      const flipped = datagram.slice();
      const at = count % flipped.length;
      flipped[at] = (flipped[at] as number) ^ 1;
      return [flipped];
    }
    if (count % 11 === 0) {
      late = datagram.slice();
      return [];
    }
    const out = late === undefined ? [datagram] : [datagram, late];
    late = undefined;
    return out;
  });
  await joined({ net: UDP, both: { transports: [bad] } }, async (ends) => {
    for (let round = 0; round < 3; round++) await exercise(ends);
    const { listener, server, client } = ends;
    const dropped = Object.values(listener.stats().drops).reduce((sum, n) => sum + n, 0) +
      Object.values(server.stats().rejected).reduce((sum, n) => sum + n, 0) +
      Object.values(client.stats().rejected).reduce((sum, n) => sum + n, 0);
    assert.ok(dropped > 0);
  });
});

test(
  "udp: garbage and old sessions are dropped and counted",
  LIMIT,
  async () => {
    const seen: Uint8Array[] = [];
    const transports = [tampering((datagram) => {
      seen.push(datagram.slice());
      return [datagram];
    })];
    await joined({ net: UDP, dial: { transports } }, async (ends) => {
      const { listener, client, server, seed } = ends;
      const { port } = parseAddress(listener.address);
      await exercise(ends);
      let old = new Uint8Array(0);
      const noted = tampering((datagram) => {
        old = datagram.slice();
        return [datagram];
      });
      const other = await connect(listener.address, { seed, transports: [noted] });
      const otherThere = await listener.nextPeer() ?? assert.fail();
      await other.close();
      await otherThere.closed;
      await until(() => listener.stats().sessions === 1);
      await stranger(async (socket) => {
        let answered = 0;
        socket.on("message", (answer) => void (answered += answer.length));
        const unknown = old.slice();
        unknown[8] = (unknown[8] as number) ^ 0xff;
        const junk = [
          new Uint8Array(0),
          new Uint8Array(1500).fill(0x53),
          Uint8Array.of(0x53, 0x54),
          pattern(1000),
          old.subarray(0, old.length - 1),
          old,
          unknown,
          ...seen.slice(2, 40).map((datagram) => {
            const flipped = datagram.slice();
            const last = flipped.length - 1;
            flipped[last] = (flipped[last] as number) ^ 0x80;
            return flipped;
          }),
          ...seen.slice(2, 40),
        ];
        let sent = 0;
        for (const datagram of junk) {
          await sendFrom(socket, datagram, port);
          sent += datagram.length;
        }
        await exercise(ends);
        await until(() => {
          const { malformed = 0, tombstone = 0, session = 0 } = listener.stats().drops;
          return malformed >= 5 && tombstone >= 1 && session >= 1;
        });
        // A HELLO with another timestamp gets a RETRY no larger than itself.
        assert.ok(answered <= 300 && answered < sent, `${answered} answered`);
      });
      assert.equal(client.stats().state, "established");
      assert.equal(server.stats().state, "established");
    });
  },
);

test(
  "udp: an event tells how large datagrams may be",
  LIMIT,
  () =>
    joined({ net: UDP, both: { pathMtu: 1400 } }, async (ends) => {
      const { client, server } = ends;
      const before = client.maxDatagramSize;
      const sizes: number[] = [];
      client.on("datagram-size", ({ maxDatagramSize }) => {
        sizes.push(maxDatagramSize);
        client.sendDatagram(pattern(maxDatagramSize));
      });
      await exercise(ends);
      await until(() => sizes.length > 0);
      assert.deepEqual(sizes, [before + 200]);
      assert.deepEqual((await server.nextDatagram())!.data, pattern(before + 200));
    }),
);

test("udp: options are checked", async () => {
  const seed = generateSeed();
  const wrong = [
    { congestion: "vegas" },
    { pathMtu: 1199 },
    { pathMtu: 70_000 },
    { pathMtu: 1300.5 },
  ] as unknown as EndpointOptions[];
  for (const options of wrong) {
    await assert.rejects(listen("udp://127.0.0.1:0", { seed, ...options }), { code: "CONFIG" });
    await assert.rejects(connect("udp://127.0.0.1:1", { seed, ...options }), { code: "CONFIG" });
  }
});
