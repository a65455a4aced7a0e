import { test } from "node:test";
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { TypedEvents } from "./typed_events.ts";
import { Waiters } from "./waiters.ts";

interface Events {
  readonly number: number;
  readonly text: string;
}

test("listeners hear their event until they are removed", () => {
  const events = new TypedEvents<Events>();
  const got: (number | string)[] = [];
  assert.equal(events.has("number"), false);
  const remove = events.on("number", (value) => void got.push(value));
  events.on("text", (value) => void got.push(value));
  assert.equal(events.has("number"), true);
  events.emit("number", 1);
  events.emit("text", "a");
  remove();
  remove();
  events.emit("number", 2);
  assert.equal(events.has("number"), false);
  assert.deepEqual(got, [1, "a"]);
});

test("once and signals remove", () => {
  const events = new TypedEvents<Events>();
  const got: number[] = [];
  const controller = new AbortController();
  events.on("number", (value) => void got.push(value), { once: true });
  events.on("number", (value) => void got.push(10 * value), { signal: controller.signal });
  events.on("number", () => assert.fail(), { signal: AbortSignal.abort() });
  events.emit("number", 1);
  events.emit("number", 2);
  controller.abort();
  events.emit("number", 3);
  assert.deepEqual(got, [1, 10, 20]);
  const other = new AbortController();
  events.on("number", () => undefined, { signal: other.signal })();
  assert.equal(getEventListeners(other.signal, "abort").length, 0);
});

test("a listener that throws hurts neither the others nor the caller", () => {
  const thrown: unknown[] = [];
  const events = new TypedEvents<Events>((error) => void thrown.push(error));
  const error = new Error("mine");
  const got: number[] = [];
  events.on("number", () => {
    throw error;
  });
  events.on("number", (value) => void got.push(value));
  events.emit("number", 5);
  assert.deepEqual(thrown, [error]);
  assert.deepEqual(got, [5]);
});

test("a listener added while an event is told hears the next one", () => {
  const events = new TypedEvents<Events>();
  let inner = 0;
  events.on("number", () => void events.on("number", () => void inner++), { once: true });
  events.emit("number", 1);
  assert.equal(inner, 0);
  events.emit("number", 2);
  assert.equal(inner, 1);
});

test("an iterator hears what it asked for from its making on, in order", async () => {
  const events = new TypedEvents<Events>();
  events.emit("number", 0);
  const numbers = events.events(["number"]);
  const all = events.events();
  assert.equal(events.has("text"), true);
  assert.equal(events.has("number"), true);
  assert.equal(events.count("number"), 0);
  const first = numbers.next();
  events.emit("number", 1);
  events.emit("text", "a");
  events.emit("number", 2);
  assert.deepEqual(await first, { done: false, value: { name: "number", detail: 1, dropped: 0 } });
  events.close();
  events.emit("number", 3);
  const got: unknown[] = [];
  for await (const { name, detail } of numbers) got.push([name, detail]);
  for await (const { name, detail } of all) got.push([name, detail]);
  assert.deepEqual(got, [["number", 2], ["number", 1], ["text", "a"], ["number", 2]]);
  assert.equal(events.has("text"), false);
  assert.equal((await events.events().next()).done, true);
});

test("whoever waits for an event when there will be none any more is told", async () => {
  const events = new TypedEvents<Events>();
  assert.equal(events.has("number"), false);
  events.clear();
  const waiting = events.events().next();
  events.close();
  assert.equal((await waiting).done, true);
  events.clear("number");
});

test("one signal for the listeners of many that end gathers none of them", () => {
  const { signal } = new AbortController();
  for (let count = 0; count < 20; count++) {
    const events = new TypedEvents<Events>();
    events.on("number", () => assert.fail(), { signal });
    events.close();
    events.on("text", () => assert.fail(), { signal });
    events.emit("number", 1);
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});

test("an iterator that is not read forgets the oldest, and says how many at their place", async () => {
  const events = new TypedEvents<Events>();
  const reader = events.events(["number"], { maxQueued: 3 });
  for (let n = 1; n <= 10; n++) events.emit("number", n);
  const read = async (): Promise<unknown[]> => {
    const { value } = await reader.next();
    return [value?.detail, value?.dropped];
  };
  assert.deepEqual(await read(), [8, 7]);
  events.emit("number", 11);
  events.emit("number", 12);
  assert.deepEqual([await read(), await read(), await read()], [[10, 1], [11, 0], [12, 0]]);
  assert.throws(() => events.events([], { maxQueued: 0 }), { code: "CONFIG" });
});

test("leaving the loop ends an iterator, a signal ends it with its reason", async () => {
  const events = new TypedEvents<Events>();
  const controller = new AbortController();
  const { signal } = controller;
  const left = events.events();
  const aborted = events.events(["number"], { signal });
  events.emit("number", 1);
  events.emit("number", 2);
  for await (const _ of left) break;
  assert.equal((await left.next()).done, true);
  await aborted.next();
  await aborted.next();
  const [waiting, further] = [aborted.next(), aborted.next()];
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await assert.rejects(further, (error) => error === reason);
  await assert.rejects(aborted.next(), (error) => error === reason);
  assert.throws(() => events.events([], { signal }), (error) => error === reason);
  assert.equal(events.has("number"), false);
  const other = new AbortController();
  const ended = events.events([], { signal: other.signal });
  await ended.return();
  await ended.return();
  assert.equal(getEventListeners(other.signal, "abort").length, 0);
});

test("listeners are counted and cleared, and leave their signals", () => {
  const events = new TypedEvents<Events>();
  const controller = new AbortController();
  const fail = (): void => assert.fail();
  events.on("number", fail, { signal: controller.signal });
  events.on("number", fail);
  events.on("text", fail);
  assert.deepEqual([events.count("number"), events.count("text")], [2, 1]);
  events.clear("number");
  assert.deepEqual([events.count("number"), events.count("text")], [0, 1]);
  assert.equal(getEventListeners(controller.signal, "abort").length, 0);
  events.clear();
  events.emit("number", 1);
  events.emit("text", "a");
});

test("waiters wake together, fail together, and abort one by one", async () => {
  const waiters = new Waiters();
  const controller = new AbortController();
  const reason = new Error("no more");
  const first = waiters.wait();
  const second = waiters.wait(controller.signal);
  assert.equal(waiters.size, 2);
  controller.abort(reason);
  await assert.rejects(second, (error) => error === reason);
  assert.equal(waiters.size, 1);
  waiters.wake();
  await first;
  assert.equal(waiters.size, 0);
  await assert.rejects(waiters.wait(controller.signal), (error) => error === reason);
  assert.equal(waiters.size, 0);
  const third = waiters.wait(new AbortController().signal);
  waiters.fail(reason);
  await assert.rejects(third, (error) => error === reason);
});

test("a signal used for many waits gathers no listeners", async () => {
  const waiters = new Waiters();
  const { signal } = new AbortController();
  for (let i = 0; i < 100; i++) {
    const waiting = waiters.wait(signal);
    if (i % 2 === 0) waiters.wake();
    else waiters.fail(new Error("x"));
    await waiting.catch(() => undefined);
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
