import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { poolLimits, type PoolOptions } from "./options.ts";
import { PoolPolicy } from "./policy.ts";

/** A policy, its commands as text, and a clock. */
class Run {
  readonly policy: PoolPolicy;
  now = 0;

  constructor(count: number, options: PoolOptions = {}, random = 0) {
    this.policy = new PoolPolicy(count, poolLimits(options), () => random);
  }

  commands(): string[] {
    const found: string[] = [];
    for (let one = this.policy.nextCommand(); one !== undefined; one = this.policy.nextCommand()) {
      found.push(`${one.type} ${one.target}`);
    }
    return found;
  }

  /** Lets time pass until `until`, timer by timer; gives what was commanded, and when. */
  pass(until: number): string[] {
    const found: string[] = [];
    for (;;) {
      const at = this.policy.nextTimeout();
      if (at === undefined || at > until) break;
      this.now = Math.max(this.now, at);
      this.policy.onTimeout(this.now);
      found.push(...this.commands().map((command) => `${this.now} ${command}`));
    }
    this.now = until;
    return found;
  }

  openAll(): this {
    for (const command of this.commands()) {
      this.policy.opened(Number(command.split(" ")[1]), this.now);
    }
    return this;
  }

  /** A request that ends at once. */
  ask(verdict: "well" | "ill" | "neutral" = "well", tried?: Set<number>): number | undefined {
    const target = this.policy.choose(tried);
    if (target === undefined) return undefined;
    this.policy.began(target);
    this.policy.ended(target, verdict, this.now);
    return target;
  }
}

test("everything is dialled at first, and nothing is chosen before it is open", () => {
  const run = new Run(3);
  assert.deepEqual(run.commands(), ["dial 0", "dial 1", "dial 2"]);
  assert.equal(run.policy.choose(), undefined);
  assert.equal(run.policy.nextTimeout(), undefined);
  run.policy.opened(1, 0);
  assert.equal(run.policy.choose(), 1);
  assert.equal(run.policy.choose(new Set([1])), 1);
});

test("round-robin goes in turn, least-loaded to whoever has the fewest", () => {
  const turn = new Run(3, { balance: "round-robin" }).openAll();
  assert.deepEqual([1, 2, 3, 4].map(() => turn.policy.choose()), [0, 1, 2, 0]);
  assert.deepEqual([1, 2].map(() => turn.ask("well", new Set([1]))), [2, 0]);
  const { policy } = new Run(3).openAll();
  for (const target of [0, 0, 1]) policy.began(target);
  assert.equal(policy.choose(), 2);
  policy.began(2);
  policy.began(2);
  assert.equal(policy.choose(), 1);
  policy.ended(0, "well", 0);
  policy.ended(0, "well", 0);
  assert.equal(policy.choose(), 0);
});

test("equal loads go in turn", () => {
  const run = new Run(3).openAll();
  assert.deepEqual([1, 2, 3, 4].map(() => run.ask()), [0, 1, 2, 0]);
});

test("a target that stops answering is left within two seconds, whenever that is", () => {
  for (const phase of [0, 1, 250, 499]) {
    const run = new Run(2).openAll();
    // Both answer at once for a while.
    for (let at = 500; at <= 5000; at += 500) {
      for (const command of run.pass(at)) {
        run.policy.answered(Number(command.split(" ")[2]), 1, run.now);
      }
    }
    const hang = 5000 + phase;
    run.pass(hang);
    let dropped = Infinity;
    while (dropped === Infinity) {
      for (const command of run.pass(run.policy.nextTimeout() as number)) {
        const [at, type, target] = command.split(" ");
        if (type === "ping" && target === "1") run.policy.answered(1, 1, run.now);
        if (type === "drop") dropped = Number(at);
      }
    }
    assert.ok(dropped - hang < 2000, `hung at ${hang}, dropped at ${dropped}`);
    assert.deepEqual([1, 2, 3].map(() => run.ask()), [1, 1, 1]);
  }
});

test("a lost session is dialled again after a pause that grows with each failure", () => {
  const run = new Run(1, { initialDelay: 100, maxDelay: 500 }).openAll();
  run.pass(50);
  run.policy.lost(0, 50);
  assert.equal(run.policy.state(0).breaker, "open");
  assert.equal(run.policy.choose(), undefined);
  assert.deepEqual(run.pass(150), ["150 dial 0"]);
  assert.deepEqual([run.policy.state(0).breaker, run.policy.state(0).session], [
    "half-open",
    "dialling",
  ]);
  for (const [at, next] of [[150, 350], [350, 750], [750, 1250], [1250, 1750]] as const) {
    run.policy.dialFailed(0, false, at);
    assert.deepEqual(run.pass(next), [`${next} dial 0`]);
  }
  run.policy.opened(0, 1750);
  assert.equal(run.policy.state(0).breaker, "closed");
  assert.equal(run.policy.choose(), 0);
});

test("chance shortens pauses by up to half", () => {
  const run = new Run(1, { initialDelay: 100 }, 1).openAll();
  run.policy.lost(0, 0);
  assert.equal(run.policy.nextTimeout(), 50);
});

test("the pauses begin anew behind a good answer, or a session that lasted", () => {
  const first = (options: PoolOptions, act: (run: Run) => void): number => {
    const run = new Run(1, { initialDelay: 100, ...options });
    run.commands();
    for (let i = 0; i < 3; i++) {
      run.policy.dialFailed(0, false, run.now);
      run.pass(run.policy.nextTimeout() as number);
    }
    run.policy.opened(0, run.now);
    act(run);
    run.policy.lost(0, run.now);
    return (run.policy.nextTimeout() as number) - run.now;
  };
  assert.equal(first({}, () => undefined), 800);
  assert.equal(first({}, (run) => void run.ask("well")), 100);
  assert.equal(first({}, (run) => void run.ask("neutral")), 800);
  assert.equal(
    first({ stableAfter: 1000, pingInterval: 5000 }, (run) => run.pass(run.now + 999)),
    800,
  );
  assert.equal(
    first({ stableAfter: 1000, pingInterval: 5000 }, (run) => run.pass(run.now + 1000)),
    100,
  );
});

test("requests that fail in a row open the breaker; one at a time tries it again", () => {
  const run = new Run(2, { maxFailures: 3, initialDelay: 1000, pingInterval: 1e9 }).openAll();
  const others = new Set([1]);
  for (let i = 0; i < 2; i++) run.ask("ill", others);
  run.ask("well", others);
  for (let i = 0; i < 3; i++) run.ask("ill", others);
  assert.equal(run.policy.state(0).breaker, "open");
  assert.deepEqual([1, 2].map(() => run.ask()), [1, 1]);
  assert.deepEqual(run.pass(1000), []);
  assert.equal(run.policy.state(0).breaker, "half-open");
  assert.equal(run.policy.choose(), 0);
  run.policy.began(0);
  // While that one is under way, all others go elsewhere.
  assert.deepEqual([1, 2].map(() => run.ask()), [1, 1]);
  run.policy.ended(0, "ill", 1000);
  assert.equal(run.policy.state(0).breaker, "open");
  run.pass(2999);
  assert.equal(run.policy.state(0).breaker, "open");
  run.pass(3000);
  assert.equal(run.ask("well"), 0);
  assert.equal(run.policy.state(0).breaker, "closed");
});

test("what was under way when the breaker opened neither closes it nor makes the pause longer", () => {
  const run = new Run(1, { maxFailures: 1, initialDelay: 1000, pingInterval: 1e9 }).openAll();
  for (let i = 0; i < 3; i++) run.policy.began(0);
  run.policy.ended(0, "ill", 0);
  run.policy.ended(0, "ill", 10);
  run.policy.ended(0, "well", 20);
  const { breaker, failures } = run.policy.state(0);
  assert.deepEqual([breaker, failures, run.policy.nextTimeout()], ["open", 1, 1000]);
});

test("a target whose dial would fail again is left for good", () => {
  const run = new Run(2);
  run.commands();
  run.policy.dialFailed(0, true, 0);
  assert.equal(run.policy.hopeless, false);
  run.policy.dialFailed(1, true, 0);
  assert.equal(run.policy.hopeless, true);
  assert.equal(run.policy.nextTimeout(), undefined);
});

test("words about a session that is over change nothing", () => {
  const run = new Run(1).openAll();
  run.policy.began(0);
  run.policy.lost(0, 0);
  const before = run.policy.state(0);
  run.policy.answered(0, 5, 1);
  run.policy.lost(0, 1);
  assert.deepEqual(run.policy.state(0), before);
  run.policy.ended(0, "ill", 1);
  assert.equal(run.policy.state(0).failures, 1);
  assert.equal(run.policy.state(0).load, 0);
});

test("round trips are smoothed", () => {
  const { policy } = new Run(1).openAll();
  policy.answered(0, 80, 0);
  assert.equal(policy.state(0).rttMs, 80);
  policy.answered(0, 160, 0);
  assert.equal(policy.state(0).rttMs, 90);
});

test("whatever happens: loads never fall below 0, one dial and one ping at a time, and a way back", () => {
  const step = fc.record({
    kind: fc.constantFrom("pass", "ask", "well", "ill", "neutral", "open", "fail", "lose", "pong"),
    target: fc.nat(2),
    ms: fc.nat(3000),
  });
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 200 }),
      fc.double({ min: 0, max: 0.99, noNaN: true }),
      (steps, random) => {
        const run = new Run(3, { maxFailures: 2, maxDelay: 5000 }, random);
        const { policy } = run;
        const dialling = new Set<number>();
        const pinging = new Set<number>();
        const loads = [0, 0, 0];
        const obey = (commands: readonly string[]): void => {
          for (const command of commands) {
            const [type, text] = command.split(" ").slice(-2);
            const target = Number(text);
            const set = type === "dial" ? dialling : pinging;
            if (type === "drop") pinging.delete(target);
            else {
              assert.ok(!set.has(target), `a second ${type}`);
              set.add(target);
            }
          }
        };
        obey(run.commands());
        for (const { kind, target, ms } of steps) {
          const load = loads[target] as number;
          if (kind === "pass") obey(run.pass(run.now + ms));
          else if (kind === "ask") {
            const chosen = policy.choose();
            if (chosen === undefined) continue;
            const { breaker, session } = policy.state(chosen);
            assert.ok(
              session === "up" &&
                (breaker === "closed" || (breaker === "half-open" && loads[chosen] === 0)),
            );
            policy.began(chosen);
            loads[chosen] = (loads[chosen] as number) + 1;
          } else if (kind === "well" || kind === "ill" || kind === "neutral") {
            if (load === 0) continue;
            policy.ended(target, kind, run.now);
            loads[target] = load - 1;
          } else if (kind === "open" || kind === "fail") {
            if (!dialling.delete(target)) continue;
            if (kind === "open") policy.opened(target, run.now);
            else policy.dialFailed(target, false, run.now);
          } else if (kind === "lose") {
            if (policy.state(target).session === "up") pinging.delete(target);
            policy.lost(target, run.now);
          } else if (pinging.delete(target)) policy.answered(target, 1, run.now);
          assert.deepEqual([0, 1, 2].map((one) => policy.state(one).load), loads);
        }
        // When all is well again, so is every target.
        for (let round = 0; round < 4; round++) {
          for (const target of [0, 1, 2]) {
            for (; (loads[target] as number) > 0; loads[target] = (loads[target] as number) - 1) {
              policy.ended(target, "neutral", run.now);
            }
          }
          for (const target of dialling) policy.opened(target, run.now);
          dialling.clear();
          for (const target of pinging) policy.answered(target, 1, run.now);
          pinging.clear();
          for (let i = 0; i < 3; i++) run.ask("well");
          for (let passed = 0; passed < 30; passed++) {
            obey(run.pass(run.now + 200));
            for (const target of dialling) policy.opened(target, run.now);
            dialling.clear();
            for (const target of pinging) policy.answered(target, 1, run.now);
            pinging.clear();
          }
        }
        for (let i = 0; i < 3; i++) run.ask("well");
        for (const target of [0, 1, 2]) {
          const { breaker, session } = policy.state(target);
          assert.deepEqual([breaker, session], ["closed", "up"], `target ${target}`);
        }
      },
    ),
    { numRuns: 200 },
  );
});

test("options out of range are CONFIG", () => {
  for (
    const options of [
      { balance: "chance" },
      { pingInterval: 0 },
      { pingTimeout: NaN },
      {
        maxFailures: 0,
      },
      { jitter: 2 },
      { factor: 0 },
      { maxDelay: 1 },
    ]
  ) assert.throws(() => poolLimits(options as PoolOptions), { code: "CONFIG" });
});
