// What a sender is told that its receiver has made safe is safe.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chamber } from "../../storage/chamber.ts";
import { accepted, content, hosted, Scene } from "./fixture_for_test.ts";
import type { SessionChamber } from "./stored.ts";

/** A chamber whose disk stands still until it is let go. */
class SlowChamber implements SessionChamber {
  /** Resolves when a value waits for the disk. */
  readonly asked: Promise<void>;
  letGo: () => void = () => undefined;
  readonly #chamber: Chamber;
  #gate: Promise<void> | undefined;
  #ask: () => void = () => undefined;

  constructor(chamber: Chamber) {
    this.#chamber = chamber;
    this.asked = new Promise((resolve) => (this.#ask = resolve));
  }

  stand(): void {
    this.#gate = new Promise((resolve) => (this.letGo = resolve));
  }

  async put(...args: Parameters<Chamber["put"]>): Promise<void> {
    if (this.#gate !== undefined) this.#ask();
    await this.#gate;
    await this.#chamber.put(...args);
  }

  get(name: string): ReturnType<Chamber["get"]> {
    return this.#chamber.get(name);
  }

  delete(name: string): Promise<boolean> {
    return this.#chamber.delete(name);
  }

  list(): ReturnType<Chamber["list"]> {
    return this.#chamber.list();
  }
}

test("SPEC 15.4: a confirmation is told when it is stored, and not with what is read meanwhile", () =>
  Scene.run(async (scene) => {
    const chamber = new SlowChamber(await scene.chamber());
    const host = await scene.host({ chamber, confirm: "explicit" });
    await scene.listen(host);
    const client = await scene.dial();
    const stream = await client.openStream();
    await stream.write(content(1000));
    const server = await hosted(host);
    const incoming = await accepted(server);
    await incoming.read();
    chamber.stand();
    const confirming = incoming.confirm();
    await chamber.asked;
    // Each of these gives the receiver something to tell.
    await stream.write(content(500, 1));
    await incoming.read();
    await client.peer!.ping();
    await client.peer!.ping();
    assert.equal(stream.unconfirmed, 1500, "a crash now would lose what the sender has forgotten");
    chamber.letGo();
    await confirming;
    await client.peer!.ping();
    await client.peer!.ping();
    assert.equal(stream.unconfirmed, 500);
  }));

test("SPEC 15.4: a stream that is opened while sessions greet is stored first, and carried once", () =>
  Scene.run(async (scene) => {
    const host = await scene.host();
    await scene.listen(host);
    const chamber = new SlowChamber(await scene.chamber());
    const client = await scene.dial({ chamber });
    chamber.stand();
    const opening = client.openStream();
    await chamber.asked;
    const server = await hosted(host);
    for (let trip = 0; trip < 3; trip++) await client.peer!.ping();
    const early = server.streams.length;
    chamber.letGo();
    assert.equal(early, 0, "a crash before would have had its number given again");
    const stream = await opening;
    await stream.write(content(9));
    assert.equal((await (await accepted(server)).read())?.length, 9);
    const { streams } = client.peer!.stats();
    assert.equal(streams.opened, 2, "the control stream and one carrier");
  }));

test("SPEC 15.4.7: a confirmation may come before its stream has a carrier in the new session", () =>
  Scene.run(async (scene) => {
    const host = await scene.host({ confirm: "explicit" });
    const listener = await scene.listen(host);
    const client = await scene.dial();
    const stream = await client.openStream();
    await stream.write(content(1000));
    const server = await hosted(host);
    const incoming = await accepted(server);
    await incoming.read();
    await listener.close();
    // Behind the greeting at once; the opening comes a round trip later.
    server.on("connected", () => void incoming.confirm());
    await scene.listen(host);
    const ended = stream.end();
    assert.equal(await incoming.read(), null);
    await incoming.confirm();
    await ended;
    assert.deepEqual([client.over, stream.unconfirmed], [false, 0]);
  }));
