import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { hkdfExpand, hkdfExtract, hkdfSalted } from "./hkdf.ts";
import { nobleProvider } from "./noble_provider.ts";
import { nodeProvider } from "./node_provider.ts";
import type { AeadName, CryptoProvider } from "./provider.ts";

const PROVIDERS: readonly CryptoProvider[] = [nodeProvider(), nobleProvider()];
const AEADS: readonly AeadName[] = ["chacha20-poly1305", "aes-256-gcm"];

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

type Test = Readonly<Record<string, string>>;

interface Group {
  readonly keySize?: number;
  readonly ivSize?: number;
  readonly tagSize?: number;
  readonly tests: readonly Test[];
}

// What a file must hold, so that a changed file or filter cannot quietly test nothing.
function wycheproof(name: string, want: (group: Group) => boolean, count: number): Test[] {
  const file = new URL(`../../vectors/wycheproof/${name}_test.json`, import.meta.url);
  const { testGroups } = JSON.parse(readFileSync(file, "utf8")) as { testGroups: Group[] };
  const tests = testGroups.filter(want).flatMap((group) =>
    group.tests.map((each) => ({ ...each, tagSize: `${group.tagSize}` }) as Test)
  );
  assert.equal(tests.length, count, `number of tests taken from ${name}`);
  return tests;
}

function seal(
  provider: CryptoProvider,
  name: AeadName,
  key: Uint8Array,
  nonce: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): Uint8Array {
  // Inside a larger buffer, so that a provider that writes outside of its range is seen.
  const buffer = new Uint8Array(plaintext.length + 16 + 10).fill(0xa5);
  buffer.set(plaintext, 7);
  const aead = provider.aead(name, key);
  aead.sealInPlace(nonce, aad, buffer, 7, 7 + plaintext.length);
  aead.destroy();
  const end = 7 + plaintext.length + 16;
  assert.ok([...buffer.subarray(0, 7), ...buffer.subarray(end)].every((byte) => byte === 0xa5));
  return buffer.slice(7, end);
}

for (const provider of PROVIDERS) {
  for (const name of AEADS) {
    test(`${provider.name}: Wycheproof ${name}`, () => {
      const aes = name === "aes-256-gcm";
      const tests = wycheproof(
        aes ? "aes_gcm" : "chacha20_poly1305",
        (group) => group.keySize === 256 && group.ivSize === 96 && group.tagSize === 128,
        aes ? 66 : 316,
      );
      for (const each of tests) {
        const [key, nonce, aad] = [hex(each["key"]!), hex(each["iv"]!), hex(each["aad"]!)];
        const sealed = hex(each["ct"]! + each["tag"]!);
        const aead = provider.aead(name, key);
        const opened = aead.open(nonce, aad, sealed);
        const id = `tcId ${each["tcId"]}`;
        if (each["result"] === "valid") {
          assert.equal(opened && text(opened), each["msg"], id);
          const again = seal(provider, name, key, nonce, aad, hex(each["msg"]!));
          assert.equal(text(again), text(sealed), id);
        } else {
          assert.equal(opened, undefined, id);
        }
      }
    });

    test(`${provider.name}: ${name} refuses every changed bit and every length`, () => {
      const [key, nonce, aad] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(3)];
      const aead = provider.aead(name, key);
      const sealed = seal(provider, name, key, nonce, aad, Uint8Array.of(1, 2, 3));
      for (let bit = 0; bit < sealed.length * 8; bit++) {
        const forged = sealed.slice();
        forged[bit >> 3]! ^= 1 << (bit & 7);
        assert.equal(aead.open(nonce, aad, forged), undefined);
      }
      for (let length = 0; length < sealed.length; length++) {
        assert.equal(aead.open(nonce, aad, sealed.subarray(0, length)), undefined);
      }
      assert.equal(aead.open(nonce, new Uint8Array(4), sealed), undefined);
      assert.deepEqual(aead.open(nonce, aad, sealed), Uint8Array.of(1, 2, 3));
    });

    test(`${provider.name}: ${name} copies its key, gives plain memory and ends with destroy`, () => {
      const key = new Uint8Array(32).fill(1);
      const [nonce, aad] = [new Uint8Array(12), new Uint8Array(0)];
      const aead = provider.aead(name, key);
      const sealed = seal(provider, name, key, nonce, aad, new Uint8Array(100));
      key.fill(0);
      const opened = aead.open(nonce, aad, sealed)!;
      assert.equal(Object.getPrototypeOf(opened), Uint8Array.prototype);
      opened.fill(9);
      assert.deepEqual(aead.open(nonce, aad, sealed), new Uint8Array(100));
      assert.deepEqual(
        aead.open(nonce, aad, seal(provider, name, key.fill(1), nonce, aad, aad)),
        aad,
      );
      aead.destroy();
      assert.throws(() => aead.open(nonce, aad, sealed), SttError);
      assert.throws(() => aead.sealInPlace(nonce, aad, new Uint8Array(16), 0, 0), SttError);
    });

    test(`${provider.name}: ${name} refuses misuse`, () => {
      const aead = provider.aead(name, new Uint8Array(32));
      const empty = new Uint8Array(0);
      assert.throws(() => provider.aead(name, new Uint8Array(16)), SttError);
      assert.throws(() => aead.open(new Uint8Array(8), empty, new Uint8Array(16)), SttError);
      const nonce = new Uint8Array(12);
      assert.throws(() => aead.sealInPlace(nonce, empty, new Uint8Array(20), 0, 5), SttError);
      assert.throws(() => aead.sealInPlace(nonce, empty, new Uint8Array(40), 9, 5), SttError);
    });
  }

  test(`${provider.name}: Wycheproof X25519, low-order points give undefined`, () => {
    // "acceptable" are odd spellings, points of the twist and of low order: the first two are computed as RFC 7748 says,
    // a secret of zero is refused (SPEC 6.2.7).
    let zeros = 0;
    for (const each of wycheproof("x25519", () => true, 518)) {
      const id = `tcId ${each["tcId"]}`;
      const shared = provider.x25519(hex(each["private"]!)).agree(hex(each["public"]!));
      if (/^0*$/.test(each["shared"]!)) {
        zeros++;
        assert.equal(shared, undefined, id);
      } else {
        assert.equal(shared && text(shared), each["shared"], id);
      }
    }
    assert.ok(zeros > 20);
  });

  test(`${provider.name}: X25519 keys copy what they are given and end with destroy`, () => {
    const raw = provider.randomBytes(32);
    const key = provider.x25519(raw);
    const same = provider.x25519(raw);
    raw.fill(0);
    const peer = provider.x25519();
    assert.notDeepEqual(peer.publicKey, provider.x25519().publicKey);
    assert.deepEqual(key.agree(peer.publicKey), peer.agree(same.publicKey));
    assert.equal(Object.getPrototypeOf(key.agree(peer.publicKey)), Uint8Array.prototype);
    for (const length of [0, 31, 33]) assert.equal(key.agree(new Uint8Array(length)), undefined);
    assert.throws(() => provider.x25519(new Uint8Array(31)), SttError);
    key.destroy();
    assert.throws(() => key.agree(peer.publicKey), SttError);
    assert.ok(same.agree(peer.publicKey));
  });

  test(`${provider.name}: equal, randomBytes and plain memory`, () => {
    const bytes = provider.randomBytes(32);
    assert.equal(provider.equal(bytes, bytes.slice()), true);
    assert.equal(provider.equal(bytes, bytes.subarray(1)), false);
    assert.equal(provider.equal(bytes, bytes.map((byte, i) => i === 31 ? byte ^ 1 : byte)), false);
    assert.equal(provider.equal(new Uint8Array(0), new Uint8Array(0)), true);
    assert.equal(provider.randomBytes(0).length, 0);
    assert.equal(provider.randomBytes(65_536).length, 65_536);
    assert.notDeepEqual(provider.randomBytes(32), bytes);
    for (const length of [-1, 0.5, 65_537]) {
      assert.throws(() => provider.randomBytes(length), SttError);
    }
    for (const each of [bytes, provider.sha256(bytes), provider.hmacSha256(bytes, bytes)]) {
      assert.equal(Object.getPrototypeOf(each), Uint8Array.prototype);
    }
  });

  test(`${provider.name}: scrypt of RFC 7914, section 12`, async () => {
    const utf8 = new TextEncoder();
    const derived = await provider.scrypt(utf8.encode(""), utf8.encode(""), {
      N: 16,
      r: 1,
      p: 1,
      length: 64,
    });
    assert.equal(
      text(derived),
      "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442" +
        "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906",
    );
  });

  test(`${provider.name}: Wycheproof HMAC-SHA256`, () => {
    for (const each of wycheproof("hmac_sha256", () => true, 174)) {
      const mac = provider.hmacSha256(hex(each["key"]!), hex(each["msg"]!));
      const tag = hex(each["tag"]!);
      const matches = provider.equal(mac.subarray(0, Number(each["tagSize"]) / 8), tag);
      assert.equal(matches, each["result"] === "valid", `tcId ${each["tcId"]}`);
    }
  });

  test(`${provider.name}: Wycheproof HKDF-SHA256`, () => {
    for (const each of wycheproof("hkdf_sha256", () => true, 86)) {
      const prk = hkdfExtract(provider, hex(each["salt"]!), hex(each["ikm"]!));
      const [info, size] = [hex(each["info"]!), Number(each["size"])];
      // In two steps of HMAC, and in the one call that a library may have.
      const runs = [
        () => hkdfExpand(provider, prk, info, size),
        () => hkdfSalted(provider, hex(each["salt"]!), hex(each["ikm"]!), info, size),
      ];
      for (const run of runs) {
        const id = `tcId ${each["tcId"]}`;
        if (each["result"] === "valid") assert.equal(text(run()), each["okm"], id);
        else assert.throws(run, SttError, id);
      }
    }
  });
}

test("the providers agree on random input", () => {
  const [node, noble] = PROVIDERS as [CryptoProvider, CryptoProvider];
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  fc.assert(fc.property(
    bytes(32),
    bytes(12),
    fc.uint8Array({ maxLength: 80 }),
    fc.uint8Array({ maxLength: 2000 }),
    (key, nonce, aad, plaintext) => {
      for (const name of AEADS) {
        const sealed = seal(node, name, key, nonce, aad, plaintext);
        assert.deepEqual(seal(noble, name, key, nonce, aad, plaintext), sealed);
        for (const provider of PROVIDERS) {
          assert.deepEqual(provider.aead(name, key).open(nonce, aad, sealed), plaintext);
        }
      }
      assert.deepEqual(noble.sha256(aad, plaintext), node.sha256(aad, plaintext));
      assert.deepEqual(noble.hmacSha256(aad, key, plaintext), node.hmacSha256(aad, key, plaintext));
    },
  ));
  fc.assert(
    fc.property(bytes(32), bytes(32), (ours, theirs) => {
      const [a, b] = [node.x25519(ours), noble.x25519(ours)];
      assert.deepEqual(b.publicKey, a.publicKey);
      assert.deepEqual(b.agree(theirs), a.agree(theirs));
    }),
    { numRuns: 30 },
  );
});
