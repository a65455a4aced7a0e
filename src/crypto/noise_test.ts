import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import { CipherState } from "./cipher_state.ts";
import { nobleProvider } from "./noble_provider.ts";
import { hkdfSalted } from "./hkdf.ts";
import { nodeProvider } from "./node_provider.ts";
import { NoiseHandshake, type NoiseOptions, type NoiseRole } from "./noise.ts";
import { parseNoiseProtocol } from "./patterns.ts";
import type { CryptoProvider } from "./provider.ts";

interface Vector {
  readonly protocol_name: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
  readonly [field: string]: unknown;
}

const EMPTY = new Uint8Array(0);

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString("hex");

const file = new URL("../../vectors/noise/noise.json", import.meta.url);
const vectors = (JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] }).vectors;

function side(provider: CryptoProvider, vector: Vector, role: NoiseRole): NoiseHandshake {
  const [ours, other] = role === "initiator" ? ["init", "resp"] : ["resp", "init"];
  const field = (name: string) => vector[name] as string | undefined;
  const { preMessages } = parseNoiseProtocol(vector.protocol_name);
  const s = field(`${ours}_static`);
  // Some vectors leave the known remote key to be taken from the other side's private key.
  const known = preMessages[role === "initiator" ? "responder" : "initiator"];
  const rs = known && provider.x25519(hex(field(`${other}_static`)!)).publicKey;
  const given = field(`${ours}_remote_static`);
  if (given !== undefined) assert.equal(text(rs || undefined), given);
  return new NoiseHandshake({
    provider,
    protocolName: vector.protocol_name,
    role,
    prologue: hex(field(`${ours}_prologue`)!),
    e: provider.x25519(hex(field(`${ours}_ephemeral`)!)),
    psks: ((vector[`${ours}_psks`] ?? []) as string[]).map(hex),
    ...(s === undefined ? {} : { s: provider.x25519(hex(s)) }),
    ...(rs ? { rs } : {}),
  });
}

test("the vectors are all there", () => assert.equal(vectors.length, 28));

for (const provider of [nodeProvider(), nobleProvider()]) {
  for (const [index, vector] of vectors.entries()) {
    test(`${provider.name}: Noise vector ${index}, ${vector.protocol_name}`, () => {
      const sides = [
        side(provider, vector, "initiator"),
        side(provider, vector, "responder"),
      ] as const;
      const { messages, aead } = parseNoiseProtocol(vector.protocol_name);
      for (const [i, message] of vector.messages.slice(0, messages.length).entries()) {
        const [writer, reader] = i % 2 === 0 ? sides : [sides[1], sides[0]];
        const written = writer.writeMessage(hex(message.payload));
        assert.equal(text(written), message.ciphertext);
        assert.equal(text(reader.readMessage(written)), message.payload);
      }
      assert.deepEqual(sides[0].handshakeHash, sides[1].handshakeHash);
      if (vector.handshake_hash !== undefined) {
        assert.equal(text(sides[0].handshakeHash), vector.handshake_hash);
      }
      const keys = sides.map((each) => each.split());
      assert.deepEqual(keys[0], keys[1]);
      const [senders, receivers] = keys.map((pair) =>
        pair.map((key) => new CipherState(provider, aead, key))
      ) as [CipherState[], CipherState[]];
      for (const [i, message] of vector.messages.slice(messages.length).entries()) {
        const direction = (messages.length + i) % 2;
        const sealed = senders[direction]!.encrypt(EMPTY, hex(message.payload));
        assert.equal(text(sealed), message.ciphertext);
        assert.equal(text(receivers[direction]!.decrypt(EMPTY, sealed)), message.payload);
      }
    });
  }
}

const provider = nodeProvider();
const STT = "Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256";
const PSK = new Uint8Array(32).fill(1);
const PAIR_KEY = new Uint8Array(32).fill(2);

interface Pair {
  readonly alice: NoiseHandshake;
  readonly bob: NoiseHandshake;
  readonly aliceStatic: Uint8Array;
}

function pair(more: { alice?: Partial<NoiseOptions>; bob?: Partial<NoiseOptions> } = {}): Pair {
  const common = { provider, protocolName: STT, prologue: EMPTY, psks: [PSK, PSK] };
  const s = provider.x25519();
  return {
    alice: new NoiseHandshake({ ...common, role: "initiator", s, ...more.alice }),
    bob: new NoiseHandshake({
      ...common,
      role: "responder",
      s: provider.x25519(),
      ...more.bob,
    }),
    aliceStatic: s.publicKey,
  };
}

function isInternal(error: unknown): boolean {
  return error instanceof SttError && error.code === "INTERNAL";
}

function isConfig(error: unknown): boolean {
  return error instanceof SttError && error.code === "CONFIG";
}

test("a message with any bit changed, cut or lengthened leaves the state as it was", () => {
  const { alice, bob } = pair();
  const payload = Uint8Array.of(1, 2, 3);
  for (let i = 0; i < 3; i++) {
    const [writer, reader] = i % 2 === 0 ? [alice, bob] : [bob, alice];
    const message = writer.writeMessage(payload);
    const hash = reader.handshakeHash;
    const remoteStatic = reader.remoteStatic;
    for (let byte = 0; byte < message.length; byte++) {
      const forged = message.slice();
      forged[byte]! ^= 1 << (byte % 8);
      assert.equal(reader.readMessage(forged), undefined);
      assert.equal(reader.readMessage(message.subarray(0, byte)), undefined);
    }
    assert.equal(reader.readMessage(new Uint8Array([...message, 0])), undefined);
    assert.equal(reader.readMessage(new Uint8Array(65_536)), undefined);
    assert.equal(reader.readMessage(message, Uint8Array.of(0)), undefined);
    assert.deepEqual(reader.handshakeHash, hash);
    assert.deepEqual(reader.remoteStatic, remoteStatic);
    assert.deepEqual(reader.readMessage(message), payload);
  }
  assert.ok(alice.finished && bob.finished);
  assert.deepEqual(alice.split(3), bob.split(3));
});

test("an all-zero Diffie-Hellman result is refused on reading and on writing", () => {
  const zero = new Uint8Array(32);
  const name = "Noise_NN_25519_AESGCM_SHA256";
  const { alice, bob } = pair({
    alice: { protocolName: name, psks: [] },
    bob: { protocolName: name, psks: [] },
  });
  const first = alice.writeMessage(EMPTY);
  const before = alice.handshakeHash;
  assert.equal(alice.readMessage(new Uint8Array(48)), undefined);
  assert.deepEqual(alice.handshakeHash, before);
  const forged = bob.clone();
  assert.deepEqual(forged.readMessage(zero), EMPTY);
  const hash = forged.handshakeHash;
  assert.throws(
    () => forged.writeMessage(EMPTY),
    (error) => error instanceof SttError && error.code === "CRYPTO",
  );
  assert.deepEqual(forged.handshakeHash, hash);
  bob.readMessage(first);
  assert.deepEqual(alice.readMessage(bob.writeMessage(EMPTY)), EMPTY);
});

test("the listener looks the last psk up by the static key that message 3 carries", () => {
  const seen: Uint8Array[] = [];
  let key = PSK;
  const { alice, bob, aliceStatic } = pair({
    alice: { psks: [PSK, PAIR_KEY] },
    bob: {
      psks: [PSK],
      onRemoteStatic: (publicKey) => {
        seen.push(publicKey);
        bob.setPsk(1, key);
      },
    },
  });
  bob.readMessage(alice.writeMessage(EMPTY));
  alice.readMessage(bob.writeMessage(EMPTY));
  const proof = alice.writeMessage(EMPTY);
  // The key set for a message that fails goes away with it.
  assert.equal(bob.readMessage(proof), undefined);
  assert.equal(bob.remoteStatic, undefined);
  key = PAIR_KEY;
  assert.deepEqual(bob.readMessage(proof), EMPTY);
  assert.deepEqual(seen, [aliceStatic, aliceStatic]);
  assert.deepEqual(bob.remoteStatic, aliceStatic);
  assert.deepEqual(bob.split(), alice.split());
});

test("a psk that nobody set is an error of the caller and changes nothing", () => {
  const { alice, bob } = pair({ bob: { psks: [PSK] } });
  bob.readMessage(alice.writeMessage(EMPTY));
  alice.readMessage(bob.writeMessage(EMPTY));
  const proof = alice.writeMessage(EMPTY);
  assert.throws(() => bob.readMessage(proof), isInternal);
  bob.setPsk(1, PSK);
  assert.deepEqual(bob.readMessage(proof), EMPTY);
});

test("bound data are part of the handshake, one way or the other", () => {
  const { alice, bob } = pair();
  const data = Uint8Array.of(1, 2, 3);
  bob.mixHash(data);
  const first = alice.writeMessage(EMPTY, data);
  assert.deepEqual(bob.readMessage(first), EMPTY);
  const second = bob.writeMessage(EMPTY, data);
  assert.equal(alice.readMessage(second), undefined);
  assert.deepEqual(alice.readMessage(second, data), EMPTY);
});

test("a clone goes its own way, whichever of the two is destroyed", () => {
  const { alice, bob } = pair();
  const first = alice.writeMessage(EMPTY);
  const original = alice.clone();
  bob.readMessage(first);
  const second = bob.writeMessage(EMPTY);
  alice.mixHash(EMPTY);
  alice.destroy();
  assert.deepEqual(original.readMessage(second), EMPTY);
  const proof = original.clone().writeMessage(EMPTY);
  original.destroy();
  assert.deepEqual(bob.readMessage(proof), EMPTY);
});

test("the given ephemeral key is destroyed with the last handshake that holds it", () => {
  const e = provider.x25519();
  const { alice } = pair({ alice: { e } });
  const message = alice.writeMessage(EMPTY);
  assert.deepEqual(message.subarray(0, 32), e.publicKey);
  const copy = alice.clone();
  alice.destroy();
  alice.destroy();
  assert.ok(e.agree(provider.x25519().publicKey));
  copy.destroy();
  assert.throws(() => e.agree(provider.x25519().publicKey), isInternal);
});

test("turns are kept and a destroyed handshake does nothing", () => {
  const { alice, bob } = pair();
  assert.throws(() => bob.writeMessage(EMPTY), isInternal);
  assert.throws(() => alice.readMessage(EMPTY), isInternal);
  assert.throws(() => alice.split(), isInternal);
  assert.throws(() => alice.writeMessage(new Uint8Array(65_536)), isInternal);
  bob.readMessage(alice.writeMessage(EMPTY));
  assert.throws(() => alice.writeMessage(EMPTY), isInternal);
  alice.destroy();
  assert.throws(() => alice.readMessage(EMPTY), isInternal);
  assert.throws(() => alice.mixHash(EMPTY), isInternal);
  assert.throws(() => alice.clone(), isInternal);
  assert.throws(() => alice.setPsk(0, PSK), isInternal);
  assert.equal(alice.handshakeHash.length, 32);
});

test("split gives as many keys as wanted, the first two always the same", () => {
  const { alice, bob } = pair();
  bob.readMessage(alice.writeMessage(EMPTY));
  alice.readMessage(bob.writeMessage(EMPTY));
  bob.readMessage(alice.writeMessage(EMPTY));
  const three = alice.split(3);
  assert.deepEqual(three.map((key) => key.length), [32, 32, 32]);
  assert.equal(new Set(three.map(text)).size, 3);
  assert.deepEqual(bob.split(), three.slice(0, 2));
  assert.equal(bob.split(255).length, 255);
  for (const outputs of [0, 1.5, 256]) assert.throws(() => bob.split(outputs), isInternal);
});

test("wrong keys are refused before anything is sent", () => {
  const short = new Uint8Array(31);
  const refused: Partial<NoiseOptions>[] = [
    { psks: [short] },
    { psks: [PSK, PSK, PSK] },
    { rs: new Uint8Array(32) },
    { protocolName: "Noise_KK_25519_AESGCM_SHA256", psks: [] },
    { protocolName: "Noise_KK_25519_AESGCM_SHA256", psks: [], rs: short },
  ];
  for (const options of refused) assert.throws(() => pair({ alice: options }), isConfig);
  const common = { provider, protocolName: STT, prologue: EMPTY };
  for (const role of ["initiator", "responder"] as const) {
    assert.throws(() => new NoiseHandshake({ ...common, role }), isConfig);
  }
  const { alice } = pair();
  assert.throws(() => alice.setPsk(0, short), isConfig);
  for (const index of [-1, 2, 0.5]) assert.throws(() => alice.setPsk(index, PSK), isInternal);
});

test("names that are malformed or unknown are refused", () => {
  const names = [
    "",
    "Noise_XX_25519_ChaChaPoly_SHA512",
    "Noise_XX_448_ChaChaPoly_SHA256",
    "Noise_XX_25519_chachapoly_SHA256",
    "Noise_ZZ_25519_ChaChaPoly_SHA256",
    "Noise_XXfallback_25519_ChaChaPoly_SHA256",
    "Noise_XXpsk4_25519_ChaChaPoly_SHA256",
    "Noise_XXpsk3+psk0_25519_ChaChaPoly_SHA256",
    "Noise_XXpsk0+psk0_25519_ChaChaPoly_SHA256",
    "Noise_XXpsk_25519_ChaChaPoly_SHA256",
    "Noise_XX_25519_ChaChaPoly_SHA256 ",
  ];
  for (const name of names) assert.throws(() => parseNoiseProtocol(name), isConfig, name);
  assert.deepEqual(
    parseNoiseProtocol("Noise_XXpsk0+psk1+psk2+psk3_25519_AESGCM_SHA256").messages,
    [["psk", "e", "psk"], ["e", "ee", "s", "es", "psk"], ["s", "se", "psk"]],
  );
});

test("a cipher state counts only what verifies, and copies keep their own count", () => {
  const key = () => new Uint8Array(32).fill(5);
  const sender = new CipherState(provider, "aes-256-gcm", key());
  const receiver = new CipherState(provider, "aes-256-gcm", key());
  const first = sender.encrypt(EMPTY, PSK);
  const second = sender.encrypt(EMPTY, PSK);
  assert.notDeepEqual(first, second);
  assert.equal(receiver.decrypt(EMPTY, second), undefined);
  const copy = receiver.clone();
  assert.deepEqual(receiver.decrypt(EMPTY, first), PSK);
  assert.deepEqual(receiver.decrypt(EMPTY, second), PSK);
  receiver.destroy();
  assert.equal(receiver.hasKey, false);
  assert.deepEqual(copy.decrypt(EMPTY, first), PSK);
  assert.throws(() => new CipherState(provider, "aes-256-gcm", new Uint8Array(16)), isInternal);
});

/** That no Diffie-Hellman result, chaining key or cipher key is left in memory after destroy. */
function assertWiped(wholeHkdf: CryptoProvider["hkdfSha256"]): void {
  const derived: Uint8Array[] = [];
  const kept = (bytes: Uint8Array | undefined): Uint8Array => {
    derived.push(bytes!);
    return bytes!;
  };
  const watching: CryptoProvider = {
    ...hmacOnly,
    ...(wholeHkdf === undefined ? {} : {
      hkdfSha256: (salt, ...rest) => kept(wholeHkdf(kept(salt), ...rest)),
    }),
    hmacSha256: (key, ...parts) => kept(provider.hmacSha256(kept(key), ...parts)),
    aead: (name, key) => provider.aead(name, kept(key)),
    x25519: (raw) => {
      const key = provider.x25519(raw);
      return {
        publicKey: key.publicKey,
        agree: (publicKey) => kept(key.agree(publicKey)),
        destroy: () => key.destroy(),
      };
    },
  };
  const { alice, bob } = pair({
    alice: { provider: watching, s: watching.x25519() },
    bob: { provider: watching, s: watching.x25519() },
  });
  const first = alice.writeMessage(EMPTY);
  assert.equal(bob.readMessage(first.map((byte) => byte ^ 1)), undefined);
  bob.readMessage(first);
  alice.readMessage(bob.writeMessage(EMPTY));
  bob.readMessage(alice.writeMessage(EMPTY));
  alice.clone().destroy();
  for (const handshake of [alice, bob]) {
    for (const key of handshake.split(3)) key.fill(0);
    handshake.destroy();
  }
  assert.ok(derived.length > (wholeHkdf === undefined ? 100 : 40), `${derived.length}`);
  // Noise 5.2: the first chaining key is the hash of the name, which everybody knows.
  const name = provider.sha256(new TextEncoder().encode(STT));
  const left = derived.filter((bytes) => bytes.some((byte) => byte !== 0));
  assert.deepEqual(left.filter((bytes) => !provider.equal(bytes, name)), []);
}

const { hkdfSha256: _, ...hmacOnly } = provider;

test("after destroy no secret is left in memory, where HKDF is made of HMACs", () => {
  assertWiped(undefined);
});

test("after destroy no secret is left in memory, where the provider has HKDF", () => {
  assertWiped((salt, ikm, info, length) => hkdfSalted(hmacOnly, salt, ikm, info, length));
});
