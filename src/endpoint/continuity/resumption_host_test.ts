import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../../codec/hex.ts";
import { MemoryStore } from "../../storage/memory_store.ts";
import { assertSilent, canary, printed } from "../canary_for_test.ts";
import { accepted, hosted, Scene } from "./fixture_for_test.ts";
import { decodeStored } from "./stored.ts";

test("SPEC 15: the accept hook is asked before a ticket's end is stored, and a refused dial leaves nothing", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    let welcome = false;
    await scene.listen(host, scene.address, { accept: () => welcome });
    await assert.rejects(scene.dial(), { code: "REFUSED" });
    assert.equal(host.size, 0);
    welcome = true;
    await scene.dial();
    assert.equal(host.size, 1);
  }));

test("SPEC 15: state that cannot be stored lets nobody in, and is told on the listener's side", () =>
  Scene.run(async (scene) => {
    const chamber = await scene.chamber();
    const host = await scene.host({ chamber });
    const listener = await scene.listen(host);
    const errors: string[] = [];
    listener.on("error", ({ message }) => errors.push(message));
    await chamber.close();
    await assert.rejects(scene.dial(), { code: "REFUSED" });
    assert.deepEqual(errors, ["the session's state cannot be stored"]);
  }));

test("SPEC 15: a full host forgets the session that is idle longest, and refuses where none is idle", () =>
  Scene.run(async (scene) => {
    const host = await scene.host({ maxSessions: 2 });
    await scene.listen(host);
    const chambers = await Promise.all([1, 2, 3].map(() => scene.chamber()));
    const sessions = [];
    for (const chamber of chambers.slice(0, 2)) sessions.push(await scene.dial({ chamber }));
    await assert.rejects(scene.dial({ chamber: chambers[2]! }), { code: "BUSY" });
    const [first] = sessions;
    const server = await hosted(host);
    const gone = new Promise((resolve) => server.on("disconnected", resolve));
    await first!.suspend();
    await gone;
    await scene.dial({ chamber: chambers[2]! });
    assert.equal(host.size, 2);
    await assert.rejects(scene.dial({ chamber: chambers[0]! }), { code: "TICKET" });
  }));

test("SPEC 15: what has expired is not loaded, and tickets of too far a future neither", () =>
  Scene.run(async (scene) => {
    const store = new MemoryStore();
    const first = await scene.host({ chamber: await scene.chamber(store) });
    const listener = await scene.listen(first);
    await (await scene.dial()).suspend();
    await listener.close();
    const day = 86_400_000;
    for (const [now, size] of [[-day, 0], [day / 2, 1], [day + 60_000, 0]] as const) {
      const copy = new MemoryStore();
      for await (const key of store.list(new Uint8Array(0))) {
        await copy.put(key.key, (await store.get(key.key))!);
      }
      const chamber = await scene.chamber(copy);
      const host = await scene.host({ chamber, now: () => Date.now() + now });
      assert.equal(host.size, size, `${now} ms later`);
      assert.equal((await chamber.list()).length, size);
    }
  }));

test("SPEC 5.8: neither sessions, streams, hosts nor their errors show secrets or contents", () =>
  Scene.run(async (scene) => {
    const [seed, mine, theirs] = ["seed", "mine", "theirs"].map((name) => canary(`resume-${name}`));
    const message = canary("resume-message", 200);
    const secrets = { seed: seed!.bytes, nodeSeed: mine!.bytes };
    const chamber = await scene.chamber();
    const host = await scene.host({ chamber: await scene.chamber() });
    await scene.listen(host, scene.address, { seed: seed!.bytes, nodeSeed: theirs!.bytes });
    const client = await scene.dial({ ...secrets, chamber });
    const server = await hosted(host);
    const stream = await client.openStream();
    await stream.write(message.bytes);
    const incoming = await accepted(server);
    const kept = decodeStored("x", (await chamber.get("resumption/dialled/"))!);
    const errors: unknown[] = [];
    for (
      const act of [
        () => client.openStream({ name: "x".repeat(300) }),
        () => incoming.confirm(-1),
        () => scene.dial({ ...secrets, chamber, nodeSeed: theirs!.bytes }),
      ]
    ) await act().catch((error: unknown) => errors.push(error));
    assert.equal(errors.length, 3);
    const all = [seed!, mine!, theirs!, message];
    const shown = printed([client, server, stream, incoming, host, host.tickets, errors]);
    assertSilent(shown, all, "what is printed");
    for (const { secret } of kept.tickets) {
      assert.equal(shown.includes(toHex(secret)), false);
      assert.equal(shown.includes([...secret].join(", ").slice(0, 60)), false);
    }
  }));

test("SPEC 15.4: a stream that is written down while the greetings come has one carrier", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const chamber = await scene.chamber();
    let writing: () => void = () => undefined;
    let release = Promise.resolve();
    const slow = {
      get: (name: string) => chamber.get(name),
      list: () => chamber.list(),
      delete: (name: string) => chamber.delete(name),
      put: async (name: string, value: Parameters<typeof chamber.put>[1]) => {
        await release;
        await chamber.put(name, value);
      },
    };
    const client = await scene.dial({ chamber: slow });
    release = new Promise((resolve) => writing = resolve);
    const opening = client.openStream({ oneWay: true });
    const server = await hosted(host);
    // The greetings are through when a stream of the other side's comes.
    await server.openStream({ oneWay: true });
    await accepted(client);
    writing();
    const stream = await opening;
    await stream.write(new Uint8Array(9));
    assert.equal((await (await accepted(server)).read())?.length, 9);
    // The control stream and the carrier.
    assert.equal(client.peer?.stats().streams.opened, 2);
  }));
