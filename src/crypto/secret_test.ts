import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { SttError } from "../errors.ts";
import { SeedKeys, sessionSecrets } from "./key_schedule.ts";
import { nodeProvider } from "./node_provider.ts";
import { Secret, wipe } from "./secret.ts";

const BYTES = Uint8Array.from({ length: 32 }, (_, i) => 200 + i);

// Every spelling of two bytes in a row that a printer could choose.
function shows(text: string, bytes: Uint8Array): boolean {
  const [a, b] = [bytes[0]!, bytes[1]!];
  const hexPair = [a, b].map((byte) => byte.toString(16).padStart(2, "0"));
  const base64 = btoa(String.fromCharCode(...bytes)).slice(0, 8);
  return [`${a},${b}`, `${a}, ${b}`, hexPair.join(""), hexPair.join(" "), `"0":${a}`, base64]
    .some((spelling) => text.includes(spelling));
}

function spellings(value: unknown): string[] {
  return [
    `${JSON.stringify(value)} ${JSON.stringify({ value })} ${JSON.stringify([value])}`,
    inspect(value),
    inspect({ deep: [{ value }] }, { depth: 9, showHidden: true, getters: true }),
    format("%s %o %O %j %d", value, value, value, value, value),
  ].map((spelling) => spelling.replace(/\s+/g, " "));
}

test("the test would see bytes", () => {
  for (const spelling of spellings(BYTES)) assert.ok(shows(spelling, BYTES), spelling);
});

test("a secret shows nothing of its bytes anywhere", () => {
  const secret = new Secret(BYTES.slice());
  for (const spelling of spellings(secret)) {
    assert.ok(!shows(spelling, BYTES), spelling);
    assert.ok(spelling.includes("[secret]"), spelling);
  }
  assert.equal(String(secret), "[secret]");
  assert.equal(`${secret}`, "[secret]");
  assert.equal(secret + "", "[secret]");
  assert.deepEqual(Object.keys(secret), []);
  assert.deepEqual({ ...secret }, {});
  assert.ok(!shows(inspect(structuredClone({ ...secret })), BYTES));
});

test("a secret reveals its bytes until it is wiped", () => {
  const bytes = BYTES.slice();
  const secret = new Secret(bytes);
  assert.equal(secret.reveal(), bytes);
  assert.deepEqual([secret.length, secret.wiped], [32, false]);
  secret.wipe();
  secret.wipe();
  assert.deepEqual(bytes, new Uint8Array(32));
  assert.deepEqual([secret.length, secret.wiped], [0, true]);
  assert.throws(() => secret.reveal(), (error) => error instanceof SttError);
});

test("keys of seeds and sessions stay out of inspection and JSON", () => {
  const provider = nodeProvider();
  const keys = new SeedKeys(provider, BYTES);
  const secrets = sessionSecrets(provider, [1, 2, 3].map((n) => BYTES.map((b) => b ^ n)), BYTES);
  const hidden = [keys.psk, keys.seedIdKey, keys.retryKey, secrets.i2r, secrets.r2i];
  for (const holder of [keys, secrets]) {
    for (
      const spelling of [JSON.stringify(holder), inspect(holder, { depth: 9, showHidden: true })]
    ) {
      for (const bytes of [...hidden, secrets.final, secrets.exporter]) {
        assert.ok(!shows(spelling, bytes), spelling);
      }
    }
  }
});

test("wipe passes over what is undefined", () => {
  const [a, b] = [Uint8Array.of(1), Uint8Array.of(2, 3)];
  wipe(a, undefined, b);
  assert.deepEqual([a, b], [new Uint8Array(1), new Uint8Array(2)]);
});
