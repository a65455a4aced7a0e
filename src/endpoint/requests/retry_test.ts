import { test } from "node:test";
import assert from "node:assert/strict";
import { SttError } from "../../errors.ts";
import { bytes } from "../joined_for_test.ts";
import { classifyFailure } from "./failures.ts";
import { pause } from "../wait.ts";
import { retriesOf } from "./retry.ts";
import { served } from "./served_for_test.ts";

const FAST = { initialDelay: 1, maxDelay: 1 };

test("only what is declared idempotent is asked again, and only after transient failures", () =>
  served({}, async ({ client, endpoints }) => {
    const asked: Record<string, number> = { busy: 0, own: 0, refused: 0 };
    const failing = (name: string, error: SttError, times: number): void =>
      void endpoints.register(name, () => {
        asked[name] = (asked[name] ?? 0) + 1;
        if ((asked[name] ?? 0) <= times) throw error;
        return bytes("done");
      });
    failing("busy", new SttError("BUSY", "later"), 2);
    failing("own", new SttError("APPLICATION", "never", { wire: 0x100 }), Infinity);
    failing("refused", new SttError("REFUSED", "no"), Infinity);
    const ask = (name: string, options = {}): Promise<Uint8Array> =>
      client.endpoint(name).request(bytes(""), options);
    await assert.rejects(ask("busy"), { code: "BUSY" });
    await assert.rejects(ask("busy", { idempotent: false }), { code: "BUSY" });
    assert.equal(asked.busy, 2);
    asked.busy = 0;
    assert.equal((await ask("busy", { idempotent: FAST })).length, 4);
    assert.equal(asked.busy, 3);
    asked.busy = 0;
    await assert.rejects(ask("busy", { idempotent: { ...FAST, attempts: 2 } }), { code: "BUSY" });
    assert.equal(asked.busy, 2);
    await assert.rejects(ask("own", { idempotent: true }), { code: "APPLICATION" });
    await assert.rejects(ask("refused", { idempotent: true }), { code: "REFUSED" });
    assert.deepEqual([asked.own, asked.refused], [1, 1]);
    const retry = (error: SttError): boolean => error.wire === 0x100;
    await assert.rejects(ask("own", { idempotent: { ...FAST, retry } }), { code: "APPLICATION" });
    assert.equal(asked.own, 4);
  }));

test("a pause that the deadline has no room for is not taken", () =>
  served({}, async ({ client, endpoints }) => {
    let asked = 0;
    endpoints.register("busy", () => {
      asked++;
      throw new SttError("BUSY", "later");
    });
    const idempotent = { initialDelay: 60_000, maxDelay: 60_000 };
    await assert.rejects(
      client.endpoint("busy").request(bytes(""), { idempotent, timeout: 5000 }),
      {
        code: "BUSY",
      },
    );
    assert.equal(asked, 1);
  }));

test("a signal ends a pause", () =>
  served({}, async ({ client, endpoints }) => {
    const controller = new AbortController();
    const reason = new Error("enough");
    endpoints.register("busy", () => {
      // In the pause behind this answer.
      setTimeout(() => controller.abort(reason), 1);
      throw new SttError("BUSY", "later");
    });
    const idempotent = { initialDelay: 60_000, maxDelay: 60_000 };
    await assert.rejects(
      client.endpoint("busy").request(bytes(""), {
        idempotent,
        timeout: 0,
        signal: controller.signal,
      }),
      (error) => error === reason,
    );
    await assert.rejects(pause(1, AbortSignal.abort(reason)), (error) => error === reason);
  }));

test("pauses grow, are bounded, and lose up to half of them by chance", () => {
  const least = retriesOf({ initialDelay: 100, maxDelay: 300 }, () => 0);
  assert.deepEqual([1, 2, 3, 4].map((n) => least.delay(n)), [100, 200, 300, 300]);
  const most = retriesOf({ initialDelay: 100, maxDelay: 300 }, () => 1);
  assert.deepEqual([1, 2, 3].map((n) => most.delay(n)), [50, 100, 150]);
  const own = retriesOf({ initialDelay: 100, factor: 1, jitter: 0 }, () => 1);
  assert.deepEqual([own.delay(1), own.delay(5)], [100, 100]);
  const defaults = retriesOf({}, () => 0);
  assert.deepEqual([defaults.attempts, defaults.delay(1), defaults.delay(9)], [3, 50, 1000]);
  const busy = new SttError("BUSY", "x");
  assert.equal(defaults.again(busy, 2), true);
  assert.equal(defaults.again(busy, 3), false);
  assert.equal(defaults.again(new Error("x"), 1), false);
});

test("every failure has a class", () => {
  const classes: [string, unknown][] = [
    ["timeout", new SttError("DEADLINE", "")],
    ["cancelled", new SttError("CANCELLED", "")],
    ["cancelled", new Error("of a signal")],
    ["refused", new SttError("REFUSED", "")],
    ["transient", new SttError("BUSY", "")],
    ["transient", new SttError("CLOSED", "")],
    ["transient", new SttError("IDLE_TIMEOUT", "")],
    ["transient", new SttError("TRUNCATED", "")],
    ["transient", new SttError("TRANSPORT", "")],
    ["permanent", new SttError("APPLICATION", "")],
    ["permanent", new SttError("NO_ENDPOINT", "")],
    ["permanent", new SttError("PEER_IDENTITY", "")],
    ["permanent", new SttError("INTERNAL", "")],
  ];
  for (const [name, error] of classes) assert.equal(classifyFailure(error), name);
});
