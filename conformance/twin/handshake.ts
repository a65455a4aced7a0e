/** SPEC 5 to 7: a whole handshake from its inputs, every intermediate value kept. @module */
import { ascii, concat, hex, unhex } from "./bytes.ts";
import {
  encodeFields,
  type Field,
  type Fields,
  handshakeFrame,
  toTypedDict,
  without,
} from "./messages.ts";
import { TwinNoise } from "./noise.ts";
import { expand, hkdf, hmac, publicKey, sha256 } from "./primitives.ts";
import { maskedId, resumedPsk } from "./tickets.ts";
import { encodeValue } from "./values.ts";

export interface SentKeys {
  readonly ephemeral?: string;
  readonly static?: string;
  /** The one of the two with which every agreement is all zero. */
  readonly low_order?: "e" | "s";
}

export interface Party {
  readonly node_seed: string;
  readonly static_private: string;
  readonly node_id: string;
  readonly alias: string;
  readonly ephemeral_private: string;
  readonly nonce: string;
  /** Sent in place of the public keys: for messages of an attacker, which the other side of this run may not take. */
  readonly sent_keys?: SentKeys;
  readonly suites: readonly number[];
  readonly versions: readonly number[];
  readonly capabilities: number;
  readonly payload: Fields;
}

/** The inputs of one handshake, in the notation of the data files. */
export interface HandshakeInputs {
  readonly suite: number;
  readonly shared_seed: string;
  readonly pair_key: string | null;
  readonly times: {
    readonly hello: string;
    readonly response: string;
    readonly auth_proof: string;
    readonly final: string;
  };
  readonly hello_extra: Fields;
  readonly cookie: string | null;
  readonly initiator: Party;
  readonly responder: Party;
  /** HELLO names it; it takes part unless `resumed` is false. */
  readonly ticket?: { readonly id: string; readonly secret: string };
  readonly resumed?: boolean;
}

export interface MessageData {
  readonly fields: Fields;
  readonly value: string;
  readonly frame: string;
}

export const NOISE_NAMES: Readonly<Record<number, string>> = {
  1: "Noise_XXpsk0+psk3_25519_ChaChaPoly_SHA256",
  2: "Noise_XXpsk0+psk3_25519_AESGCM_SHA256",
};

export interface SeedKeys {
  readonly psk: Uint8Array;
  readonly seedIdKey: Uint8Array;
  readonly retryKey: Uint8Array;
}

export function seedKeys(seed: Uint8Array): SeedKeys {
  return {
    psk: hkdf(seed, "stt1 psk", 32),
    seedIdKey: hkdf(seed, "stt1 seed id", 32),
    retryKey: hkdf(seed, "stt1 retry", 32),
  };
}

export function seedId(seed: Uint8Array, nonce: Uint8Array): Uint8Array {
  return hmac(seedKeys(seed).seedIdKey, nonce).slice(0, 8);
}

export function staticSecret(nodeSeed: Uint8Array): Uint8Array {
  return hkdf(nodeSeed, "stt1 static", 32);
}

export function resetToken(nodeSeed: Uint8Array, session: Uint8Array): Uint8Array {
  return hmac(hkdf(nodeSeed, "stt1 reset", 32), session).slice(0, 16);
}

export function sessionIdOf(initiator: Uint8Array, responder: Uint8Array): Uint8Array {
  return initiator.slice(0, 8).map((byte, i) => byte ^ (responder[i] as number));
}

export function prologueOf(hello: Fields): Uint8Array {
  const covered = encodeFields(without(hello, "commitment", "cookie"));
  return concat(ascii("STT/1"), Uint8Array.of(0), covered);
}

export function exportSecret(
  exporter: Uint8Array,
  label: string,
  context: Uint8Array,
  length: number,
): Uint8Array {
  return expand(expand(exporter, concat(ascii("app "), ascii(label)), 32), sha256(context), length);
}

export interface Schedule {
  readonly traffic_i2r: Uint8Array;
  readonly traffic_r2i: Uint8Array;
  readonly master: Uint8Array;
  readonly final: Uint8Array;
  readonly exporter: Uint8Array;
}

export function schedule(outputs: readonly Uint8Array[], hash: Uint8Array): Schedule {
  const [out1, out2, out3] = outputs as [Uint8Array, Uint8Array, Uint8Array];
  const master = expand(out3, concat(ascii("stt1 master"), hash), 32);
  return {
    traffic_i2r: expand(out1, concat(ascii("stt1 i2r"), hash), 32),
    traffic_r2i: expand(out2, concat(ascii("stt1 r2i"), hash), 32),
    master,
    final: expand(master, "stt1 final", 32),
    exporter: expand(master, "stt1 exporter", 32),
  };
}

export function confirmationOf(final: Uint8Array, hash: Uint8Array, fields: Fields): Uint8Array {
  return hmac(final, hash, encodeFields(without(fields, "confirmation"))).slice(0, 16);
}

export interface EpochKeys {
  readonly secret: Uint8Array;
  readonly key: Uint8Array;
  readonly iv: Uint8Array;
}

/** Keys of epoch `epoch` of a direction. */
export function epochKeys(traffic: Uint8Array, epoch: number): EpochKeys {
  let secret = traffic;
  for (let i = 0; i < epoch; i++) secret = expand(secret, "stt1 next", 32);
  return { secret, key: expand(secret, "stt1 key", 32), iv: expand(secret, "stt1 iv", 12) };
}

export interface HandshakeResult {
  readonly messages: Readonly<Record<"HELLO" | "RESPONSE" | "AUTH_PROOF" | "FINAL", MessageData>>;
  /** Everything the data call `derived`, as hex. */
  readonly derived: Readonly<Record<string, string>>;
  readonly secrets: Schedule;
  readonly hash: Uint8Array;
  readonly sessionId: Uint8Array;
  /** The Noise states as they were before each message was read, for refusals at that point. */
  readonly states: { readonly response: TwinNoise; readonly authProof: TwinNoise };
}

const optional = (text: string | undefined): Uint8Array | undefined =>
  text === undefined ? undefined : unhex(text);
const bytes = (data: Uint8Array): Field => ({ bytes: hex(data) });

function message(fields: Fields): MessageData {
  const value = encodeFields(fields);
  return { fields, value: hex(value), frame: hex(handshakeFrame(value)) };
}

export function runHandshake(input: HandshakeInputs): HandshakeResult {
  const { initiator, responder, times } = input;
  const seed = unhex(input.shared_seed);
  const { psk, seedIdKey } = seedKeys(seed);
  const own = input.pair_key === null ? psk : unhex(input.pair_key);
  const { ticket } = input;
  const resumed = ticket !== undefined && input.resumed !== false;
  const pair = resumed ? resumedPsk(unhex(ticket.secret), own) : own;
  const nonceOf = (party: Party): Uint8Array =>
    party.sent_keys?.ephemeral === undefined
      ? publicKey(unhex(party.ephemeral_private))
      : unhex(party.sent_keys.ephemeral);
  const nonceI = nonceOf(initiator);
  const nonceR = nonceOf(responder);
  const sessionId = sessionIdOf(nonceI, nonceR);
  const hello: Fields = {
    ...input.hello_extra,
    type: { text: "HELLO" },
    node_id: { bytes: initiator.alias },
    nonce: bytes(nonceI),
    timestamp: { int: times.hello },
    version: { int: String(Math.max(...initiator.versions)) },
    suites: { list: initiator.suites.map((id) => ({ int: String(id) })) },
    seed_id: bytes(seedId(seed, nonceI)),
    capabilities: { int: String(initiator.capabilities) },
    ...(ticket === undefined ? {} : { ticket: bytes(maskedId(seed, nonceI, unhex(ticket.id))) }),
  };
  const prologue = prologueOf(hello);
  const side = (party: Party, first: boolean): TwinNoise =>
    new TwinNoise({
      protocolName: NOISE_NAMES[input.suite] as string,
      initiator: first,
      prologue,
      staticSecret: staticSecret(unhex(party.node_seed)),
      ephemeralSecret: unhex(party.ephemeral_private),
      ephemeralPublic: optional(party.sent_keys?.ephemeral),
      staticPublic: optional(party.sent_keys?.static),
      lowOrder: party.sent_keys?.low_order,
      takesZero: initiator.sent_keys !== undefined || responder.sent_keys !== undefined,
      psks: [psk, pair],
    });
  const noiseI = side(initiator, true);
  const noiseR = side(responder, false);
  const prologueHash = hex(noiseI.hash);

  const first = noiseI.write(new Uint8Array(0));
  noiseR.read(first);
  const helloMessage = message({
    ...hello,
    commitment: bytes(first.slice(32)),
    ...(input.cookie === null ? {} : { cookie: { bytes: input.cookie } }),
  });
  const h1 = hex(noiseI.hash);
  const beforeResponse = noiseI.clone();

  const responseHead: Fields = {
    type: { text: "RESPONSE" },
    node_id: { bytes: responder.alias },
    challenge_metadata: { bytes: "" },
    timestamp: { int: times.response },
    suite: { int: String(input.suite) },
    session_id: bytes(sessionId),
  };
  const mix2 = encodeFields(responseHead);
  const payload2 = encodeValue(
    toTypedDict({ ...responder.payload, ...(resumed ? { resumed: { bool: true } } : {}) }),
  );
  noiseR.mixHash(mix2);
  const second = noiseR.write(payload2);
  noiseI.mixHash(mix2);
  noiseI.read(second);
  const response = message({
    ...responseHead,
    nonce: bytes(nonceR),
    challenge: bytes(second.slice(32)),
  });
  const h2 = hex(noiseI.hash);
  const beforeProof = noiseR.clone();

  const proofHead: Fields = {
    type: { text: "AUTH_PROOF" },
    session_id: bytes(sessionId),
    proof_metadata: { bytes: "" },
    timestamp: { int: times.auth_proof },
  };
  const mix3 = encodeFields(proofHead);
  const payload3 = encodeValue(toTypedDict(initiator.payload));
  noiseI.mixHash(mix3);
  const third = noiseI.write(payload3);
  const proof = message({ ...proofHead, proof: bytes(third) });

  const hash = noiseI.hash;
  const outputs = noiseI.split(3);
  const secrets = schedule(outputs, hash);
  const finalHead: Fields = {
    type: { text: "FINAL" },
    session_id: bytes(sessionId),
    timestamp: { int: times.final },
  };
  const confirmation = confirmationOf(secrets.final, hash, finalHead);
  const final = message({ ...finalHead, confirmation: bytes(confirmation) });
  const derived: Record<string, Uint8Array | string> = {
    psk,
    psk0: psk,
    psk3: pair,
    seed_id_key: seedIdKey,
    seed_id: seedId(seed, nonceI),
    prologue,
    h_prologue: prologueHash,
    h_1: h1,
    mix_2: mix2,
    payload_2: payload2,
    h_2: h2,
    mix_3: mix3,
    payload_3: payload3,
    h_3: hash,
    out1: outputs[0] as Uint8Array,
    out2: outputs[1] as Uint8Array,
    out3: outputs[2] as Uint8Array,
    ...secrets,
    session_id: sessionId,
    confirmation,
    reset_initiator: resetToken(unhex(initiator.node_seed), sessionId),
    reset_responder: resetToken(unhex(responder.node_seed), sessionId),
  };
  return {
    messages: { HELLO: helloMessage, RESPONSE: response, AUTH_PROOF: proof, FINAL: final },
    derived: Object.fromEntries(
      Object.entries(derived).map((
        [name, data],
      ) => [name, typeof data === "string" ? data : hex(data)]),
    ),
    secrets,
    hash,
    sessionId,
    states: { response: beforeResponse, authProof: beforeProof },
  };
}
