import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../../errors.ts";
import { MemoryStore } from "../../storage/memory_store.ts";
import { Prng } from "../../testing/prng.ts";
import { connect } from "../connect.ts";
import { accepted, content, hosted, readAll, Scene, writeAll } from "./fixture_for_test.ts";
import type { ResumableSession } from "./resumable_session.ts";

/** Resolves when another session carries the streams. */
function resumed(session: ResumableSession): Promise<string> {
  return new Promise((resolve) =>
    session.on("connected", ({ peer }) => resolve(peer.info.sessionId), { once: true })
  );
}

test("SPEC 15: streams of both sides go through, and nothing is left of them", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const client = await scene.dial();
    const server = await hosted(host);
    assert.equal(client.id, server.id);
    const [up, down] = [content(300_000), content(200_000, 7)];
    const ours = await client.openStream({ name: "ours" });
    const theirs = await server.openStream({ name: "theirs" });
    const [there, here] = await Promise.all([accepted(server), accepted(client)]);
    assert.deepEqual([there.name, here.name, there.restored], ["ours", "theirs", false]);
    const [atServer, atClient] = await Promise.all([
      readAll(there),
      readAll(here),
      writeAll(ours, up),
      writeAll(theirs, down),
      writeAll(there, down),
      writeAll(here, up),
      readAll(ours).then((bytes) => assert.deepEqual(bytes, down)),
      readAll(theirs).then((bytes) => assert.deepEqual(bytes, up)),
    ]);
    assert.deepEqual([atServer, atClient], [up, down]);
    const quiet = await client.openStream();
    const last = await accepted(server);
    await Promise.all([quiet.end(), last.end(), readAll(last), readAll(quiet)]);
    assert.deepEqual(client.streams.length, 0);
    await client.close();
    assert.equal(await server.acceptStream(), null);
    assert.deepEqual([host.size, server.streams.length], [0, 0]);
  }));

test("SPEC 15: sessions that are cut at random lose nothing and double nothing", () =>
  Scene.run(async (scene) => {
    const prng = new Prng(7);
    const host = await scene.host({ keep: 65_536 });
    await scene.listen(host, scene.address, { handshakeRate: Infinity });
    const client = await scene.dial({ keep: 65_536 });
    const server = await hosted(host);
    let sessions = 0;
    client.on("connected", ({ resumed }) => sessions += resumed ? 1 : 0);
    const bytes = [content(700_000, 1), content(500_000, 2)] as const;
    const up = await client.openStream({ oneWay: true });
    const down = await server.openStream({ oneWay: true });
    const read = async (session: ResumableSession): Promise<Uint8Array> => {
      const stream = await accepted(session);
      const chunks: number[] = [];
      for await (const chunk of stream) {
        for (const byte of chunk) chunks.push(byte);
        // Somebody pulls the plug, now on this side, now on that.
        if (prng.chance(0.1)) prng.pick([client, server]).peer?.abort();
      }
      return Uint8Array.from(chunks);
    };
    const [atServer, atClient] = await Promise.all([
      read(server),
      read(client),
      writeAll(up, bytes[0], 9_000),
      writeAll(down, bytes[1], 7_000),
    ]);
    assert.deepEqual(atServer, bytes[0]);
    assert.deepEqual(atClient, bytes[1]);
    assert.ok(sessions > 3, `${sessions} sessions resumed`);
  }));

test("SPEC 15: a transfer moves from udp to ws in its middle", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    const udp = await scene.listen(host, "udp://127.0.0.1:0");
    const ws = await scene.listen(host, "ws://127.0.0.1:0/");
    const client = await scene.dial({}, udp.address);
    const server = await hosted(host);
    const bytes = content(3_000_000);
    const stream = await client.openStream({ oneWay: true });
    const incoming = await accepted(server);
    const writing = writeAll(stream, bytes);
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of incoming) {
      if (length < 1_000_000 && length + chunk.length >= 1_000_000) {
        await client.move(ws.address);
      }
      chunks.push(chunk);
      length += chunk.length;
    }
    assert.match(server.peer?.info.localAddress ?? "", /^ws:/);
    await writing;
    let offset = 0;
    for (const chunk of chunks) {
      assert.deepEqual(chunk, bytes.slice(offset, offset + chunk.length));
      offset += chunk.length;
    }
    assert.equal(offset, bytes.length);
  }));

test("SPEC 15: a sender that died goes on from the receiver's confirmation, under its stream's name", () =>
  Scene.run(async (scene) => {
    const store = new MemoryStore();
    const host = await scene.host();
    await scene.listen(host);
    const bytes = content(100_000);
    const first = await scene.dial({ chamber: await scene.chamber(store) });
    const server = await hosted(host);
    const before = await first.openStream({ name: "backup", oneWay: true });
    await before.write(bytes.slice(0, 60_000));
    const incoming = await accepted(server);
    const half = await incoming.read();
    // As after a crash: nothing is said, nothing is stored any more.
    const { peer } = first;
    first.giveUp(new SttError("CLOSED", "killed"));
    peer?.abort();
    const again = await scene.dial({ chamber: await scene.chamber(store) });
    assert.equal(again.id, first.id);
    const stream = await again.openStream({ name: "backup", oneWay: true });
    assert.deepEqual([stream.restored, stream.id], [true, before.id]);
    const writing = writeAll(stream, bytes);
    const rest = await readAll(incoming);
    await writing;
    assert.deepEqual([...half!, ...rest], [...bytes]);
    assert.equal(
      await host.nextSession({ signal: AbortSignal.timeout(1) }).catch(() => null),
      null,
    );
  }));

test("SPEC 15: a receiver that died goes on from what it had confirmed", () =>
  Scene.run(async (scene) => {
    const store = new MemoryStore();
    const bytes = content(200_000);
    const first = await scene.host({ chamber: await scene.chamber(store), confirm: "explicit" });
    const listener = await scene.listen(first);
    const client = await scene.dial();
    const stream = await client.openStream({ name: "log", oneWay: true });
    const writing = writeAll(stream, bytes);
    const incoming = await accepted(await hosted(first));
    while (incoming.readOffset < 50_000) await incoming.read();
    const kept = incoming.readOffset - 10_000;
    await incoming.confirm(kept);
    while (incoming.readOffset < 120_000) await incoming.read();
    // The process dies: no word of it reaches the chamber or the other side.
    await listener.close();
    const second = await scene.host({ chamber: await scene.chamber(store), confirm: "explicit" });
    assert.equal(second.size, 1);
    await scene.listen(second);
    const back = await accepted(await hosted(second));
    assert.deepEqual([back.name, back.restored, back.readOffset], ["log", true, kept]);
    const rest = await readAll(back);
    assert.deepEqual(rest, bytes.slice(kept));
    await back.confirm();
    await writing;
  }));

test("SPEC 15: a ticket resumes once: the second of two processes with one chamber is refused", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const store = new MemoryStore();
    const chamber = await scene.chamber(store);
    const first = await scene.dial({ chamber });
    await hosted(host);
    const old = await chamber.get("resumption/dialled/");
    first.peer?.abort();
    await resumed(first);
    await first.suspend();
    // Every ticket of the copy is tried: one was used, the others were forgotten for newer ones, or still resume.
    const copy = await scene.chamber();
    let resumptions = 0;
    for (let tries = 0; tries < 10; tries++) {
      await copy.put("resumption/dialled/", old!);
      const session = await scene.dial({ chamber: copy }).catch((error) => error);
      if (session.code === "TICKET") break;
      resumptions++;
      await session.suspend();
    }
    assert.ok(resumptions <= 3, `${resumptions} resumptions with the copy's four tickets`);
    await copy.put("resumption/dialled/", old!);
    await assert.rejects(scene.dial({ chamber: copy }), { code: "TICKET" });
    const fresh = await scene.dial({ chamber: copy, orNew: true });
    assert.notEqual(fresh.id, first.id);
  }));

test("SPEC 15: tickets belong to the node that got them", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const chamber = await scene.chamber();
    const first = await scene.dial({ chamber });
    await first.suspend();
    await assert.rejects(
      scene.dial({ chamber, nodeSeed: new Uint8Array(32).fill(3) }),
      { code: "PEER_IDENTITY" },
    );
  }));

test("SPEC 15: a listener of another identity is not the one that gave the tickets", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    const listener = await scene.listen(host);
    const chamber = await scene.chamber();
    await (await scene.dial({ chamber })).suspend();
    await listener.close();
    await scene.listen(host, scene.address, { nodeSeed: new Uint8Array(32).fill(3) });
    await assert.rejects(scene.dial({ chamber }), { code: "PEER_IDENTITY" });
  }));

test("SPEC 15: a dialler for a listener without tickets is told, and the other way round goes on as ever", () =>
  Scene.run(async (scene) => {
    await scene.listen(undefined);
    await assert.rejects(scene.dial(), { code: "UNSUPPORTED" });
    const host = await scene.host();
    const other = await scene.listen(host, `${scene.address}-2`);
    const peer = await connect(other.address, { seed: scene.seed });
    const plain = await other.nextPeer();
    assert.equal(plain?.info.sessionId, peer.info.sessionId);
    assert.equal(host.size, 0);
    await peer.close();
  }));

test("SPEC 15: a stream that one side gives up fails on the other, with its code, also while no session stands", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    const listener = await scene.listen(host);
    const client = await scene.dial({ initialDelay: 20, maxDelay: 20 });
    const server = await hosted(host);
    const ours = await client.openStream();
    const theirs = await accepted(server);
    await ours.abort(0x1234);
    await assert.rejects(theirs.read(), { code: "STREAM_RESET", wire: 0x1234 });
    await assert.rejects(ours.write(content(1)), { code: "STREAM_CLOSED" });
    const again = await client.openStream();
    const there = await accepted(server);
    await listener.close();
    await there.abort(0x4321);
    await assert.rejects(there.read(), { code: "STREAM_CLOSED" });
    await scene.listen(host);
    await assert.rejects(again.read(), { code: "STREAM_RESET", wire: 0x4321 });
    assert.equal(client.streams.length, 0);
  }));

test("SPEC 15: a receiver without a chamber that died is found to have lost its streams", () =>
  Scene.run(async (scene) => {
    const store = new MemoryStore();
    const first = await scene.host({ chamber: await scene.chamber(store) });
    const listener = await scene.listen(first);
    const client = await scene.dial({ keep: 65_536 });
    const stream = await client.openStream();
    void stream.write(content(200_000)).catch(() => undefined);
    const incoming = await accepted(await hosted(first));
    // Read and so confirmed, but nowhere written down.
    while (incoming.readOffset < 180_000) await incoming.read();
    await listener.close();
    await scene.listen(await scene.host({ chamber: await scene.chamber(store) }));
    await assert.rejects(stream.finished, { code: "STREAM_RESET", wire: 0x181 });
  }));

test("SPEC 15: a writer waits for confirmations; a reader that gives none is told", () =>
  Scene.run(async (scene) => {
    const host = await scene.host({ confirm: "explicit" });
    await scene.listen(host);
    const client = await scene.dial({ keep: 65_536 });
    const stream = await client.openStream();
    const writing = stream.write(content(100_000)).then(() => stream.write(content(1)));
    const incoming = await accepted(await hosted(host));
    await assert.rejects(async () => {
      for (;;) await incoming.read();
    }, { code: "UNCONFIRMED" });
    assert.equal(stream.unconfirmed, 100_000);
    await incoming.confirm();
    await writing;
    while (incoming.readOffset < 100_001) {
      await incoming.read();
      await incoming.confirm();
    }
    assert.equal(client.streams.length, 1);
  }));

test("SPEC 15: a session that nobody answers for is given up, and its state is kept", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    const listener = await scene.listen(host);
    const chamber = await scene.chamber();
    const client = await scene.dial({ chamber, giveUpAfter: 1 });
    const stream = await client.openStream({ name: "kept" });
    const closed = new Promise((resolve) => client.on("closed", ({ error }) => resolve(error)));
    await listener.close();
    assert.ok(await closed instanceof Error);
    await assert.rejects(stream.finished);
    await scene.listen(host);
    const again = await scene.dial({ chamber });
    assert.equal((await again.openStream({ name: "kept" })).restored, true);
  }));

test("options are checked, and a chamber needs a lasting identity", () =>
  Scene.run(async (scene) => {
    for (const wrong of [{ keep: 1 }, { confirm: "never" }, { giveUpAfter: 0 }, { factor: 0 }]) {
      await assert.rejects(scene.dial(wrong as never), { code: "CONFIG" });
    }
    for (const wrong of [{ keep: 1 }, { confirm: "never" }, { tickets: 0 }, { maxSessions: 0.5 }]) {
      await assert.rejects(scene.host(wrong as never), { code: "CONFIG" });
    }
    const chamber = await scene.chamber();
    await assert.rejects(scene.dial({ chamber, nodeSeed: undefined as never }), { code: "CONFIG" });
    const host = await scene.host();
    await scene.listen(host);
    const client = await scene.dial();
    await assert.rejects(client.openStream({ name: "x".repeat(256) }), { code: "CONFIG" });
    const server = await hosted(host);
    await assert.rejects(server.move(scene.address), { code: "UNSUPPORTED" });
  }));

test("SPEC 15: a move that fails leaves the session, and where it is dialled again, as they were", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const client = await scene.dial();
    const server = await hosted(host);
    for (const [address, code] of [["mem:nobody-there", "TRANSPORT"], ["nonsense", "ADDRESS"]]) {
      await assert.rejects(client.move(address!), { code });
    }
    const before = client.peer?.info.sessionId;
    const stream = await client.openStream({ oneWay: true });
    await stream.write(content(9));
    assert.equal((await (await accepted(server)).read())?.length, 9);
    assert.equal(client.peer?.info.sessionId, before);
    const again = resumed(client);
    client.peer?.abort();
    await again;
    assert.equal(client.over, false);
  }));

test("SPEC 15: of two moves the later one counts", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const other = await scene.listen(host, `${scene.address}-other`);
    const client = await scene.dial();
    const first = client.move(scene.address);
    const second = client.move(other.address);
    await assert.rejects(first, { code: "CLOSED" });
    await second;
    assert.equal(client.peer?.info.remoteAddress, other.address);
  }));
