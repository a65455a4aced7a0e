import assert from "node:assert/strict";
import { test } from "node:test";
import type { DatagramTransport } from "../transport/transport.ts";
import { udpTransport } from "../transport/udp/udp_transport.ts";
import { parseAddress } from "../transport/address.ts";
import { SttError } from "../errors.ts";
import { connect } from "./connect.ts";
import { until } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";
import { tampering } from "./tampering_for_test.ts";

const LIMIT = { timeout: 60_000 };
const HERE = { host: "127.0.0.1", family: 4 } as const;
const ALSO_HERE = { host: "127.0.0.2", family: 4 } as const;

/** A name that stands for these addresses. */
function named(
  hosts: readonly { readonly host: string; readonly family: 4 | 6 }[],
  transport: DatagramTransport = udpTransport,
): DatagramTransport {
  return { ...transport, resolve: () => Promise.resolve(hosts) };
}

const atName = (address: string): string => `udp://several.example:${parseAddress(address).port}`;

test("udp: an address that is silent is left for the next one", LIMIT, async () => {
  const seed = generateSeed();
  const listener = await listen("udp://127.0.0.1:0", { seed });
  const transports = [named([ALSO_HERE, HERE])];
  const peer = await connect(atName(listener.address), { seed, transports });
  assert.equal(peer.remoteAddress, listener.address);
  assert.ok(await peer.ping() >= 0);
  await peer.close();
  assert.equal(listener.stats().accepted, 1);
  await listener.close();
});

test(
  "udp: an address that cannot be dialled is left at once, and the last error is told",
  LIMIT,
  async () => {
    const seed = generateSeed();
    const listener = await listen("udp://127.0.0.1:0", { seed });
    let opened = 0;
    const failing = (failures: number): DatagramTransport => ({
      ...udpTransport,
      open: (options) => {
        if (++opened > failures) return udpTransport.open(options);
        return Promise.reject(new SttError("TRANSPORT", "cannot bind: no such family"));
      },
    });
    const hosts = [ALSO_HERE, HERE, HERE];
    const first = [named(hosts, failing(2))];
    const peer = await connect(atName(listener.address), { seed, transports: first });
    assert.equal(opened, 3);
    await peer.close();
    opened = 0;
    const all = [named(hosts, failing(3))];
    const dial = connect(atName(listener.address), { seed, transports: all });
    await assert.rejects(dial, { code: "TRANSPORT" });
    assert.equal(opened, 3);
    const none = [named([])];
    await assert.rejects(connect(atName(listener.address), { seed, transports: none }), {
      code: "TRANSPORT",
    });
    await listener.close();
  },
);

test(
  "udp: the wrong node at one address does not keep from the right one at another",
  LIMIT,
  async () => {
    const seed = generateSeed();
    const wrong = await listen("udp://127.0.0.1:0", { seed });
    const { port } = parseAddress(wrong.address);
    const right = await listen(`udp://127.0.0.2:${port}`, { seed });
    const transports = [named([HERE, ALSO_HERE])];
    const peer = await connect(atName(wrong.address), { seed, transports, expect: right.nodeId });
    assert.equal(peer.remoteAddress, right.address);
    await peer.close();
    const nobody = connect(atName(wrong.address), { seed, transports, expect: new Uint8Array(32) });
    await assert.rejects(nobody, { code: "PEER_IDENTITY" });
    await wrong.close();
    await right.close();
  },
);

test("udp: two addresses of one listener that both answer make one session", LIMIT, async () => {
  const seed = generateSeed();
  let asked = 0;
  const accept = (): boolean => ++asked > 0;
  const listener = await listen("udp://0.0.0.0:0", { seed, accept });
  // The first HELLO of both goes out when the second is there: both are answered.
  const waiting: (() => void)[] = [];
  const held: DatagramTransport = {
    ...udpTransport,
    async open(options) {
      const socket = await udpTransport.open(options);
      const send = socket.send.bind(socket);
      let first = true;
      socket.send = (bytes, host, port) => {
        if (!first) return send(bytes, host, port);
        first = false;
        const copy = bytes.slice();
        waiting.push(() => void send(copy, host, port));
        if (waiting.length === 2) { for (const go of waiting) go(); }
        return true;
      };
      return socket;
    },
  };
  const transports = [named([ALSO_HERE, HERE], held)];
  let early = 0;
  const peer = await connect(atName(listener.address), {
    seed,
    transports,
    early: () => void early++,
  });
  assert.ok(await peer.ping() >= 0);
  assert.deepEqual([asked, early, listener.stats().accepted], [1, 1, 1]);
  await peer.close();
  await until(() => listener.stats().sessions === 0);
  await listener.close();
});

test("udp: all addresses share the time of one dial, and an abort ends all", LIMIT, async () => {
  const seed = generateSeed();
  const silent = tampering(() => []);
  const transports = [named([HERE, ALSO_HERE, HERE], silent)];
  const late = connect("udp://several.example:9", { seed, transports, handshakeTimeout: 700 });
  await assert.rejects(late, { code: "HANDSHAKE_TIMEOUT" });
  const stop = new AbortController();
  const { signal } = stop;
  const dial = connect("udp://several.example:9", { seed, transports, signal });
  setTimeout(() => stop.abort(new Error("enough")), 400);
  await assert.rejects(dial, /enough/);
});
