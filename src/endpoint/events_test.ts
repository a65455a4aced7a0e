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
