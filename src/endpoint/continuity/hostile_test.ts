import assert from "node:assert/strict";
import { test } from "node:test";
import { connectWith } from "../connect.ts";
import type { ConnectOptions } from "../options.ts";
import type { Peer } from "../peer.ts";
import {
  BlockReader,
  type CarrierOpening,
  encodeAnswer,
  encodeControl,
  encodeGreeting,
  encodeOpening,
} from "./blocks.ts";
import { accepted, hosted, Scene } from "./fixture_for_test.ts";
import type { ResumableSession } from "./resumable_session.ts";
import type { ResumptionHost } from "./resumption_host.ts";

const GREETING = { live: [], next: 1, aborted: [], keep: 65_536 };
const OPENING: CarrierOpening = {
  stream: 1,
  name: "",
  oneWay: false,
  first: true,
  received: 0,
  confirmed: 0,
  ended: false,
  kept: 0,
};

/** A dialler that keeps tickets and says what it likes. */
async function hostile(scene: Scene, options: Partial<ConnectOptions> = {}): Promise<Peer> {
  return await connectWith(
    scene.address,
    { seed: scene.seed, nodeSeed: scene.clientSeed, ...options },
    { onSession: () => undefined },
  );
}

/** What the attacker does, and that it alone pays for it. */
async function punished(
  attack: (peer: Peer, server: ResumableSession) => Promise<unknown>,
  options: Partial<ConnectOptions> = {},
): Promise<void> {
  await Scene.run(async (scene) => {
    const host: ResumptionHost = await scene.host();
    await scene.listen(host, scene.address, { handshakeRate: Infinity, maxStreams: 600 });
    const bystander = await scene.dial({ nodeSeed: new Uint8Array(32).fill(8) });
    const honest = await hosted(host);
    const peer = await hostile(scene, options);
    const server = await hosted(host);
    await attack(peer, server);
    const { error } = await peer.closed;
    assert.deepEqual([error?.code, error?.wire], ["APPLICATION", 0x182]);
    assert.equal(server.over, true);
    assert.equal(host.size, 1);
    const stream = await bystander.openStream({ oneWay: true });
    await stream.write(new Uint8Array(9));
    assert.equal((await (await accepted(honest)).read())?.length, 9);
  });
}

async function greeted(peer: Peer, greeting: Partial<typeof GREETING> = {}) {
  const control = await peer.openStream();
  await control.write(encodeGreeting({ ...GREETING, ...greeting }));
  const reader = new BlockReader(control);
  await reader.block();
  return { control, reader };
}

async function carried(peer: Peer, opening: Partial<CarrierOpening> = {}): Promise<void> {
  const carrier = await peer.openStream();
  await carrier.write(encodeOpening({ ...OPENING, ...opening }));
}

test("SPEC 15.4: a control stream without a greeting", () =>
  punished(async (peer) => {
    const control = await peer.openStream();
    await control.write(encodeControl({ type: "bye" }));
  }));

test("SPEC 15.4: bytes that are no block", () =>
  punished(async (peer) => {
    const { control } = await greeted(peer);
    await control.write(new Uint8Array(64).fill(0xff));
  }));

test("SPEC 15.4: a carrier of a number that is not the dialler's to give", () =>
  punished(async (peer) => {
    await greeted(peer);
    await carried(peer, { stream: 2 });
  }));

test("SPEC 15.4: a first carrier for a stream that is known", () =>
  punished(async (peer, server) => {
    await greeted(peer);
    await carried(peer);
    await accepted(server);
    await carried(peer);
  }));

test("SPEC 15.4: a stream that comes again under another name", () =>
  punished(async (peer, server) => {
    await greeted(peer);
    await carried(peer);
    await accepted(server);
    await carried(peer, { first: false, name: "other" });
  }));

test("SPEC 15.4: more streams than may live", () =>
  punished(async (peer) => {
    await greeted(peer);
    for (let stream = 1; stream <= 2 * 257; stream += 2) await carried(peer, { stream });
  }));

test("SPEC 15.4: a confirmation of bytes that were not sent", () =>
  punished(async (peer, server) => {
    const { control } = await greeted(peer);
    const stream = await server.openStream();
    const carrier = (await peer.acceptStream())!;
    await new BlockReader(carrier).block();
    await carrier.write(encodeAnswer({ received: 0, confirmed: 0, ended: false, kept: 0 }));
    const confirmations = [{ stream: stream.id, offset: 1, ended: false }];
    await control.write(encodeControl({ type: "confirm", confirmations }));
  }));

test("SPEC 15.4: an end that was not sent", () =>
  punished(async (peer, server) => {
    const { control } = await greeted(peer);
    const stream = await server.openStream();
    await new BlockReader((await peer.acceptStream())!).block();
    const confirmations = [{ stream: stream.id, offset: 0, ended: true }];
    await control.write(encodeControl({ type: "confirm", confirmations }));
  }));

test("SPEC 15.4: an opener that forgets what was not confirmed costs its stream, not the session", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const peer = await hostile(scene);
    const server = await hosted(host);
    const { control } = await greeted(peer);
    await carried(peer);
    const stream = await accepted(server);
    await control.write(encodeControl({ type: "done", streams: [1] }));
    await assert.rejects(stream.read(), { code: "STREAM_RESET", wire: 0x181 });
    assert.equal(server.over, false);
    await peer.close();
  }));

test("SPEC 15.4: unknown blocks, confirmations of unknown streams and repeated aborts change nothing", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const peer = await hostile(scene);
    const server = await hosted(host);
    const { control, reader } = await greeted(peer, { aborted: [[7, 256] as never] });
    for (const block of [{ type: "abort", stream: 9, code: 256 }, { type: "aborted", stream: 9 }]) {
      await control.write(encodeControl(block as Parameters<typeof encodeControl>[0]));
    }
    await control.write(encodeControl({
      type: "confirm",
      confirmations: [{ stream: 9, offset: 9, ended: true }],
    }));
    assert.deepEqual(await reader.block(), new Map([["aborted", 7]]));
    assert.deepEqual(await reader.block(), new Map([["aborted", 9]]));
    assert.equal(server.over, false);
    await peer.close();
  }));

test("SPEC 15.4: aborts without end, whose answers nobody reads", () =>
  punished(async (peer) => {
    const { control } = await greeted(peer);
    const abort = encodeControl({ type: "abort", stream: 9, code: 256 });
    const many = new Uint8Array(1000 * abort.length);
    for (let at = 0; at < many.length; at += abort.length) many.set(abort, at);
    for (let times = 0; times < 400; times++) {
      if (peer.stats().state !== "established") return;
      await control.write(many).catch(() => undefined);
    }
  }, { maxStreamData: 16_384, maxStreamWindow: 16_384 }));

test("SPEC 15.4: answers that nobody reads do not hold up the end", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host, scene.address, { sendBuffer: 4096 });
    const peer = await hostile(scene, { maxStreamData: 1024, maxStreamWindow: 1024 });
    const server = await hosted(host);
    const { control } = await greeted(peer);
    const abort = encodeControl({ type: "abort", stream: 9, code: 256 });
    const many = new Uint8Array(1000 * abort.length);
    for (let at = 0; at < many.length; at += abort.length) many.set(abort, at);
    await control.write(many);
    while (server.peer!.stats().streams.sendBuffered < 4096) await peer.ping();
    await server.close();
    assert.equal(host.size, 0);
    await peer.closed;
  }));

test("SPEC 15.4: streams that are given up, and whose opener never says that it knows", () =>
  punished(async (peer, server) => {
    await greeted(peer);
    for (let stream = 1; stream < 2 * 1024; stream += 2) {
      const carrier = await peer.openStream();
      await carrier.write(encodeOpening({ ...OPENING, stream }));
      await (await accepted(server)).abort();
      carrier.reset();
      carrier.stop();
    }
    await carried(peer, { stream: 2 * 1024 + 1 });
  }));

test("SPEC 15.4: a stream that its opener gave up before anybody took it does not wait to be taken", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const peer = await hostile(scene);
    const server = await hosted(host);
    const { control, reader } = await greeted(peer);
    for (const stream of [1, 3, 5]) {
      const carrier = await peer.openStream();
      await carrier.write(encodeOpening({ ...OPENING, stream }));
      // The answer: the stream is known there.
      await new BlockReader(carrier).block();
      if (stream === 5) break;
      await control.write(encodeControl({ type: "abort", stream, code: 256 }));
      await reader.block();
    }
    assert.equal((await accepted(server)).id, 5);
    await peer.close();
  }));

test("SPEC 15.4: more streams are given up between two sessions than a greeting has room for", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    const listener = await scene.listen(host);
    const client = await scene.dial();
    const server = await hosted(host);
    const ours = [];
    const theirs = [];
    for (let count = 0; count < 100; count++) {
      ours.push(await client.openStream());
      theirs.push(await accepted(server));
    }
    await listener.close();
    for (const stream of theirs) await stream.abort(0x1234);
    await scene.listen(host);
    for (const stream of ours) {
      await assert.rejects(stream.read(), { code: "STREAM_RESET", wire: 0x1234 });
    }
    assert.equal(client.over, false);
    assert.equal(server.over, false);
  }));

test("SPEC 15.4: sessions that end before anybody takes them do not pile up", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host, scene.address, { handshakeRate: Infinity });
    for (let count = 0; count < 70; count++) {
      const peer = await hostile(scene);
      await (await peer.openStream()).write(encodeControl({ type: "bye" }));
      await peer.closed;
    }
    assert.equal(host.size, 0);
    const honest = await scene.dial({ nodeSeed: new Uint8Array(32).fill(8) });
    let taken = 1;
    while ((await hosted(host)).id !== honest.id) taken++;
    assert.equal(taken, 65);
  }));
