import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { SttError } from "../errors.ts";
import { nobleProvider } from "./noble_provider.ts";
import { nodeProvider } from "./node_provider.ts";
import {
  generateSeed,
  parseSeed,
  seedFromBase64Url,
  seedFromHex,
  seedFromPassphrase,
} from "./seeds.ts";

const provider = nodeProvider();

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const file = new URL("../../vectors/stt1/handshake.json", import.meta.url);
const { passphrases } = JSON.parse(readFileSync(file, "utf8")) as {
  readonly passphrases: readonly {
    readonly passphrase: string;
    readonly network: string;
    readonly seed: string;
  }[];
};

function isSeedError(error: unknown): boolean {
  return error instanceof SttError && error.code === "SEED";
}

test("hexadecimal and base64url text of 32 bytes and more is read", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 32, maxLength: 100 }), (bytes) => {
    const base64Url = Buffer.from(bytes).toString("base64url");
    assert.deepEqual(seedFromHex(text(bytes)), bytes);
    assert.deepEqual(seedFromHex(text(bytes).toUpperCase()), bytes);
    assert.deepEqual(parseSeed(text(bytes)), bytes);
    assert.deepEqual(seedFromBase64Url(base64Url), bytes);
    if (!/^[0-9a-f]*$/i.test(base64Url)) assert.deepEqual(parseSeed(base64Url), bytes);
  }));
});

test("other text is refused without being repeated", () => {
  const secret = "0123456789abcdef".repeat(4);
  const refused = [
    "",
    " ",
    secret.slice(2),
    secret.slice(1),
    `${secret} `,
    `0x${secret}!`,
    `${secret}\n`,
    "A".repeat(42),
    `${"A".repeat(43)}=`,
    `${"A".repeat(42)}+`,
    `${"A".repeat(42)}/`,
    // Bits that belong to no byte.
    `${"A".repeat(42)}B`,
    // 4n + 1 characters.
    "z".repeat(45),
    "\u{1f511}".repeat(20),
    "z".repeat(50) + "\u0660",
  ];
  for (const input of refused) {
    for (const read of [parseSeed, seedFromHex, seedFromBase64Url]) {
      // Hexadecimal digits are base64url too, when asked to be.
      if (read === seedFromBase64Url && [secret.slice(2), secret.slice(1)].includes(input)) {
        continue;
      }
      assert.throws(() => read(input), (error) => {
        assert.ok(isSeedError(error));
        const { message, cause, stack } = error as Error;
        const shown = `${message} ${cause} ${stack}`;
        return input.trim() === "" || !shown.includes(input.slice(0, 12));
      });
    }
  }
});

test("generated seeds are 32 fresh bytes", () => {
  const seed = generateSeed(provider);
  assert.equal(seed.length, 32);
  assert.notDeepEqual(generateSeed(provider), seed);
});

test("passphrases give the seeds of the vectors", async () => {
  assert.equal(passphrases.length, 2);
  assert.ok(passphrases.some(({ passphrase }) => passphrase !== passphrase.normalize("NFD")));
  for (const { passphrase, network, seed } of passphrases) {
    // The decomposed spelling of a keyboard that makes letters and accents apart.
    const typed = passphrase.normalize("NFD");
    assert.equal(text(await seedFromPassphrase(typed, network, { provider })), seed);
  }
});

test("noble: a passphrase gives the seed of the vectors", async () => {
  const { passphrase, network, seed } = passphrases[0]!;
  const derived = await seedFromPassphrase(passphrase, network, { provider: nobleProvider() });
  assert.equal(text(derived), seed);
});

test("lengths of passphrases and names count code points of the normal form", async () => {
  const cheap = {
    ...provider,
    scrypt: (password: Uint8Array) => Promise.resolve(provider.sha256(password)),
  };
  const derive = (passphrase: string, name: string) =>
    seedFromPassphrase(passphrase, name, { provider: cheap });
  const accepted = [
    ["twelve chars", "8 places"],
    ["\u{1f511}".repeat(12), "\u{1f511}".repeat(8)],
    ["\u00e9".repeat(12), "e\u0301".repeat(8)],
  ] as const;
  for (const [passphrase, name] of accepted) {
    assert.equal((await derive(passphrase, name)).length, 32);
  }
  const refused = [
    ["eleven char", "8 places"],
    ["twelve chars", "7 place"],
    ["\u{1f511}".repeat(11), "8 places"],
    ["e\u0301".repeat(11), "8 places"],
    ["twelve chars\ud800", "8 places"],
    ["twelve chars", "8 places\udc00"],
    ["", ""],
  ] as const;
  for (const [passphrase, name] of refused) {
    await assert.rejects(derive(passphrase, name), (error) => {
      assert.ok(isSeedError(error));
      return passphrase === "" || !(error as Error).message.includes(passphrase);
    });
  }
});
