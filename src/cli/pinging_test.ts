import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { SttError } from "../errors.ts";
import { examine } from "./checkup/check.ts";
import { dialChecks } from "./checkup/dials.ts";
import type { Dialled } from "./dial.ts";
import { pingWithin } from "./pinging.ts";

/** Keeps its session and answers nothing. */
const silent = {
  ping: ({ signal }: { readonly signal?: AbortSignal } = {}): Promise<number> =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
};
const never = new AbortController().signal;

test("a ping that nobody answers ends, and says after which time", async () => {
  await assert.rejects(pingWithin(silent, 20, never), {
    code: "IDLE_TIMEOUT",
    message: "no pong within 0.02 s",
  });
  const stop = new AbortController();
  const stopped = pingWithin(silent, 60_000, stop.signal);
  stop.abort(new Error("Ctrl-C"));
  await assert.rejects(stopped, { message: "Ctrl-C" });
  const lost = new SttError("TRANSPORT", "gone");
  await assert.rejects(pingWithin({ ping: () => Promise.reject(lost) }, 60_000, never), lost);
  assert.equal(await pingWithin({ ping: () => Promise.resolve(5) }, 60_000, never), 5);
});

test("a deadline outlives collections of garbage", async () => {
  setFlagsFromString("--expose-gc");
  const collecting = setInterval(runInNewContext("gc"), 20);
  try {
    await assert.rejects(pingWithin(silent, 200, never), { code: "IDLE_TIMEOUT" });
  } finally {
    clearInterval(collecting);
  }
});

test("doctor gives up on a listener that answers no ping, and looks at the rest", async () => {
  const info = { id: "0".repeat(64), suite: 1, pinned: false };
  const peer = { ...silent, info, close: () => Promise.resolve() };
  const dialled = { peer, timeoutMs: 20 } as unknown as Dialled;
  const [dial, roundTrip] = dialChecks("tcp://192.0.2.1:9", () => Promise.resolve(dialled));
  assert(dial !== undefined && roundTrip !== undefined);
  assert.equal((await examine(dial, never))?.status, "ok");
  const finding = await examine(roundTrip, never);
  assert.deepEqual([finding?.status, finding?.message], ["fail", "no pong within 0.02 s"]);
  assert.match(finding?.advice ?? "", /\S/);
});
