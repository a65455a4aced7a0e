import assert from "node:assert/strict";
import { test } from "node:test";
import { TraceBuffer } from "../observe/tracer.ts";
import { parseKeyLogLine } from "../session/key_log.ts";
import { connect } from "./connect.ts";
import { assertSilent, canary, printed } from "./canary_for_test.ts";
import { bytes, freshAddress } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import type { Peer } from "./peer.ts";

const SEED = canary("shared-seed");
const OTHER = canary("another-seed");
const NODE = canary("node-seed-of-a");
const FAR = canary("node-seed-of-b");
const PAIR = canary("pair-key");
const MESSAGE = canary("message", 200);
const ALL = [SEED, OTHER, NODE, FAR, PAIR, MESSAGE];

test("the test would see a canary, however it is printed", () => {
  for (
    const value of [
      SEED.bytes,
      { deep: [SEED.bytes] },
      [...SEED.bytes],
      new Error("x", { cause: SEED.bytes }),
    ]
  ) {
    assert.throws(() => assertSilent(printed(value), [SEED], "value"), { code: "ERR_ASSERTION" });
  }
  const hex = [...SEED.bytes].map((byte) => byte.toString(16)).join("");
  for (
    const text of [
      hex,
      hex.toUpperCase(),
      btoa(String.fromCharCode(...SEED.bytes)),
      "shared-seed-shared-seed",
    ]
  ) {
    assert.throws(() => assertSilent(`x ${text}`, [SEED], "text"), { code: "ERR_ASSERTION" });
  }
  assertSilent(printed({ a: new Uint8Array(32), b: "shared seeds" }), ALL, "harmless");
});

async function failure(run: () => Promise<unknown> | unknown): Promise<unknown> {
  try {
    await run();
  } catch (error) {
    return error;
  }
  assert.fail("nothing failed");
}

for (const address of [freshAddress, () => "udp://127.0.0.1:0", () => "tcp://127.0.0.1:0"]) {
  const scheme = address().split(":")[0];
  test(`${scheme}: no public object, event or error shows seeds, keys or messages`, async () => {
    const found: [string, unknown][] = [];
    const listener = await listen(address(), {
      seeds: [SEED.bytes, OTHER.bytes],
      nodeSeed: FAR.bytes,
      pairKey: PAIR.bytes,
    });
    const events: unknown[] = [];
    const dial = { seed: SEED.bytes, nodeSeed: NODE.bytes, pairKey: PAIR.bytes };
    const client = await connect(listener.address, dial);
    const server = await listener.nextPeer() ?? assert.fail();
    const see = (name: string, peer: Peer): void => {
      found.push([name, peer], [`${name}.info`, peer.info], [`${name}.stats`, peer.stats()]);
    };
    const stream = await client.openStream();
    await stream.write(MESSAGE.bytes);
    await client.send(MESSAGE.bytes);
    found.push(["a stream that writes", stream]);
    const incoming = await server.acceptStream() ?? assert.fail();
    found.push(["a stream that has bytes to read", incoming]);
    see("client", client);
    see("server", server);
    found.push(["listener", listener], ["listener.stats", listener.stats()], ["events", events]);
    // Errors of every kind: of options, of commands, of the other side.
    const short = { ...dial, handshakeTimeout: 100 };
    const errors: (() => Promise<unknown> | unknown)[] = [
      () => connect(listener.address, { ...short, seed: MESSAGE.bytes.slice(0, 40) }),
      () => connect(listener.address, { ...short, pairKey: NODE.bytes }),
      () => connect(listener.address, { ...dial, expect: new Uint8Array(32) }),
      () => connect(listener.address, { ...dial, seed: SEED.bytes.subarray(0, 31) }),
      () => connect(listener.address, { ...dial, pairKey: PAIR.bytes.subarray(0, 31) }),
      () => connect(listener.address, { ...dial, nodeSeed: SEED.bytes }),
      () => connect(listener.address, { ...dial, seed: "shared-seed-shared-seed-shared-seed!" }),
      () => connect(listener.address, { ...dial, nodeSeed: "node-seed-of-a-node-seed-of-a-!!" }),
      () =>
        listen(address(), { seed: SEED.bytes, nodeSeed: "shared-seed-shared-seed-shared-seed!" }),
      () => client.sendDatagram(new Uint8Array(1e6).fill(109)),
      () => client.send("message-message-message-message" as unknown as Uint8Array),
      () => client.export("label", MESSAGE.bytes, 1e6),
      async () => {
        server.abort({ code: 0x100, reason: "enough" });
        await client.closed;
        await stream.write(MESSAGE.bytes);
      },
    ];
    for (const [index, run] of errors.entries()) {
      found.push([`error ${index}`, await failure(run)]);
    }
    found.push(["client.closed", await client.closed]);
    see("client, closed", client);
    await listener.close();
    found.push(["listener, closed", listener]);
    for (const [name, value] of found) assertSilent(printed(value), ALL, name);
  });
}

test("an exporter's key, which the application asked for, is nowhere else", async () => {
  const listener = await listen(freshAddress(), { seed: SEED.bytes });
  const client = await connect(listener.address, { seed: SEED.bytes });
  const key = { name: "exported", bytes: client.export("label", bytes("context"), 32) };
  assertSilent(printed(client), [key], "client");
  await client.close();
  await listener.close();
});

test("keys that an application has logged are in the log alone", async () => {
  const lines: string[] = [];
  const trace = new TraceBuffer();
  const options = {
    seed: SEED.bytes,
    nodeSeed: NODE.bytes,
    keyLog: (line: string) => lines.push(line),
    tracer: () => trace,
  };
  const listener = await listen("tcp://127.0.0.1:0", { seed: SEED.bytes, nodeSeed: FAR.bytes });
  const client = await connect(listener.address, options);
  await client.send(MESSAGE.bytes);
  await client.ping();
  const keys = lines.map((line) => parseKeyLogLine(line)).flatMap((entry, index) => [
    { name: `key ${index}`, bytes: entry?.key ?? assert.fail() },
  ]);
  assert.equal(keys.length, 2);
  const found = { client, info: client.info, stats: client.stats(), events: trace.events() };
  assert.ok(trace.events().length > 0);
  for (const [name, value] of Object.entries(found)) {
    assertSilent(printed(value), [...ALL, ...keys], name);
  }
  // Seeds and messages are not even in the log of keys.
  assertSilent(lines.join("\n"), ALL, "key log");
  await client.close();
  await listener.close();
});
