import assert from "node:assert/strict";
import { test } from "node:test";
import { bytes, joined, NETS } from "./joined_for_test.ts";
import { TypedEvents } from "./typed_events.ts";
import { Waiters } from "./waiters.ts";

const [net] = NETS;

test("`closed` and `finished` tell those who ask after the end as well", () =>
  joined({ net: net! }, async ({ client, server }) => {
    const asked = server.closed;
    const stream = await client.openStream();
    await stream.write(bytes("x"));
    const incoming = await server.acceptStream() ?? assert.fail();
    await stream.end();
    await stream.finished;
    await client.close({ code: 0x100, reason: "done" });
    const facts = await asked;
    assert.equal(facts.code, 0x100);
    assert.equal(await server.closed, facts);
    assert.equal((await client.closed).code, 0x100);
    await assert.rejects(incoming.finished);
    await stream.finished;
  }));

test("a session without streams, listeners or waits has them once they are asked for", () =>
  joined({ net: net! }, async ({ client, server }) => {
    assert.equal(client.stream(1), undefined);
    let heard = 0;
    const off = server.on("stream", () => void heard++);
    const [first, second] = [server.acceptStream(), server.acceptStream()];
    const one = await client.openStream();
    const two = await client.openStream();
    await one.write(bytes("1"));
    await two.write(bytes("2"));
    assert.deepEqual(
      [(await first)?.id, (await second)?.id].sort(),
      [one.id, two.id].sort(),
    );
    assert.equal(client.stream(one.id), one);
    assert.equal(heard, 2);
    off();
    await (await client.openStream()).write(bytes("3"));
    await server.acceptStream();
    assert.equal(heard, 2);
  }));

test("waiters wake all who wait, and those who come meanwhile wait for the next time", async () => {
  const waiters = new Waiters();
  waiters.wake();
  const order: string[] = [];
  const first = waiters.wait().then(() => void order.push("first"));
  assert.equal(waiters.size, 1);
  waiters.wake();
  assert.equal(waiters.size, 0);
  const second = waiters.wait().then(() => void order.push("second"));
  await first;
  assert.deepEqual(order, ["first"]);
  waiters.wake();
  await second;
  const abort = new AbortController();
  const aborted = waiters.wait(abort.signal);
  abort.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  assert.equal(waiters.size, 0);
});

test("events without listeners are emitted to nobody", () => {
  const events = new TypedEvents<{ readonly news: number }>();
  events.emit("news", 1);
  assert.equal(events.has("news"), false);
  const heard: number[] = [];
  events.on("news", (value) => void heard.push(value));
  events.emit("news", 2);
  assert.deepEqual(heard, [2]);
});
