/**
 * Deno's own count of what stays open: each step of a session on each transport leaves neither an operation nor a
 * resource nor a timer.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect } from "./connect.ts";
import { bytes, type Net, NETS, pattern, readAll, text, UDP } from "./joined_for_test.ts";
import { listen } from "./listener.ts";
import { generateSeed } from "./seeds.ts";
import { SttNode } from "./stt_node.ts";

const NATIVE: Net = {
  name: "native ws",
  address: () => "ws://127.0.0.1:0/",
  listen: { native: true },
  dial: { native: true },
};

/** `node:net` and `ws` are loaded on first use; what that opens belongs to no session. */
async function warmUp(net: Net): Promise<void> {
  const seed = generateSeed();
  const listener = await listen(net.address(), options(net, seed));
  await (await connect(listener.address, dialOptions(net, seed))).close();
  await listener.close();
}

function options(net: Net, seed: Uint8Array) {
  return {
    seed,
    handshakeRate: Infinity,
    ...(net.listen === undefined ? {} : { transport: net.listen }),
  };
}

function dialOptions(net: Net, seed: Uint8Array) {
  return { seed, ...(net.dial === undefined ? {} : { transport: net.dial }) };
}

for (const net of [...NETS, UDP, NATIVE]) {
  if (net.skip !== undefined) continue;
  const leakTest = (name: string, fn: () => Promise<void>) =>
    Deno.test({ name: `${net.name}: ${name}`, sanitizeOps: true, sanitizeResources: true, fn });

  Deno.test({
    name: `${net.name}: load`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: () => warmUp(net),
  });

  leakTest("listen and close", async () => {
    const listener = await listen(net.address(), options(net, generateSeed()));
    await listener.close();
  });

  leakTest("connect, transfer, close by the dialler", async () => {
    const seed = generateSeed();
    const listener = await listen(net.address(), options(net, seed));
    const client = await connect(listener.address, { ...dialOptions(net, seed), keepAlive: 1000 });
    const server = await listener.nextPeer() ?? assert.fail();
    const up = await client.openStream();
    await up.write(pattern(400_000));
    void up.end();
    const incoming = await server.acceptStream() ?? assert.fail();
    assert.deepEqual(await readAll(incoming), pattern(400_000));
    await client.send(bytes("message"));
    assert.equal(text((await server.nextMessage())!.data), "message");
    await client.ping();
    await client.close();
    await listener.close();
  });

  leakTest("close by the listener", async () => {
    const seed = generateSeed();
    const listener = await listen(net.address(), options(net, seed));
    const client = await connect(listener.address, dialOptions(net, seed));
    await listener.close();
    assert.equal((await client.closed).remote, true);
    await client.close();
  });

  leakTest("abort in the middle of a transfer", async () => {
    const seed = generateSeed();
    const listener = await listen(net.address(), options(net, seed));
    const client = await connect(listener.address, dialOptions(net, seed));
    const server = await listener.nextPeer() ?? assert.fail();
    const up = await client.openStream();
    void up.write(pattern(5_000_000)).catch(() => undefined);
    await (await server.acceptStream())?.read();
    server.abort({ code: 0x100 });
    await client.closed;
    await client.close();
    await listener.close();
  });

  leakTest("a wrong seed, a refusal and an aborted dial", async () => {
    const seed = generateSeed();
    const listener = await listen(net.address(), { ...options(net, seed), accept: () => false });
    await assert.rejects(
      connect(listener.address, { ...dialOptions(net, generateSeed()), handshakeTimeout: 500 }),
    );
    await assert.rejects(connect(listener.address, dialOptions(net, seed)), { code: "REFUSED" });
    const controller = new AbortController();
    const dial = connect(listener.address, {
      ...dialOptions(net, seed),
      signal: controller.signal,
    });
    controller.abort();
    await assert.rejects(dial);
    await listener.close();
  });

  leakTest("a node starts, talks and stops", async () => {
    const seed = generateSeed();
    const common = { seed, ...(net.listen === undefined ? {} : { transport: net.listen }) };
    const a = new SttNode({ ...common, address: net.address() });
    const b = new SttNode({ ...common, address: net.address() });
    const address = await a.start();
    await b.start();
    await b.connect(address, net.dial === undefined ? {} : { transport: net.dial });
    await b.sendToAll(bytes("hello"));
    for await (const packet of a.receive()) {
      assert.equal(text(packet.data), "hello");
      break;
    }
    await a.stop();
    await b.stop();
  });
}
