import assert from "node:assert/strict";
import { test } from "node:test";
import { subscribe } from "./groups/subscribe.ts";
import { TOPIC_ENDPOINTS } from "./groups/topics.ts";
import { served } from "./requests/served_for_test.ts";
import { pause, withSignal } from "./wait.ts";

/** More than timers take: theirs would be over at once. */
const THIRTY_DAYS = 30 * 86_400_000;

test("a pause that is longer than timers take lasts, until its signal ends it", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const first = await Promise.race([
    pause(THIRTY_DAYS, signal).catch(() => "aborted"),
    pause(20, undefined).then(() => "the short one"),
  ]);
  assert.equal(first, "the short one");
  const reason = new Error("enough");
  const waiting = withSignal(new Promise<void>(() => undefined), signal);
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  await assert.rejects(pause(1, signal), (error) => error === reason);
  await assert.rejects(withSignal(Promise.resolve(1), signal), (error) => error === reason);
  assert.equal(await withSignal(Promise.resolve(1), undefined), 1);
});

test("a subscription may be given longer than timers take", () =>
  served({}, async ({ client, endpoints }) => {
    endpoints.register(TOPIC_ENDPOINTS.subscribe, async function* () {
      await pause(20, undefined);
      yield new Uint8Array(0);
    });
    const news = await subscribe(client, ["a"], { timeout: THIRTY_DAYS });
    assert.equal(await news.next(), null);
  }));
