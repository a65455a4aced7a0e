import assert from "node:assert/strict";
import { test } from "node:test";
import { epochKeys } from "../crypto/key_schedule.ts";
import { nodeProvider } from "../crypto/node_provider.ts";
import { EpochKeys } from "./epoch_keys.ts";

const provider = nodeProvider();
const NAME = "chacha20-poly1305";
const AAD = Uint8Array.of(1, 2, 3);

function keys(): EpochKeys {
  return new EpochKeys(provider, NAME, new Uint8Array(32).fill(3), 0);
}

/** What frame `sequence` of an epoch with this secret must look like. */
function sealed(secret: Uint8Array, sequence: number): Uint8Array {
  const { key, iv } = epochKeys(provider, secret);
  const nonce = iv.slice();
  new DataView(nonce.buffer).setUint32(8, new DataView(iv.buffer).getUint32(8) ^ sequence);
  const frame = new Uint8Array(20);
  provider.aead(NAME, key).sealInPlace(nonce, AAD, frame, 0, 4);
  return frame;
}

test("the next epoch is derived when it is asked for, once, after frames of this one", () => {
  const first = keys();
  const secret = new Uint8Array(32).fill(3);
  const frame = new Uint8Array(20);
  first.seal(7, AAD, frame, 0, 4);
  assert.deepEqual(frame, sealed(secret, 7));

  const second = first.takeNext();
  assert.equal(second.epoch, 1);
  const next = new Uint8Array(20);
  second.seal(8, AAD, next, 0, 4);
  assert.deepEqual(next, sealed(epochKeys(provider, secret).next, 8));
  assert.throws(() => first.takeNext(), { code: "INTERNAL" });
  // Late frames of the old epoch still open.
  assert.deepEqual(first.open(7, AAD, frame), new Uint8Array(4));
});

test("epochs seal in turns: the nonce of one frame is not that of another", () => {
  const one = keys();
  const other = new EpochKeys(provider, NAME, new Uint8Array(32).fill(4), 0);
  for (const sequence of [1, 2]) {
    for (const [epoch, fill] of [[one, 3], [other, 4]] as const) {
      const frame = new Uint8Array(20);
      epoch.seal(sequence, AAD, frame, 0, 4);
      assert.deepEqual(frame, sealed(new Uint8Array(32).fill(fill), sequence));
    }
  }
});

test("the secret is taken over, and nothing can be derived once the keys are destroyed", () => {
  const secret = new Uint8Array(32).fill(3);
  const epoch = new EpochKeys(provider, NAME, secret, 0);
  assert.deepEqual(secret, new Uint8Array(32));
  epoch.destroy();
  assert.throws(() => epoch.takeNext(), { code: "INTERNAL" });
  assert.throws(() => epoch.seal(1, AAD, new Uint8Array(20), 0, 4), { code: "INTERNAL" });
});
