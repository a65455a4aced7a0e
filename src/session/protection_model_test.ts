import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { encodeVarint } from "../codec/varint.ts";
import { modelRuns, withoutNonceReuse } from "../testing/model_for_test.ts";
import type { Protection } from "./protection.ts";
import { openFrame, protectionPair, provider, sealFrame } from "./protection_fixture_test.ts";

/** SPEC 7: how long keys of an old epoch stay where the PTO is short, and of how many. */
const RETENTION_MS = 1000;
const MAX_OLD_EPOCHS = 4;

type End = 0 | 1;

interface Flying {
  readonly frame: Uint8Array;
  readonly epoch: number;
  readonly id: number;
}

/** What one end should know of the other's frames. */
interface Heard {
  readonly ids: Set<number>;
  epoch: number;
  /** Old epochs with the time at which their keys go. */
  old: { readonly epoch: number; readonly discardMs: number }[];
}

interface Model {
  readonly heard: readonly [Heard, Heard];
}

class Real {
  readonly ends: readonly [Protection, Protection];
  readonly flying: readonly [Flying[], Flying[]] = [[], []];
  nowMs = 0;
  sealed = 0;

  constructor(suite: number) {
    const limits = { bytes: 1 << 30, ms: 3_600_000, packets: 12 };
    const { a, b } = protectionPair({ provider: withoutNonceReuse(provider), suite, limits });
    this.ends = [a, b];
  }
}

type Command = fc.Command<Model, Real>;

/** A frame as the owner would send it: KEY_ROTATION first where it is due. */
class Send implements Command {
  readonly from: End;
  constructor(from: End) {
    this.from = from;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const end = real.ends[this.from];
    // Four times the limit without an answer is AEAD_LIMIT, which has its own tests.
    if (end.rotationBlocked(real.nowMs)) return;
    const before = end.sendEpoch;
    assert.equal(end.beforeSend(real.nowMs), undefined);
    const answered = model.heard[this.from].epoch >= before;
    assert.ok(end.sendEpoch === before || answered, "it rotates though the peer is silent");
    const frame = end.rotationPending
      ? sealFrame(end, new Uint8Array([4, ...encodeVarint(end.sendEpoch)]))
      : sealFrame(end, new Uint8Array([0]), 3, 0, 1);
    const to = this.from === 0 ? 1 : 0;
    real.flying[to].push({ frame, epoch: end.sendEpoch, id: real.sealed++ });
  }
  toString(): string {
    return `send(${this.from})`;
  }
}

class Rotate implements Command {
  readonly who: End;
  constructor(who: End) {
    this.who = who;
  }
  check(): boolean {
    return true;
  }
  run(_model: Model, real: Real): void {
    real.ends[this.who].requestRotation();
  }
  toString(): string {
    return `rotate(${this.who})`;
  }
}

/** One of the frames on their way, in any order; it may stay there and come again. */
class Deliver implements Command {
  readonly to: End;
  readonly pick: number;
  readonly stays: boolean;
  constructor(to: End, pick: number, stays: boolean) {
    this.to = to;
    this.pick = pick;
    this.stays = stays;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    const queue = real.flying[this.to];
    const index = this.pick % Math.max(1, queue.length);
    const flying = queue[index];
    if (flying === undefined) return;
    if (!this.stays) queue.splice(index, 1);
    const heard = model.heard[this.to];
    const expected = !heard.ids.has(flying.id) &&
      (flying.epoch >= heard.epoch || heard.old.some(({ epoch }) => epoch === flying.epoch));
    const end = real.ends[this.to];
    const opened = openFrame(end, flying.frame, real.nowMs) !== undefined;
    assert.equal(opened, expected, `epoch ${flying.epoch} at ${heard.epoch}: ${end.lastFailure}`);
    assert.equal(end.lastError, undefined, "honest peers break no rule");
    if (!opened) return;
    heard.ids.add(flying.id);
    if (flying.epoch > heard.epoch) {
      for (let epoch = heard.epoch; epoch < flying.epoch; epoch++) {
        heard.old.push({ epoch, discardMs: real.nowMs + RETENTION_MS });
      }
      heard.old = heard.old.slice(-MAX_OLD_EPOCHS);
      heard.epoch = flying.epoch;
    }
    assert.equal(end.recvEpoch, heard.epoch);
    assert.ok(end.sendEpoch >= heard.epoch, "it follows the peer's rotation");
  }
  toString(): string {
    return `deliver(${this.to}, ${this.pick}, ${this.stays})`;
  }
}

/** Somebody on the path flips a bit behind the header of a frame. */
class Forge implements Command {
  readonly to: End;
  readonly pick: number;
  constructor(to: End, pick: number) {
    this.to = to;
    this.pick = pick;
  }
  check(): boolean {
    return true;
  }
  run(_model: Model, real: Real): void {
    const queue = real.flying[this.to];
    const flying = queue[this.pick % Math.max(1, queue.length)];
    if (flying === undefined) return;
    const forged = flying.frame.slice();
    const at = forged.length - 1 - this.pick % 17;
    forged[at] = (forged[at] ?? 0) ^ 1 << this.pick % 8;
    assert.equal(openFrame(real.ends[this.to], forged, real.nowMs), undefined, "a forgery opens");
  }
  toString(): string {
    return `forge(${this.to}, ${this.pick})`;
  }
}

class Wait implements Command {
  readonly ms: number;
  constructor(ms: number) {
    this.ms = ms;
  }
  check(): boolean {
    return true;
  }
  run(model: Model, real: Real): void {
    real.nowMs += this.ms;
    for (const end of real.ends) end.onTimeout(real.nowMs);
    for (const heard of model.heard) {
      heard.old = heard.old.filter(({ discardMs }) => discardMs > real.nowMs);
    }
  }
  toString(): string {
    return `wait(${this.ms})`;
  }
}

const end = fc.constantFrom<End>(0, 1);
const pick = fc.nat(500);
const deliver = fc.tuple(end, pick, fc.constant(false))
  .map(([to, which, stays]) => new Deliver(to, which, stays));
const commands = fc.commands([
  end.map((from) => new Send(from)),
  end.map((from) => new Send(from)),
  deliver,
  deliver,
  deliver,
  fc.tuple(end, pick).map(([to, which]) => new Deliver(to, which, true)),
  end.map((who) => new Rotate(who)),
  fc.tuple(end, pick).map(([to, which]) => new Forge(to, which)),
  fc.nat(1500).map((ms) => new Wait(ms)),
], { maxCommands: 200, size: "max" });

test("model: exactly the frames open that are new and of an epoch whose keys are there", () => {
  let rotations = 0;
  fc.assert(
    fc.property(commands, fc.constantFrom(1, 2), (list, suite) => {
      const heard = (): Heard => ({ ids: new Set(), epoch: 0, old: [] });
      const model: Model = { heard: [heard(), heard()] };
      const real = new Real(suite);
      fc.modelRun(() => ({ model, real }), list);
      const [one, other] = [real.ends[0].sendEpoch, real.ends[1].sendEpoch];
      assert.ok(Math.abs(one - other) <= 1, `epochs ${one} and ${other}`);
      rotations += one;
    }),
    { numRuns: modelRuns(200) },
  );
  assert.ok(rotations > 50, `only ${rotations} rotations took place`);
});
