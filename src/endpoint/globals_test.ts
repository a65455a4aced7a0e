import { test } from "node:test";
import assert from "node:assert/strict";
import { bytes, joined, NETS, text } from "./joined_for_test.ts";

test("using the package adds nothing to the global object", async () => {
  const before = new Set(Reflect.ownKeys(globalThis));
  for (const net of NETS) {
    if (net.skip !== undefined) continue;
    await joined({ net }, async ({ client, server }) => {
      await client.send(bytes("x"));
      assert.equal(text((await server.nextMessage())!.data), "x");
    });
  }
  // `nodeBootstrap` is Deno's own, set when its Node modules load.
  const added = Reflect.ownKeys(globalThis)
    .filter((key) => !before.has(key) && key !== "nodeBootstrap");
  assert.deepEqual(added, []);
});
