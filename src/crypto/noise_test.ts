import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CipherState } from "./cipher_state.ts";
import { nodeProvider } from "./node_provider.ts";
import { NoiseHandshake, type NoiseOptions, type NoiseRole } from "./noise.ts";
import { parseNoiseProtocol } from "./patterns.ts";

interface Vector {
  readonly protocol_name: string;
  readonly handshake_hash?: string;
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[];
  readonly [field: string]: unknown;
}

const hex = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "hex"));
const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes!).toString("hex");

const file = new URL("../../vectors/noise/noise.json", import.meta.url);
const vectors = (JSON.parse(readFileSync(file, "utf8")) as { vectors: Vector[] }).vectors;

const provider = nodeProvider();

function handshake(vector: Vector, role: NoiseRole): NoiseHandshake {
  const side = role === "initiator" ? "init" : "resp";
  const get = (field: string): Uint8Array | undefined => {
    const value = vector[`${side}_${field}`] as string | undefined;
    return value === undefined ? undefined : hex(value);
  };
  const s = get("static");
  return new NoiseHandshake({
    provider,
    protocolName: vector.protocol_name,
    role,
    prologue: get("prologue")!,
    e: provider.x25519(get("ephemeral")!),
    psks: ((vector[`${side}_psks`] ?? []) as string[]).map(hex),
    ...(s ? { s: provider.x25519(s) } : {}),
    ...remote(vector, role),
  } as NoiseOptions);
}

// A side's copy of the other's static key; some vectors leave it to be taken from the other's private key.
function remote(vector: Vector, role: NoiseRole): { rs?: Uint8Array } {
  const { preMessages } = parseNoiseProtocol(vector.protocol_name);
  if (!preMessages[role === "initiator" ? "responder" : "initiator"]) return {};
  const other = role === "initiator" ? "resp" : "init";
  return { rs: provider.x25519(hex(vector[`${other}_static`] as string)).publicKey };
}

vectors.forEach((vector, index) => {
  test(`noise vector ${index}: ${vector.protocol_name}`, () => {
    const sides = [handshake(vector, "initiator"), handshake(vector, "responder")] as const;
    const { messages, aead } = parseNoiseProtocol(vector.protocol_name);
    vector.messages.slice(0, messages.length).forEach((message, i) => {
      const written = sides[i % 2 as 0 | 1].writeMessage(hex(message.payload));
      assert.equal(text(written), message.ciphertext);
      assert.equal(text(sides[(i + 1) % 2 as 0 | 1].readMessage(written)), message.payload);
    });
    if (vector.handshake_hash !== undefined) {
      assert.equal(text(sides[0].handshakeHash), vector.handshake_hash);
    }
    const ciphers = sides.map((s) => s.split().map((key) => new CipherState(provider, aead, key)));
    vector.messages.slice(messages.length).forEach((message, i) => {
      const from = (messages.length + i) % 2;
      const sealed = ciphers[from]![from]!.encrypt(new Uint8Array(0), hex(message.payload));
      assert.equal(text(sealed), message.ciphertext);
      const opened = ciphers[1 - from]![from]!.decrypt(new Uint8Array(0), sealed);
      assert.equal(text(opened), message.payload);
    });
  });
});
