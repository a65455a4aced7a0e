/**
 * Deno's own count of what stays open behind sessions that resume: neither an operation nor a resource nor a timer.
 *
 * @module
 */
import assert from "node:assert/strict";
import { accepted, content, hosted, readAll, Scene, writeAll } from "./fixture_for_test.ts";

function leakTest(name: string, run: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name: `resumption leaks nothing: ${name}`,
    sanitizeOps: true,
    sanitizeResources: true,
    fn: () => Scene.run(run),
  });
}

for (const address of ["mem:continuity-leaks", "udp://127.0.0.1:0", "tcp://127.0.0.1:0"]) {
  leakTest(`${address.split(":")[0]}, cut and closed`, async (scene) => {
    const host = await scene.host();
    const listener = await scene.listen(host, address);
    const client = await scene.dial({}, listener.address);
    const server = await hosted(host);
    const stream = await client.openStream({ oneWay: true });
    const writing = writeAll(stream, content(300_000));
    const incoming = await accepted(server);
    await incoming.read();
    server.peer?.abort();
    const rest = await readAll(incoming);
    assert.ok(rest.length > 0);
    await writing;
    await client.close();
    await listener.close();
    await host.close();
  });
}

leakTest("suspended while it dials again", async (scene) => {
  const host = await scene.host();
  const listener = await scene.listen(host);
  const client = await scene.dial({ initialDelay: 60_000, maxDelay: 60_000 });
  const lost = new Promise((resolve) => client.on("disconnected", resolve));
  await listener.close();
  await lost;
  // The first try fails at once; the next one would come in a minute.
  await new Promise((resolve) => setTimeout(resolve, 1));
  await client.suspend();
  await host.close();
});

leakTest("suspended while it waits to store again what it dialled", async (scene) => {
  const host = await scene.host();
  const listener = await scene.listen(host);
  const chamber = await scene.fillableChamber();
  let failed: () => void = () => undefined;
  const once = new Promise<void>((resolve) => (failed = resolve));
  const retry = (): boolean => {
    failed();
    return true;
  };
  const client = await scene.dial({ chamber, retry, initialDelay: 60_000, maxDelay: 60_000 });
  chamber.full = true;
  client.peer!.abort();
  await once;
  await new Promise((resolve) => setTimeout(resolve, 1));
  await assert.rejects(client.suspend(), { code: "FILE_IO" });
  await listener.close();
  await host.close();
});
