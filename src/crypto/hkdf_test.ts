import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hkdfSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { hkdf, HKDF_MAX_BYTES, hkdfExpand, hkdfExtract, hkdfSalted } from "./hkdf.ts";
import { nobleProvider } from "./noble_provider.ts";
import { nodeProvider } from "./node_provider.ts";

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const range = (from: number, to: number): Uint8Array =>
  Uint8Array.from({ length: to - from + 1 }, (_, i) => from + i);

// RFC 5869, appendix A.1 to A.3 (the others use SHA-1).
const CASES = [
  {
    name: "A.1",
    ikm: new Uint8Array(22).fill(0x0b),
    salt: range(0x00, 0x0c),
    info: range(0xf0, 0xf9),
    prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
    okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
  },
  {
    name: "A.2",
    ikm: range(0x00, 0x4f),
    salt: range(0x60, 0xaf),
    info: range(0xb0, 0xff),
    prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
    okm: "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c" +
      "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71" +
      "cc30c58179ec3e87c14c01d5c1f3434f1d87",
  },
  {
    name: "A.3",
    ikm: new Uint8Array(22).fill(0x0b),
    salt: new Uint8Array(0),
    info: new Uint8Array(0),
    prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
    okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
  },
];

test("a provider's own HKDF is that of its HMACs", () => {
  const { hkdfSha256, ...hmacOnly } = nodeProvider();
  const own = { ...hmacOnly, hkdfSha256: hkdfSha256 ?? nodeHkdf };
  const array = fc.uint8Array({ maxLength: 70 });
  fc.assert(fc.property(array, array, array, fc.nat(300), (salt, ikm, info, length) => {
    const wanted = hkdfSalted(hmacOnly, salt, ikm, info, length);
    assert.deepEqual(hkdfSalted(own, salt, ikm, info, length), wanted);
  }));
  for (const length of [-1, 0.5, NaN, HKDF_MAX_BYTES + 1]) {
    const salt = new Uint8Array(32);
    assert.throws(() => hkdfSalted(own, salt, salt, salt, length), SttError);
    assert.throws(() => hkdfSalted(hmacOnly, salt, salt, salt, length), SttError);
  }
});

function nodeHkdf(
  salt: Uint8Array,
  ikm: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  // Node 22.23, 24.21 and 26 refuse to derive no bytes.
  return length === 0
    ? new Uint8Array(0)
    : new Uint8Array(hkdfSync("sha256", ikm, salt, info, length));
}

for (const provider of [nodeProvider(), nobleProvider()]) {
  for (const { name, ikm, salt, info, prk, okm } of CASES) {
    test(`${provider.name}: RFC 5869, ${name}`, () => {
      assert.equal(text(hkdfExtract(provider, salt, ikm)), prk);
      assert.equal(text(hkdfExpand(provider, hex(prk), info, okm.length / 2)), okm);
    });
  }

  test(`${provider.name}: the protocol's HKDF is that of node:crypto with salt "STT/1"`, () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1 }),
        fc.string({ maxLength: 30 }),
        fc.nat(300),
        (ikm, info, length) => {
          const bytes = new TextEncoder().encode(info);
          const expected = nodeHkdf(new TextEncoder().encode("STT/1"), ikm, bytes, length);
          assert.deepEqual(hkdf(provider, ikm, info, length), expected);
          assert.deepEqual(hkdf(provider, ikm, bytes, length), expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  test(`${provider.name}: lengths from 0 to 8160 and no further`, () => {
    const prk = new Uint8Array(32);
    assert.equal(hkdfExpand(provider, prk, "", 0).length, 0);
    assert.equal(hkdfExpand(provider, prk, "", HKDF_MAX_BYTES).length, 8160);
    for (const length of [-1, 0.5, NaN, HKDF_MAX_BYTES + 1]) {
      assert.throws(() => hkdfExpand(provider, prk, "", length), SttError);
    }
  });
}
