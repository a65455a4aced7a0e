import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { nodeProvider } from "../crypto/node_provider.ts";
import { generateSeed } from "./seeds.ts";
import { connect } from "./connect.ts";
import { listen, type Listener } from "./listener.ts";
import type { ConnectOptions, ListenOptions } from "./options.ts";
import type { Peer } from "./peer.ts";
import { SttNode } from "./stt_node.ts";

let names = 0;

interface Pair {
  readonly listener: Listener;
  readonly client: Peer;
  readonly server: Peer;
}

async function open(
  listening: Partial<ListenOptions> = {},
  dialling: Partial<ConnectOptions> = {},
): Promise<Pair> {
  const seed = generateSeed();
  const listener = await listen(`mem:peer-attack-${++names}`, { seed, ...listening });
  const client = await connect(listener.address, { seed, ...dialling });
  const server = await listener.nextPeer() ?? assert.fail("closed");
  return { listener, client, server };
}

const text = (chunk: Uint8Array): string => new TextDecoder().decode(chunk);
const bytes = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Rejections that nobody handled while `act` ran and in the turn after it. */
async function unhandled(act: () => Promise<void>): Promise<unknown[]> {
  const reasons: unknown[] = [];
  const note = (reason: unknown): void => void reasons.push(reason);
  process.on("unhandledRejection", note);
  try {
    await act();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  } finally {
    process.off("unhandledRejection", note);
  }
  return reasons;
}

test("messages sent at once use one stream and arrive in order", async () => {
  const { listener, client, server } = await open();
  const words = ["one", "two", "three", "four"];
  await Promise.all(words.map((word) => client.send(bytes(word))));
  const got: string[] = [];
  const ids = new Set<number>();
  while (got.length < words.length) {
    const { data, streamId } = await server.nextMessage() ?? assert.fail("closed");
    got.push(text(data));
    ids.add(streamId);
  }
  assert.deepEqual(got, words);
  assert.deepEqual([...ids], [1]);
  assert.equal(client.stats().streams.opened, 1);
  await listener.close();
});

test("an asynchronous early hook that fails rejects the dial and nothing else", async () => {
  const seed = generateSeed();
  const listener = await listen("mem:early-attack", { seed, accept: () => false });
  const reasons = await unhandled(async () => {
    // What most people write: the hook's promise rejects when the listener refuses.
    const early = async (peer: Peer): Promise<void> => {
      const stream = await peer.openStream();
      await stream.read();
    };
    await assert.rejects(connect(listener.address, { seed, early }), { code: "REFUSED" });
  });
  assert.deepEqual(reasons, []);
  const own = new Error("the hook's own");
  const throwing = async (): Promise<void> => {
    await Promise.resolve();
    throw own;
  };
  await assert.rejects(
    connect(listener.address, { seed, early: throwing }),
    (error) => error === own,
  );
  await listener.close();
});

test("streams opened and closed by the peer before anybody accepts them are forgotten", async () => {
  const { listener, client, server } = await open({ maxStreams: 4 });
  const seen: number[] = [];
  server.on("stream", ({ id }) => void seen.push(id));
  for (let round = 0; round < 40; round++) {
    const stream = await client.openStream();
    if (round % 2 === 0) {
      stream.stop();
      void stream.end();
    } else {
      await stream.write(bytes("x"));
      stream.reset();
      stream.stop();
    }
  }
  while (seen.length < 40) await client.ping();
  await client.ping();
  assert.equal(server.stats().streams.open, 0);
  const last = await client.openStream();
  await last.write(bytes("real"));
  const accepted = await server.acceptStream() ?? assert.fail("closed");
  assert.equal(accepted.id, last.id);
  await listener.close();
});

test("end right behind a write that waits does not leave the write waiting", async () => {
  const { listener, client, server } = await open({}, { sendBuffer: 1000 });
  const stream = await client.openStream();
  const written = stream.write(new Uint8Array(5000));
  const ended = stream.end();
  const outcome = await Promise.race([
    Promise.all([written, ended]).then(() => "done"),
    server.acceptStream().then(() => client.ping()).then(() => client.ping()).then(() => "hangs"),
  ]);
  assert.equal(outcome, "done");
  await listener.close();
});

test("abort refuses codes that no record can carry", async () => {
  const { listener, client } = await open();
  for (const code of [-1, 0.5, NaN, 2 ** 53]) {
    assert.throws(() => client.abort({ code }), { code: "CONFIG" });
  }
  assert.equal(client.stats().state, "established");
  await listener.close();
});

test("a node that stops closes every session, two with the same peer included", async () => {
  const seed = generateSeed();
  const a = new SttNode({ seed, address: "mem:stop-attack-a" });
  const b = new SttNode({ seed, address: "mem:stop-attack-b" });
  await a.start();
  await b.start();
  const first = await a.connect("mem:stop-attack-b");
  const second = await b.connect("mem:stop-attack-a");
  await second.ping();
  await a.stop();
  await second.closed;
  assert.equal(first.stats().state, "closed");
  await b.stop();
});

test("a dial under way when the node stops leaves no session", async () => {
  const seed = generateSeed();
  const b = new SttNode({ seed, address: "mem:race-attack" });
  await b.start();
  const a = new SttNode({ seed });
  const dial = a.connect("mem:race-attack");
  await Promise.all([assert.rejects(dial, { code: "CLOSED" }), a.stop()]);
  assert.deepEqual(a.peers, []);
  await b.stop();
});

test("every one of many pings at once is answered", async () => {
  const { listener, client } = await open();
  const pings = Promise.all(Array.from({ length: 100 }, () => client.ping()));
  const later = (async () => {
    // Frames are in order: what was asked before these is answered before them.
    for (let round = 0; round < 5; round++) await client.ping();
    await new Promise((resolve) => setTimeout(resolve, 0));
    return "hangs";
  })();
  const outcome = await Promise.race([pings.then(() => "answered"), later]);
  assert.equal(outcome, "answered");
  await listener.close();
});

test("a dial whose cryptography fails leaves no connection behind", async () => {
  const seed = generateSeed();
  const listener = await listen(`mem:provider-attack`, { seed });
  const broken = nodeProvider();
  let left = 1;
  const provider = {
    ...broken,
    x25519: (bytes?: Uint8Array) => {
      if (left-- > 0) return broken.x25519(bytes);
      throw new Error("no entropy");
    },
  };
  await assert.rejects(connect(listener.address, { seed, provider }), { message: "no entropy" });
  for (let turn = 0; turn < 20 && listener.stats().handshaking > 0; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assert.equal(listener.stats().handshaking, 0);
  await listener.close();
});
