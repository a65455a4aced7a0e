import assert from "node:assert/strict";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { type Dial, type DialAttempt, raceDials } from "./dial_race.ts";

const LONG = 1_000_000;

/** Dials that the test settles by hand, and which of them were started. */
class Dials {
  readonly attempts: DialAttempt[] = [];
  readonly resolve: ((value: string) => void)[] = [];
  readonly reject: ((error: unknown) => void)[] = [];

  make(count: number): Dial<string>[] {
    return Array.from({ length: count }, () => (attempt) => {
      this.attempts.push(attempt);
      return new Promise((resolve, reject) => {
        this.resolve.push(resolve);
        this.reject.push(reject);
      });
    });
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

test("a failure starts the next one, and its success is the outcome", async () => {
  const dials = new Dials();
  const outcome = raceDials(dials.make(3), LONG, undefined);
  assert.equal(dials.attempts.length, 1);
  dials.reject[0]!(new Error("no way"));
  await turn();
  assert.equal(dials.attempts.length, 2);
  dials.resolve[1]!("two");
  assert.equal(await outcome, "two");
  assert.equal(dials.attempts.length, 2);
});

test("silence starts the next one; who claims first goes on and the others end", async () => {
  const dials = new Dials();
  const outcome = raceDials(dials.make(3), 1, undefined);
  while (dials.attempts.length < 2) await turn();
  assert.equal(dials.attempts[1]!.claim(), true);
  const { length } = dials.attempts;
  assert.equal(dials.attempts[0]!.claim(), false);
  assert.equal(dials.attempts[0]!.signal.aborted, true);
  assert.equal(dials.attempts[1]!.signal.aborted, false);
  dials.reject[0]!(dials.attempts[0]!.signal.reason);
  await turn();
  assert.equal(dials.attempts.length, length, "none starts after that");
  dials.resolve[1]!("two");
  assert.equal(await outcome, "two");
});

test("the error of the claimed one is the outcome", async () => {
  const dials = new Dials();
  const outcome = raceDials(dials.make(2), LONG, undefined);
  dials.attempts[0]!.claim();
  dials.reject[0]!(new SttError("REFUSED", "no"));
  await assert.rejects(outcome, { code: "REFUSED" });
  assert.equal(dials.attempts.length, 1);
});

test("when all fail, the error that says most is the outcome", async () => {
  const dials = new Dials();
  const outcome = assert.rejects(raceDials(dials.make(3), LONG, undefined), {
    code: "PEER_IDENTITY",
  });
  for (const code of ["HANDSHAKE_TIMEOUT", "PEER_IDENTITY", "TRANSPORT"] as const) {
    dials.reject.at(-1)!(new SttError(code, "failed"));
    await turn();
  }
  await outcome;
});

test("an abort starts no further one, and its reason is the outcome", async () => {
  const dials = new Dials();
  const stop = new AbortController();
  const outcome = raceDials(dials.make(3), LONG, stop.signal);
  stop.abort(new Error("changed my mind"));
  dials.reject[0]!(new SttError("TRANSPORT", "failed"));
  await assert.rejects(outcome, /changed my mind/);
  assert.equal(dials.attempts.length, 1);
});
