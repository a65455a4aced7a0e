/** The exact edges of a session's protection: nonces, orders of epochs, the ring of the replay window, the defaults. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { toHex } from "../codec/hex.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { EpochKeys } from "./epoch_keys.ts";
import { DEFAULT_ROTATION_LIMITS, KeyRotation, REFERENCE_ROTATION_LIMITS } from "./key_rotation.ts";
import {
  acquaint,
  openFrame,
  PADDING,
  protectionPair,
  provider,
  rotation,
  sealFrame,
} from "./protection_fixture_test.ts";
import { ReplayWindow } from "./replay_window.ts";

const W = 8192;

/** The nonces that keys of epoch 0 seal these sequences with, as hexadecimal XOR of the first one's. */
function nonces(sequences: readonly number[]): string[] {
  const seen: Uint8Array[] = [];
  const spy: CryptoProvider = {
    ...provider,
    aead: (name, key) => {
      const real = provider.aead(name, key);
      return {
        ...real,
        sealInPlace: (nonce) => void seen.push(nonce.slice()),
        open: real.open.bind(real),
        destroy: () => real.destroy(),
      };
    },
  };
  const keys = new EpochKeys(spy, "chacha20-poly1305", new Uint8Array(32).fill(1), 0);
  for (const sequence of sequences) {
    keys.seal(sequence, new Uint8Array(0), new Uint8Array(16), 0, 0);
  }
  const iv = seen[0] as Uint8Array;
  return seen.map((nonce) => toHex(nonce.map((byte, index) => byte ^ (iv[index] as number))));
}

test("nonces are the sequence in big-endian over the iv, at every width", () => {
  const sequences = [0, 1, 255, 256, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 1, 2 ** 53 - 1];
  assert.deepEqual(
    nonces(sequences),
    sequences.map((sequence) => sequence.toString(16).padStart(24, "0")),
  );
});

/** Every byte array that something was copied into while `run` ran. */
function written(run: () => void): Uint8Array[] {
  const arrays: Uint8Array[] = [];
  const { set } = Uint8Array.prototype;
  Object.defineProperty(Uint8Array.prototype, "set", {
    configurable: true,
    value(this: Uint8Array, source: ArrayLike<number>, offset?: number): void {
      arrays.push(this);
      set.call(this, source, offset);
    },
  });
  try {
    run();
  } finally {
    delete (Uint8Array.prototype as { set?: unknown }).set;
  }
  return arrays;
}

test("keys that are destroyed leave no key, iv, nonce or next secret in memory", () => {
  const secret = new Uint8Array(32).fill(1);
  let keys: EpochKeys | undefined;
  const arrays = written(() => {
    keys = new EpochKeys(provider, "aes-256-gcm", secret, 0);
    keys.seal(7, new Uint8Array(0), new Uint8Array(16), 0, 0);
  });
  assert.deepEqual(secret, new Uint8Array(32));
  // The sizes of keys, secrets, ivs and nonces; what the runtime's own cryptography copies has others.
  const own = arrays.filter(({ length }) => [12, 32, 44].includes(length));
  const left = () => own.filter((bytes) => bytes.some((byte) => byte !== 0)).length;
  assert.ok(left() >= 1, "the test sees what is kept");
  keys?.destroy();
  assert.equal(left(), 0);
  assert.throws(() => keys?.takeNext(), { code: "INTERNAL" });
});

test("the next keys are taken once", () => {
  const keys = new EpochKeys(provider, "aes-256-gcm", new Uint8Array(32).fill(1), 0);
  assert.equal(keys.takeNext().epoch, 1);
  assert.throws(() => keys.takeNext(), { code: "INTERNAL" });
});

test("limits of rotation: those of the specification, and those of the reference", () => {
  assert.deepEqual(DEFAULT_ROTATION_LIMITS, { bytes: 2 ** 30, ms: 3_600_000, packets: 2 ** 24 });
  assert.deepEqual(REFERENCE_ROTATION_LIMITS, {
    bytes: 104_857_600,
    ms: 3_600_000,
    packets: 10_000,
  });
});

test("a peer that keeps the rules is one epoch further at most, and only after a frame of ours", () => {
  const keys = new KeyRotation(DEFAULT_ROTATION_LIMITS, 0);
  assert.equal(keys.peerLimit, 0);
  keys.sealed(1);
  assert.equal(keys.peerLimit, 1);
});

test("before the first frame there is no epoch, no sequence and no failure", () => {
  const { a } = protectionPair();
  assert.deepEqual([a.lastEpoch, a.recvEpoch, a.sendEpoch], [-1, -1, 0]);
  assert.deepEqual([a.lastSequence, a.nextSequence, a.highestReceived], [-1, 0, -1]);
  assert.deepEqual([a.frameStart, a.frameEnd, a.failures], [0, 0, 0]);
  assert.equal(a.onPeerRotation(0)?.code, "KEY_ROTATION_ERROR");
});

test("a frame of the next epoch costs the keys of that epoch and no more", () => {
  let made = 0;
  const counting: CryptoProvider = {
    ...provider,
    aead: (name, key) => {
      made++;
      return provider.aead(name, key);
    },
  };
  const { a, b } = protectionPair({ provider: counting });
  acquaint(a, b);
  a.startRotation(0);
  const frame = sealFrame(a, rotation(1));
  const before = made;
  assert.notEqual(openFrame(b, frame), undefined);
  assert.equal(made, before + 2, "one to open with, one to answer with");
});

test("udp: the highest sequence is that of the frames, whatever came last", () => {
  const { a, b } = protectionPair();
  const frames = [sealFrame(a, PADDING), sealFrame(a, PADDING)] as const;
  assert.notEqual(openFrame(b, frames[1]), undefined);
  assert.notEqual(openFrame(b, frames[0]), undefined);
  assert.equal(b.highestReceived, 1);
});

test("a wiped end says that its keys are wiped", () => {
  const { a } = protectionPair();
  a.wipe();
  a.wipe();
  assert.throws(() => sealFrame(a, PADDING), { code: "INTERNAL", message: /the keys are wiped/ });
});

test("udp: a late frame of the old epoch stands before the lowest of the new one, not the last", () => {
  const { a, b } = protectionPair();
  const rogue = protectionPair().a;
  acquaint(a, b);
  a.startRotation(0);
  // Sequences: a sends 1 and 3 in epoch 1, a clone that did not rotate sends 2 in epoch 0.
  assert.notEqual(openFrame(b, sealFrame(a, rotation(1))), undefined);
  sealFrame(a, PADDING);
  assert.notEqual(openFrame(b, sealFrame(a, PADDING)), undefined);
  sealFrame(rogue, PADDING);
  sealFrame(rogue, PADDING);
  assert.equal(openFrame(b, sealFrame(rogue, PADDING)), undefined);
  assert.equal(b.lastFailure, "old_epoch");
});

test("udp: a frame of the new epoch stands behind the highest of the old one, also when it is not the first", () => {
  const { a, b } = protectionPair();
  const rogue = protectionPair();
  acquaint(a, b);
  acquaint(rogue.a, rogue.b);
  rogue.a.startRotation(0);
  sealFrame(rogue.a, rotation(1));
  const low = sealFrame(rogue.a, PADDING);
  for (let i = 0; i < 20; i++) sealFrame(a, PADDING);
  assert.notEqual(openFrame(b, sealFrame(a, PADDING)), undefined);
  a.startRotation(0);
  assert.notEqual(openFrame(b, sealFrame(a, rotation(1))), undefined);
  assert.equal(openFrame(b, low), undefined);
  assert.equal(b.lastFailure, "old_epoch");
});

test("udp: the highest sequence of an epoch counts, not the one that came last", () => {
  const { a, b } = protectionPair();
  const rogue = protectionPair();
  acquaint(a, b);
  acquaint(rogue.a, rogue.b);
  const frames = Array.from({ length: 10 }, () => sealFrame(a, PADDING));
  for (let sequence = 1; sequence < 7; sequence++) sealFrame(rogue.a, PADDING);
  rogue.a.startRotation(0);
  const between = sealFrame(rogue.a, rotation(1));
  for (const index of [9, 3]) {
    assert.notEqual(openFrame(b, frames[index] as Uint8Array), undefined);
  }
  assert.equal(openFrame(b, between), undefined, "7 of epoch 1 after 10 of epoch 0");
  assert.equal(b.lastFailure, "old_epoch");
});

test("udp: old epochs whose time is over at once go at once, and wiped ones leave no timer", () => {
  const { a, b } = protectionPair();
  acquaint(a, b);
  for (let epoch = 1; epoch <= 3; epoch++) {
    assert.equal(a.startRotation(0), true);
    assert.notEqual(openFrame(b, sealFrame(a, rotation(epoch))), undefined);
    assert.notEqual(openFrame(a, sealFrame(b, rotation(epoch))), undefined);
  }
  assert.equal(b.nextTimeout(), 1000);
  assert.equal(a.nextTimeout(), 1000);
  b.onTimeout(1000);
  assert.equal(b.nextTimeout(), undefined);
  a.wipe();
  assert.equal(a.nextTimeout(), undefined);
});

test("replay window: one sequence skipped at the start, or behind a run, is still new", () => {
  const start = new ReplayWindow();
  start.mark(1);
  assert.deepEqual([start.check(0), start.check(1), start.check(2)], ["new", "seen", "new"]);
  const run = new ReplayWindow();
  for (let sequence = 0; sequence < 5; sequence++) run.mark(sequence);
  run.mark(6);
  assert.deepEqual([run.check(4), run.check(5), run.check(6)], ["seen", "new", "seen"]);
});

test("replay window: a word of the ring is empty when its turn comes again, step by step or at a leap", () => {
  const full = (): ReplayWindow => {
    const window = new ReplayWindow();
    window.mark(1);
    window.mark(0);
    for (let sequence = 2; sequence < W + 32; sequence++) window.mark(sequence);
    return window;
  };
  const step = full();
  step.mark(W + 32 + 31);
  for (let sequence = W + 32; sequence < W + 32 + 31; sequence++) {
    assert.equal(step.check(sequence), "new", `${sequence}`);
  }
  const leap = full();
  const highest = 100_000 * 32;
  leap.mark(highest);
  for (let sequence = highest - W + 1; sequence < highest; sequence++) {
    assert.equal(leap.check(sequence), "new", `${sequence}`);
  }
});
