// Sessions, writes and dials that end between two steps.
import { test } from "node:test";
import assert from "node:assert/strict";
import { accepted, content, hosted, Scene } from "./fixture_for_test.ts";

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
