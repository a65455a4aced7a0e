import assert from "node:assert/strict";
import { test } from "node:test";
import type { CloseFacts } from "../connection/events.ts";
import { type ErrorCode, ERRORS, SttError } from "../errors.ts";
import { FakeClock } from "../testing/fake_clock.ts";
import { connect } from "./connect.ts";
import { listen } from "./listener.ts";
import type { Peer } from "./peer.ts";
import { checkPolicy, delayOf, isTransient, type ReconnectPolicy } from "./reconnect_policy.ts";
import { type ReconnectEvent, reconnecting, type ReconnectOptions } from "./reconnecting.ts";
import { generateSeed } from "./seeds.ts";

/** What one dial of a script comes to: an error, or a session that lasts and ends. */
type Step = unknown | { readonly lastsMs: number; readonly facts: Partial<CloseFacts> };

function session(lastsMs: number, facts: Partial<CloseFacts> = {}): Step {
  return { lastsMs, facts };
}

function fault(code: ErrorCode, remote = false): SttError {
  return new SttError(code, `scripted ${code}`, { remote });
}

interface Run {
  readonly events: readonly ReconnectEvent[];
  readonly delays: readonly number[];
  readonly sessions: number;
  readonly error: unknown;
}

/** Plays a script of dials in virtual time, with `random` always the same. */
async function play(
  steps: readonly Step[],
  options: ReconnectOptions = {},
  random = 0,
): Promise<Run> {
  const clock = new FakeClock();
  const left = [...steps];
  const events: ReconnectEvent[] = [];
  const delays: number[] = [];
  let sessions = 0;
  let error: unknown;
  const dial = (): Promise<{ closed: Promise<CloseFacts> }> => {
    assert(left.length > 0, "one dial too many");
    const step = left.shift();
    if (typeof step !== "object" || step === null || !("lastsMs" in step)) {
      return Promise.reject(step);
    }
    const { lastsMs, facts } = step as { lastsMs: number; facts: Partial<CloseFacts> };
    const all = { code: 0, reason: "", remote: false, error: undefined, complete: true, ...facts };
    return Promise.resolve({
      get closed() {
        clock.advance(lastsMs);
        return Promise.resolve(all);
      },
    });
  };
  try {
    const loop = reconnecting(dial, {
      clock: { now: () => clock.nowMs },
      random: () => random,
      sleep: (ms) => {
        delays.push(ms);
        clock.advance(ms);
        return Promise.resolve();
      },
      onEvent: (event) => events.push(event),
      ...options,
    });
    for await (const _ of loop) sessions++;
  } catch (thrown) {
    error = thrown;
  }
  assert.equal(left.length, 0, "a dial was not made");
  return { events, delays, sessions, error };
}

test("pauses double up to their limit, and chance shortens them by up to half", async () => {
  const failures = Array.from({ length: 9 }, () => fault("TRANSPORT"));
  const steps = [...failures, session(0)];
  const plain = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000];
  assert.deepEqual((await play(steps)).delays, plain);
  assert.deepEqual((await play(steps, {}, 0.5)).delays, plain.map((ms) => ms * 0.75));
  assert.deepEqual((await play(steps, { jitter: 0 }, 0.9)).delays, plain);
  const own = { initialDelay: 10, factor: 3, maxDelay: 100 };
  assert.deepEqual((await play(steps, own)).delays, [10, 30, 90, 100, 100, 100, 100, 100, 100]);
});

test("however many failures: the pause is a number between nothing and its limit", () => {
  const policies: ReconnectPolicy[] = [
    {},
    { initialDelay: 0 },
    { initialDelay: 5, factor: 10, jitter: 1 },
    { initialDelay: 60_000 },
  ];
  for (const options of policies) {
    const policy = checkPolicy(options);
    for (const failures of [1, 2, 10, 1000, 1e9]) {
      for (const random of [0, 0.3, 0.999999]) {
        const delay = delayOf(policy, failures, random);
        assert(delay >= 0 && delay <= policy.maxDelay, `${delay} after ${failures}`);
      }
    }
  }
});

test("the last error is thrown after as many dials as allowed", async () => {
  const [first, last] = [fault("TRANSPORT"), fault("HANDSHAKE_TIMEOUT")];
  const { error, delays, events } = await play([first, first, last], { maxAttempts: 3 });
  assert.equal(error, last);
  assert.equal(delays.length, 2);
  assert.deepEqual(events.map(({ type }) => type), ["dial", "wait", "dial", "wait", "dial"]);
});

test("a stable session begins the count anew; one that breaks at once does not", async () => {
  const lost = { error: fault("TRUNCATED") };
  const stable = await play([
    fault("TRANSPORT"),
    fault("TRANSPORT"),
    session(10_000, lost),
    fault("TRANSPORT"),
    session(0),
  ], { maxAttempts: 3 });
  assert.deepEqual(stable.delays, [500, 1000, 500, 500]);
  assert.equal(stable.error, undefined);
  assert.equal(stable.sessions, 2);
  const flapping = session(9_999, lost);
  const { error, delays, sessions } = await play([flapping, flapping, flapping], {
    maxAttempts: 3,
  });
  assert.deepEqual(delays, [500, 1000]);
  assert.equal(sessions, 3);
  assert.equal(error, lost.error);
});

test("errors that would come again end it at the first dial, the others do not", async () => {
  const fatal: ErrorCode[] = ["CONFIG", "SEED", "ADDRESS", "UNSUPPORTED", "REFUSED", "SELF"];
  fatal.push("PEER_IDENTITY", "DUPLICATE", "SUITE", "VERSION", "TRANSPORT_PARAMETER", "INTERNAL");
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    assert.equal(isTransient(fault(code)), !fatal.includes(code), code);
  }
  for (const code of fatal) {
    const error = fault(code);
    assert.equal((await play([error])).error, error);
  }
  const custom = { retry: (error: SttError) => error.code === "REFUSED" };
  const other = fault("TRANSPORT");
  assert.equal((await play([fault("REFUSED"), other], custom)).error, other);
  const own = new TypeError("of the application");
  assert.equal((await play([own])).error, own);
});

test("the loop ends when this side closes, and goes on when the peer does", async () => {
  for (const code of [0, 0x123]) {
    const error = code === 0 ? undefined : new SttError("APPLICATION", "closed", { wire: code });
    assert.equal((await play([session(5, { code, error })])).sessions, 1);
    const { sessions, events } = await play([
      session(5, { code, error, remote: true }),
      session(0),
    ]);
    assert.equal(sessions, 2);
    const lost = events.find((event) => event.type === "lost");
    assert.equal(lost?.error.code, code === 0 ? "CLOSED" : "APPLICATION");
    assert.equal(lost?.lastedMs, 5);
  }
});

test("every dial, session, loss and pause is told", async () => {
  const down = fault("TRANSPORT");
  const lost = fault("IDLE_TIMEOUT");
  const { events } = await play([down, session(20_000, { error: lost }), session(0)]);
  assert.deepEqual(events, [
    { type: "dial", attempt: 1 },
    { type: "wait", attempt: 1, delay: 500, error: down },
    { type: "dial", attempt: 2 },
    { type: "open", attempt: 2 },
    { type: "lost", error: lost, lastedMs: 20_000 },
    { type: "wait", attempt: 0, delay: 500, error: lost },
    { type: "dial", attempt: 1 },
    { type: "open", attempt: 1 },
  ]);
});

test("an abort ends the pause, the dial and the wait for the end of a session, at once", async () => {
  const reason = new Error("enough");
  const never = new Promise<never>(() => undefined);
  for (const during of ["before", "dial", "pause", "session"]) {
    const stop = new AbortController();
    if (during === "before") stop.abort(reason);
    const dial = (signal: AbortSignal): Promise<{ closed: Promise<CloseFacts> }> => {
      if (during === "session") return Promise.resolve({ closed: never });
      if (during === "pause") return Promise.reject(fault("TRANSPORT"));
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(signal.reason))
      );
    };
    const loop = (async () => {
      const options = { signal: stop.signal, initialDelay: 86_400_000, maxDelay: Infinity };
      for await (const _ of reconnecting(dial, options)) continue;
    })();
    setTimeout(() => stop.abort(reason), 5);
    await assert.rejects(loop, (error) => error === reason, during);
  }
});

test("options out of range are named", async () => {
  const wrong: ReconnectPolicy[] = [
    { initialDelay: -1 },
    { factor: 0.5 },
    { maxDelay: 100 },
    { jitter: 1.1 },
    { jitter: -0.1 },
    { maxAttempts: 0 },
    { stableAfter: NaN },
  ];
  for (const options of wrong) {
    const [name = ""] = Object.keys(options);
    await assert.rejects(
      reconnecting(() => Promise.reject(new Error("no dial")), options).next(),
      (error: unknown) =>
        error instanceof SttError && error.code === "CONFIG" && error.message.includes(name),
    );
  }
});

test("over TCP: a listener that goes away and comes back is found again; a refusal ends it", async () => {
  const seed = generateSeed();
  let listener = await listen("tcp://127.0.0.1:0", { seed });
  const { address } = listener;
  const events: string[] = [];
  const dial = (signal: AbortSignal): Promise<Peer> => connect(address, { seed, signal });
  const options: ReconnectOptions = {
    initialDelay: 20,
    onEvent: ({ type }) => events.push(type),
  };
  let sessions = 0;
  let refused: unknown;
  try {
    for await (const peer of reconnecting(dial, options)) {
      sessions++;
      await peer.ping();
      await listener.close();
      const accept = (): boolean => sessions < 2;
      // Nobody listens for a while: the dial in between fails.
      setTimeout(async () => {
        listener = await listen(address, { seed, accept });
      }, 100);
    }
  } catch (error) {
    refused = error;
  } finally {
    await listener.close();
  }
  assert.equal(sessions, 2);
  assert(refused instanceof SttError && refused.code === "REFUSED", String(refused));
  assert(events.filter((type) => type === "dial").length > 3, events.join(" "));
});
