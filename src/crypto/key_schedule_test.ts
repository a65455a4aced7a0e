import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { SttError } from "../errors.ts";
import {
  confirmation,
  epochKeys,
  resetToken,
  seedKeys,
  sessionSecrets,
  staticKey,
} from "./key_schedule.ts";
import { nobleProvider } from "./noble_provider.ts";
import { nodeProvider } from "./node_provider.ts";
import { NoiseHandshake, type NoiseRole } from "./noise.ts";
import type { CryptoProvider } from "./provider.ts";

interface Side {
  readonly node_seed: string;
  readonly static_private: string;
  readonly node_id: string;
  readonly ephemeral_private: string;
  readonly nonce: string;
}

interface Message {
  readonly fields: Readonly<Record<string, { readonly bytes?: string }>>;
  readonly value: string;
}

interface Epoch {
  readonly secret: string;
  readonly key: string;
  readonly iv: string;
}

interface Case {
  readonly name: string;
  readonly noise: string;
  readonly shared_seed: string;
  readonly pair_key: string | null;
  readonly initiator: Side;
  readonly responder: Side;
  readonly messages: Readonly<Record<"HELLO" | "RESPONSE" | "AUTH_PROOF" | "FINAL", Message>>;
  readonly derived: Readonly<Record<string, string>>;
  readonly export: {
    readonly label: string;
    readonly context: string;
    readonly length: number;
    readonly output: string;
  };
  readonly epochs: Readonly<Record<"i2r" | "r2i", readonly Epoch[]>>;
}

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString("hex");

const file = new URL("../../vectors/stt1/handshake.json", import.meta.url);
const vectors = JSON.parse(readFileSync(file, "utf8")) as {
  readonly cases: readonly Case[];
  readonly retries: readonly { readonly shared_seed?: string; readonly retry_key?: string }[];
};

function noise(provider: CryptoProvider, vector: Case, role: NoiseRole): NoiseHandshake {
  const { node_seed, ephemeral_private } = vector[role];
  const { psk0, psk3, prologue } = vector.derived;
  return new NoiseHandshake({
    provider,
    protocolName: vector.noise,
    role,
    prologue: hex(prologue!),
    s: staticKey(provider, hex(node_seed)),
    e: provider.x25519(hex(ephemeral_private)),
    psks: [hex(psk0!), hex(psk3!)],
  });
}

const bytesOf = (message: Message, field: string): string => message.fields[field]!.bytes!;

/** FINAL's canonical dict without `confirmation`, its first entry: one entry less, 35 bytes shorter. */
function finalWithoutConfirmation(vector: Case): Uint8Array {
  const entry = `310000000c${text(new TextEncoder().encode("confirmation"))}3000000010` +
    vector.derived["confirmation"]!;
  const value = vector.messages.FINAL.value;
  assert.ok(value.startsWith(`4100000004${entry}`));
  return hex(`4100000003${value.slice(10 + entry.length)}`);
}

for (const provider of [nodeProvider(), nobleProvider()]) {
  for (const vector of vectors.cases) {
    test(`${provider.name}: keys of seeds, "${vector.name}"`, () => {
      const { derived } = vector;
      const keys = seedKeys(provider, hex(vector.shared_seed));
      assert.equal(text(keys.psk), derived["psk"]);
      assert.equal(text(keys.psk), derived["psk0"]);
      assert.equal(vector.pair_key ?? text(keys.psk), derived["psk3"]);
      assert.equal(text(keys.seedIdKey), derived["seed_id_key"]);
      assert.equal(text(keys.seedId(hex(vector.initiator.nonce))), derived["seed_id"]);
      for (const role of ["initiator", "responder"] as const) {
        const { node_seed, static_private, node_id, ephemeral_private, nonce } = vector[role];
        assert.equal(text(staticKey(provider, hex(node_seed)).publicKey), node_id);
        assert.equal(text(provider.x25519(hex(static_private)).publicKey), node_id);
        assert.equal(text(provider.x25519(hex(ephemeral_private)).publicKey), nonce);
        const token = resetToken(provider, hex(node_seed), hex(derived["session_id"]!));
        assert.equal(text(token), derived[`reset_${role}`]);
      }
    });

    test(`${provider.name}: handshake and session secrets, "${vector.name}"`, () => {
      const { derived, messages } = vector;
      const [alice, bob] = [
        noise(provider, vector, "initiator"),
        noise(provider, vector, "responder"),
      ];
      assert.equal(text(alice.handshakeHash), derived["h_prologue"]);
      const steps = [
        [vector.initiator.nonce + bytesOf(messages.HELLO, "commitment"), "", undefined],
        [
          vector.responder.nonce + bytesOf(messages.RESPONSE, "challenge"),
          derived["payload_2"]!,
          hex(derived["mix_2"]!),
        ],
        [bytesOf(messages.AUTH_PROOF, "proof"), derived["payload_3"]!, hex(derived["mix_3"]!)],
      ] as const;
      for (const [i, [message, payload, bind]] of steps.entries()) {
        const [writer, reader] = i % 2 === 0 ? [alice, bob] : [bob, alice];
        assert.equal(text(writer.writeMessage(hex(payload), bind)), message);
        assert.equal(text(reader.readMessage(hex(message), bind)), payload);
        assert.equal(text(reader.handshakeHash), derived[`h_${i + 1}`]);
      }
      assert.equal(text(bob.remoteStatic), vector.initiator.node_id);
      assert.equal(text(alice.remoteStatic), vector.responder.node_id);
      const outputs = alice.split(3);
      assert.deepEqual(outputs.map(text), [derived["out1"], derived["out2"], derived["out3"]]);
      const h = alice.handshakeHash;
      const secrets = sessionSecrets(provider, outputs, h);
      assert.ok(outputs.every((output) => output.every((byte) => byte === 0)));
      assert.equal(text(secrets.i2r), derived["traffic_i2r"]);
      assert.equal(text(secrets.r2i), derived["traffic_r2i"]);
      assert.equal(text(secrets.final), derived["final"]);
      assert.equal(text(secrets.exporter), derived["exporter"]);
      assert.equal(text(secrets.handshakeHash), derived["h_3"]);
      const { label, context, length, output } = vector.export;
      assert.equal(text(secrets.export(label, hex(context), length)), output);
      const value = finalWithoutConfirmation(vector);
      assert.equal(text(confirmation(provider, secrets.final, h, value)), derived["confirmation"]);
    });

    test(`${provider.name}: epochs, "${vector.name}"`, () => {
      for (const direction of ["i2r", "r2i"] as const) {
        let secret = hex(vector.derived[`traffic_${direction}`]!);
        for (const epoch of vector.epochs[direction]) {
          const { key, iv, next } = epochKeys(provider, secret);
          assert.equal(text(secret), epoch.secret);
          assert.equal(text(key), epoch.key);
          assert.equal(text(iv), epoch.iv);
          secret = next;
        }
      }
    });
  }

  test(`${provider.name}: keys of RETRY`, () => {
    const keyed = vectors.retries.filter((retry) => retry.retry_key !== undefined);
    assert.equal(keyed.length, 4);
    for (const { shared_seed, retry_key } of keyed) {
      assert.equal(text(seedKeys(provider, hex(shared_seed!)).retryKey), retry_key);
    }
  });

  test(`${provider.name}: seeds below 32 bytes are refused, longer ones are not`, () => {
    const short = new Uint8Array(31);
    const refused = (error: unknown) =>
      error instanceof SttError && error.code === "SEED" && error.limit === 32;
    assert.throws(() => seedKeys(provider, short), refused);
    assert.throws(() => staticKey(provider, short), refused);
    assert.throws(() => resetToken(provider, short, new Uint8Array(8)), refused);
    assert.equal(seedKeys(provider, new Uint8Array(1000)).psk.length, 32);
  });

  test(`${provider.name}: wiped keys are gone`, () => {
    const keys = seedKeys(provider, new Uint8Array(32).fill(1));
    keys.wipe();
    const zero = new Uint8Array(32);
    assert.deepEqual([keys.psk, keys.seedIdKey, keys.retryKey], [zero, zero, zero]);
    const outputs = () => [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
    assert.throws(() => sessionSecrets(provider, outputs().slice(1), zero), SttError);
    const secrets = sessionSecrets(provider, outputs(), zero.slice());
    const { final, exporter, i2r } = secrets;
    secrets.wipeTraffic();
    for (const name of ["i2r", "r2i"] as const) assert.throws(() => secrets[name], SttError);
    assert.notDeepEqual(secrets.final, zero);
    secrets.wipe();
    assert.deepEqual([final, exporter], [zero, zero]);
    assert.notDeepEqual(i2r, zero);
    assert.throws(() => secrets.i2r, SttError);
    assert.throws(() => secrets.export("x", zero, 1), SttError);
    assert.equal(secrets.handshakeHash.length, 32);
  });

  test(`${provider.name}: exports differ by label and context and keep to 8160 bytes`, () => {
    const outputs = [1, 2, 3].map((n) => new Uint8Array(32).fill(n));
    const secrets = sessionSecrets(provider, outputs, new Uint8Array(32));
    const exported = (label: string, context: string) =>
      text(secrets.export(label, new TextEncoder().encode(context), 32));
    const all = [exported("a", ""), exported("a", "b"), exported("ab", ""), exported("", "ab")];
    assert.equal(new Set(all).size, all.length);
    assert.equal(secrets.export("\u00e9", new Uint8Array(0), 8160).length, 8160);
    assert.throws(() => secrets.export("a", new Uint8Array(0), 8161), SttError);
  });
}
