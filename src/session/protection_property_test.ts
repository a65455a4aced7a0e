import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { toHex } from "../codec/hex.ts";
import { encodeVarint } from "../codec/varint.ts";
import type { AeadKey, CryptoProvider } from "../crypto/provider.ts";
import type { Protection } from "./protection.ts";
import {
  headerOf,
  openFrame,
  protectionPair,
  provider,
  sealFrame,
} from "./protection_fixture_test.ts";

/** A provider that notices a nonce used twice under one key, and keeps count of keys and their bytes. */
class WatchingProvider {
  readonly keyBytes: Uint8Array[] = [];
  live = 0;
  readonly #sealed: Set<string> = new Set();

  wrap(): CryptoProvider {
    return { ...bound(provider), aead: (name, key) => this.#watch(provider.aead(name, key), key) };
  }

  #watch(inner: AeadKey, key: Uint8Array): AeadKey {
    const id = toHex(key);
    this.keyBytes.push(key);
    this.live++;
    return {
      sealInPlace: (nonce, aad, buffer, start, end) => {
        const use = `${id} ${toHex(nonce)}`;
        assert.equal(this.#sealed.has(use), false, "a nonce was used twice under one key");
        this.#sealed.add(use);
        inner.sealInPlace(nonce, aad, buffer, start, end);
      },
      open: (nonce, aad, sealed) => inner.open(nonce, aad, sealed),
      destroy: () => {
        this.live--;
        inner.destroy();
      },
    };
  }
}

function bound(p: CryptoProvider): CryptoProvider {
  return {
    name: p.name,
    randomBytes: (length) => p.randomBytes(length),
    sha256: (...parts) => p.sha256(...parts),
    hmacSha256: (key, ...parts) => p.hmacSha256(key, ...parts),
    x25519: (key) => p.x25519(key),
    aead: (name, key) => p.aead(name, key),
    equal: (a, b) => p.equal(a, b),
    scrypt: (password, salt, parameters) => p.scrypt(password, salt, parameters),
  };
}

/** What the owner does: KEY_ROTATION first where it is due, else the payload. */
function next(from: Protection, nowMs: number): Uint8Array {
  assert.equal(from.beforeSend(nowMs), undefined);
  if (from.rotationPending) {
    return sealFrame(from, new Uint8Array([4, ...encodeVarint(from.sendEpoch)]));
  }
  return sealFrame(from, new Uint8Array([0]), 3, 0, 1);
}

type Command =
  | { kind: "send"; side: 0 | 1 }
  | { kind: "rotate"; side: 0 | 1 }
  | { kind: "deliver" | "repeat" | "drop" | "corrupt"; side: 0 | 1; pick: number }
  | { kind: "wait"; ms: number };

const side = fc.constantFrom<0 | 1>(0, 1);
const pick = fc.nat({ max: 1000 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant<"send">("send"), side }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant<"deliver">("deliver"), side, pick }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom<"repeat" | "drop" | "corrupt">("repeat", "drop", "corrupt"),
      side,
      pick,
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant<"rotate">("rotate"), side }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant<"wait">("wait"), ms: fc.nat({ max: 1500 }) }),
  },
);

test("protection, udp: under loss, repetition, reordering, forgery and rotation nothing opens twice and no nonce repeats", () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150 }), fc.constantFrom(1, 2), (commands, suite) => {
      const watching = new WatchingProvider();
      const limits = { bytes: 1 << 30, ms: 3_600_000, packets: 7 };
      const { a, b } = protectionPair({ provider: watching.wrap(), suite, limits });
      const ends = [a, b] as const;
      const flying: [Uint8Array[], Uint8Array[]] = [[], []];
      const opened: [Set<number>, Set<number>] = [new Set(), new Set()];
      let nowMs = 0;

      const deliver = (to: 0 | 1, frame: Uint8Array): boolean => {
        const { sequence } = headerOf(frame);
        const payload = openFrame(ends[to], frame, nowMs);
        assert.equal(ends[to].lastError, undefined, "honest peers break no rule");
        if (payload === undefined) return false;
        assert.equal(opened[to].has(sequence), false, "opened twice");
        opened[to].add(sequence);
        return true;
      };

      for (const step of commands) {
        if (step.kind === "wait") {
          nowMs += step.ms;
          for (const end of ends) end.onTimeout(nowMs);
          continue;
        }
        const end = ends[step.side];
        if (step.kind === "rotate") {
          end.requestRotation();
          continue;
        }
        const to = step.side === 0 ? 1 : 0;
        const queue = flying[to];
        if (step.kind === "send") {
          // Stay below four times the limit of packets: AEAD_LIMIT has its own test.
          if (!end.rotationBlocked(nowMs)) queue.push(next(end, nowMs));
          continue;
        }
        const index = queue.length === 0 ? -1 : step.pick % queue.length;
        const frame = queue[index];
        if (frame === undefined) continue;
        if (step.kind === "repeat") {
          deliver(to, frame);
        } else if (step.kind === "corrupt") {
          const bad = frame.slice();
          const at = bad.length - 1 - step.pick % 17;
          bad[at] = (bad[at] ?? 0) ^ 1 << step.pick % 8;
          assert.equal(openFrame(ends[to], bad, nowMs), undefined, "a forgery opened");
        } else {
          queue.splice(index, 1);
          if (step.kind === "deliver") deliver(to, frame);
        }
      }

      // Whatever happened, a new frame that arrives at once opens, and both sides settle on one epoch.
      for (let round = 0; round < 4; round++) {
        assert.equal(deliver(1, next(a, nowMs)), true);
        assert.equal(deliver(0, next(b, nowMs)), true);
      }
      assert.ok(Math.abs(a.sendEpoch - b.sendEpoch) <= 1);
      a.wipe();
      b.wipe();
      assert.equal(watching.live, 0, "every key was dropped");
      for (const key of watching.keyBytes) assert.deepEqual(key, new Uint8Array(32));
    }),
    { numRuns: 300 },
  );
});

test("protection, reliable: any mix of sending, reading and rotating keeps both ends in step", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant<"send">("send"), side }),
    fc.record({ kind: fc.constant<"deliver">("deliver"), side }),
    fc.record({ kind: fc.constant<"rotate">("rotate"), side }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const watching = new WatchingProvider();
      const { a, b } = protectionPair({ provider: watching.wrap(), reliable: true });
      const ends = [a, b] as const;
      const flying: [Uint8Array[], Uint8Array[]] = [[], []];
      for (const { kind, side } of steps) {
        if (kind === "send") flying[side === 0 ? 1 : 0].push(next(ends[side], 0));
        else if (kind === "rotate") ends[side].requestRotation();
        else {
          const frame = flying[side].shift();
          if (frame !== undefined) assert.notEqual(openFrame(ends[side], frame), undefined);
        }
      }
      for (const side of [0, 1] as const) {
        for (const frame of flying[side]) assert.notEqual(openFrame(ends[side], frame), undefined);
        assert.equal(ends[side].failures, 0);
        assert.equal(ends[side].nextTimeout(), undefined);
        ends[side].wipe();
      }
      assert.equal(watching.live, 0);
    }),
    { numRuns: 200 },
  );
});
