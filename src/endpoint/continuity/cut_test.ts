// Sessions, writes and dials that end between two steps.
import assert from "node:assert/strict";
import { test } from "node:test";
import { accepted, content, hosted, Scene } from "./fixture_for_test.ts";

/** Whatever was about to happen has had its time. */
async function roundTrips(scene: Scene): Promise<void> {
  const bystander = await scene.dial({ nodeSeed: new Uint8Array(32).fill(8) });
  for (let trip = 0; trip < 30; trip++) await bystander.peer!.ping();
}

test("SPEC 15.4: a session that ends while its carriers begin is nobody's unhandled error", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host, scene.address, { handshakeRate: Infinity });
    const client = await scene.dial();
    const stream = await client.openStream();
    await stream.write(content(100));
    const incoming = await accepted(await hosted(host));
    // The greetings, the opening of the carrier and its answer take some steps each.
    for (let steps = 0; steps < 24; steps++) {
      const cut = new Promise<void>((resolve) =>
        client.on("connected", async ({ peer }) => {
          for (let step = 0; step < steps; step++) await null;
          peer.abort();
          resolve();
        }, { once: true })
      );
      client.peer?.abort();
      await cut;
      await new Promise((next) => setTimeout(next));
    }
    await stream.write(content(100));
    while (incoming.readOffset < 200) await incoming.read();
    assert.equal(client.over, false);
  }));

test("SPEC 15: a session that the listening side suspends goes on in another one", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const client = await scene.dial();
    const first = await hosted(host);
    const [up, down] = [await client.openStream(), await first.openStream({ name: "down" })];
    await up.write(content(100));
    assert.equal((await (await accepted(first)).read())?.length, 100);
    await first.suspend();
    const second = await hosted(host);
    assert.deepEqual([second.id, second === first, host.size], [first.id, false, 1]);
    const incoming = await accepted(second);
    assert.deepEqual([incoming.id, incoming.restored, incoming.readOffset], [up.id, true, 100]);
    await up.write(content(50));
    while (incoming.readOffset < 150) await incoming.read();
    const again = await second.openStream({ name: "down" });
    assert.deepEqual([again.id, again.restored], [down.id, true]);
    assert.equal(client.over, false);
  }));

test("SPEC 15: a listener that ends each session at once is not dialled without a pause", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    const listener = await scene.listen(host, scene.address, { handshakeRate: Infinity });
    const client = await scene.dial({ initialDelay: 60_000, maxDelay: 60_000 });
    const server = await hosted(host);
    const again = new Promise((resolve) => client.on("connected", resolve, { once: true }));
    server.peer!.abort();
    await again;
    const gone = new Promise((resolve) => client.on("disconnected", resolve, { once: true }));
    server.peer!.abort();
    await gone;
    await roundTrips(scene);
    assert.deepEqual([client.peer, listener.stats().accepted], [undefined, 3]);
  }));

test("SPEC 15.3.4: streams that cannot be stored leave nothing behind", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const chamber = await scene.fillableChamber();
    const client = await scene.dial({ chamber });
    chamber.full = true;
    for (let count = 0; count < 300; count++) {
      await assert.rejects(client.openStream(), { code: "FILE_IO" });
    }
    assert.equal(client.streams.length, 0);
    chamber.full = false;
    await (await client.openStream()).write(content(9));
    assert.equal((await (await accepted(await hosted(host))).read())?.length, 9);
  }));
