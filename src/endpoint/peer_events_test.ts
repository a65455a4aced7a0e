import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { connect } from "./connect.ts";
import { bytes, freshAddress, joined, until } from "./joined_for_test.ts";
import { generateSeed } from "./seeds.ts";
import { SttNode } from "./stt_node.ts";

const DENO = "deno" in process.versions;
const PROGRAM = fileURLToPath(
  new URL(`./throwing_program_for_test.${DENO ? "ts" : "js"}`, import.meta.url),
);

test("a session's events come in order through an iterator that ends with it", () =>
  joined({}, async ({ client, server }) => {
    const reader = server.events();
    const stream = await client.openStream();
    await stream.write(bytes("x"));
    const incoming = await server.acceptStream();
    server.rotateKeys();
    await client.ping();
    void stream.end();
    await incoming?.end();
    for await (const _ of incoming ?? []);
    await until(() => server.stats().streams.open === 0);
    await client.close({ code: 0x101, reason: "done" });
    const names: string[] = [];
    let close: unknown;
    for await (const { name, detail } of reader) {
      names.push(name);
      close = detail;
    }
    assert.deepEqual([names[0], names.at(-1)], ["stream", "close"]);
    assert.ok(names.includes("rekey") && names.includes("stream-closed"), names.join());
    assert.equal((close as { error: { wire: number } }).error.wire, 0x101);
    assert.equal((await server.events().next()).done, true);
  }));

test("a listener's events end with it; a node tells of sessions that begin and end", async () => {
  const seed = generateSeed();
  await joined({ both: { seed } }, async ({ listener }) => {
    const reader = listener.events(["peer", "rejected"]);
    const peer = await connect(listener.address, { seed });
    const { value } = await reader.next();
    assert.equal(value?.name, "peer");
    await peer.close();
    await listener.close();
    assert.equal((await reader.next()).done, true);
  });
  const node = new SttNode({ seed, address: freshAddress() });
  const events = node.events(["peer", "peer-closed", "rejected"]);
  const peer = await connect(await node.start(), { seed });
  await peer.close();
  await until(() => node.peers.length === 0);
  await assert.rejects(
    connect(node.stats().listener?.address ?? "", { seed: generateSeed(), handshakeTimeout: 50 }),
  );
  const names: string[] = [];
  while (names.length < 3) names.push((await events.next()).value?.name ?? "ended");
  assert.deepEqual(names, ["peer", "peer-closed", "rejected"]);
  await node.stop();
});

test("handlers that throw, or reject, hurt neither the transport nor other handlers", () => {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...(DENO ? ["run", "-A", "--no-check"] : []), PROGRAM, "run"],
    { encoding: "utf8", timeout: 60_000 },
  );
  assert.equal(status, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n"), ["uncaught 4, echoed 100000, others 4"], stderr);
});
