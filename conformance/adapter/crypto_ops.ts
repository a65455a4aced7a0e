/** Noise, seed, key and protected-frame operations over `src/crypto` and `src/session`. @module */
import {
  FRAME_HEADROOM,
  FrameHeader,
  fromHex,
  parseFrameHeader,
  toHex,
} from "../../src/codec/mod.ts";
import { FRAME_CONTROL, FRAME_MAX_BODY, TAG_BYTES } from "../../src/constants.ts";
import {
  CipherState,
  confirmation,
  type CryptoProvider,
  epochKeys,
  maskTicketId,
  NoiseHandshake,
  type NoiseRole,
  parseNoiseProtocol,
  resetToken,
  resumptionPsk,
  seedFromPassphrase,
  seedKeys,
  type SessionSecrets,
  sessionSecrets,
  staticKey,
  ticketKeys,
} from "../../src/crypto/mod.ts";
import { SttError } from "../../src/errors.ts";
import { makeCookie } from "../../src/handshake/cookie.ts";
import { messageValue } from "../../src/handshake/messages.ts";
import { encodeRetry } from "../../src/handshake/retry.ts";
import { aeadOfSuite, EpochKeys } from "../../src/session/epoch_keys.ts";
import { Protection } from "../../src/session/protection.ts";
import { SendDirection } from "../../src/session/send_direction.ts";
import { hostOf } from "./address.ts";
import { type Arguments, fromFields, type Operation } from "./notation.ts";

export function cryptoOps(provider: CryptoProvider): Readonly<Record<string, Operation>> {
  const secrets = (a: Arguments): SessionSecrets =>
    sessionSecrets(provider, a.outputs.map(fromHex), fromHex(a.handshake_hash));
  return {
    "noise.run": (a) => runNoise(provider, a),
    "seed.keys": (a) => {
      const keys = seedKeys(provider, fromHex(a.seed));
      return {
        psk: toHex(keys.psk),
        seed_id_key: toHex(keys.seedIdKey),
        retry_key: toHex(keys.retryKey),
        ...(a.nonce === undefined ? {} : { seed_id: toHex(keys.seedId(fromHex(a.nonce))) }),
      };
    },
    "ticket.keys": (a) => {
      const { id, secret } = ticketKeys(provider, fromHex(a.exporter), a.number);
      return { id: toHex(id), secret: toHex(secret) };
    },
    "ticket.mask": (a) => {
      const { ticketKey } = seedKeys(provider, fromHex(a.seed));
      return {
        ticket: toHex(maskTicketId(provider, ticketKey, fromHex(a.nonce), fromHex(a.ticket_id))),
      };
    },
    "ticket.psk": (a) => ({
      psk: toHex(resumptionPsk(provider, fromHex(a.secret), fromHex(a.psk))),
    }),
    "node.key": (a) => ({ node_id: toHex(staticKey(provider, fromHex(a.node_seed)).publicKey) }),
    "reset.token": (a) => ({
      token: toHex(resetToken(provider, fromHex(a.node_seed), fromHex(a.session_id))),
    }),
    "passphrase.seed": async (a) => ({
      seed: toHex(await seedFromPassphrase(a.passphrase, a.network, { provider })),
    }),
    "key.schedule": (a) => {
      const made = secrets(a);
      return {
        traffic_i2r: toHex(made.i2r),
        traffic_r2i: toHex(made.r2i),
        final: toHex(made.final),
        exporter: toHex(made.exporter),
      };
    },
    "key.export": (a) => ({
      output: toHex(secrets(a).export(a.label, fromHex(a.context), a.length)),
    }),
    "key.epochs": (a) => {
      const epochs: unknown[] = [];
      let secret = fromHex(a.secret);
      for (let epoch = 0; epoch < a.count; epoch++) {
        const { key, iv, next } = epochKeys(provider, secret);
        epochs.push({ epoch, secret: toHex(secret), key: toHex(key), iv: toHex(iv) });
        secret = next;
      }
      return { epochs };
    },
    "key.confirmation": (a) => {
      const value = messageValue(fromFields(a.fields), "confirmation");
      const made = confirmation(provider, fromHex(a.final), fromHex(a.handshake_hash), value);
      return { confirmation: toHex(made) };
    },
    "cookie.make": (a) => {
      const address = { host: hostOf(a.ip), port: a.port };
      const cookie = makeCookie(provider, fromHex(a.secret), address, fromHex(a.nonce), a.minute);
      return { cookie: toHex(cookie) };
    },
    "retry.make": (a) => {
      const { retryKey } = seedKeys(provider, fromHex(a.seed));
      const frame = encodeRetry(provider, retryKey, fromHex(a.nonce), {
        code: a.code,
        cookie: fromHex(a.cookie ?? ""),
        versions: a.versions ?? [],
        suites: a.suites ?? [],
      });
      return { frame: toHex(frame) };
    },
    "frame.seal": (a) => {
      const send = new SendDirection(fromHex(a.session_id), keysOf(provider, a, a.epoch));
      send.nextSequence = Number(a.sequence);
      const plaintext = fromHex(a.plaintext);
      const end = FRAME_HEADROOM + plaintext.length;
      const buffer = new Uint8Array(end + TAG_BYTES);
      buffer.set(plaintext, FRAME_HEADROOM);
      send.seal(buffer, FRAME_HEADROOM, end, a.type, a.flags, a.stream_id, Number(a.timestamp));
      return { frame: toHex(buffer.subarray(send.frameStart, send.frameEnd)) };
    },
    "frame.open": (a) => openFrame(provider, a),
    "session.receive": (a) => receiveFrames(provider, a),
  };
}

function keysOf(provider: CryptoProvider, a: Arguments, epoch: number): EpochKeys {
  let keys = new EpochKeys(provider, aeadOfSuite(a.suite), fromHex(a.secret), 0);
  while (keys.epoch < epoch) keys = keys.takeNext();
  return keys;
}

function openFrame(provider: CryptoProvider, a: Arguments): unknown {
  const bytes = fromHex(a.frame);
  const header = new FrameHeader();
  parseFrameHeader(bytes, 0, bytes.length, FRAME_MAX_BODY, header);
  const epoch = header.metadata[0] ?? 0;
  const keys = keysOf(provider, a, epoch);
  const plaintext = keys.open(header.sequence, header.associatedData, header.payload);
  if (plaintext === undefined) {
    throw new SttError("CRYPTO", "cannot open frame: it does not verify");
  }
  return {
    type: header.type,
    flags: header.flags,
    session_id: toHex(header.sessionId),
    sequence: String(header.sequence),
    timestamp: String(header.timestamp),
    stream_id: header.streamId,
    epoch,
    plaintext: toHex(plaintext),
  };
}

const REFUSALS: Readonly<Record<string, string>> = { seen: "replayed", gap: "sequence_gap" };

function receiveFrames(provider: CryptoProvider, a: Arguments): unknown {
  const protection = new Protection({
    provider,
    suite: a.suite,
    sessionId: fromHex(a.session_id),
    sendSecret: new Uint8Array(32),
    recvSecret: fromHex(a.secret),
    reliable: a.reliable,
    nowMs: 0,
  });
  const header = new FrameHeader();
  const own = new Uint8Array(FRAME_HEADROOM + 1 + TAG_BYTES);
  const results = (a.frames as string[]).map((text) => {
    // SPEC 7: a peer rotates only after it heard from us in the present epoch.
    protection.seal(own, FRAME_HEADROOM, FRAME_HEADROOM + 1, FRAME_CONTROL, 0, 0, 0);
    const bytes = fromHex(text);
    try {
      const end = parseFrameHeader(bytes, 0, bytes.length, FRAME_MAX_BODY, header);
      if (end !== bytes.length) return { refused: "unprotected" };
    } catch (error) {
      if (error instanceof SttError) return { refused: "unprotected" };
      throw error;
    }
    const plaintext = protection.open(bytes, header, 0);
    if (plaintext !== undefined) {
      return { plaintext: toHex(plaintext), epoch: protection.lastEpoch };
    }
    const failure = protection.lastFailure ?? "";
    return { refused: REFUSALS[failure] ?? failure };
  });
  return { results };
}

function runNoise(provider: CryptoProvider, a: Arguments): unknown {
  const { aead, messages: pattern } = parseNoiseProtocol(a.protocol_name);
  const side = (role: NoiseRole): NoiseHandshake => {
    const prefix = role === "initiator" ? "init" : "resp";
    const given = (name: string): string | undefined => a[`${prefix}_${name}`];
    const secret = (name: string) => {
      const text = given(name);
      return text === undefined ? undefined : provider.x25519(fromHex(text));
    };
    const [s, e, rs] = [secret("static"), secret("ephemeral"), given("remote_static")];
    return new NoiseHandshake({
      provider,
      protocolName: a.protocol_name,
      role,
      prologue: fromHex(given("prologue") ?? ""),
      psks: (a[`${prefix}_psks`] ?? []).map(fromHex),
      ...(s === undefined ? {} : { s }),
      ...(e === undefined ? {} : { e }),
      ...(rs === undefined ? {} : { rs: fromHex(rs) }),
    });
  };
  const parties = [side("initiator"), side("responder")] as const;
  const ciphers: CipherState[][] = [];
  const none = new Uint8Array(0);
  const messages: unknown[] = [];
  for (const [i, message] of a.messages.entries()) {
    const sender = pattern.length === 1 ? 0 : i % 2;
    const payload = fromHex(message.payload);
    let sealed: Uint8Array;
    let opened: Uint8Array | undefined;
    const delivered = (): Uint8Array =>
      message.deliver === undefined ? sealed : fromHex(message.deliver);
    if (i < pattern.length) {
      sealed = (parties[sender] as NoiseHandshake).writeMessage(payload);
      opened = (parties[1 - sender] as NoiseHandshake).readMessage(delivered());
    } else {
      if (ciphers.length === 0) {
        for (const party of parties) {
          ciphers.push(party.split().map((key) => new CipherState(provider, aead, key)));
        }
      }
      sealed = (ciphers[sender]?.[sender] as CipherState).encrypt(none, payload);
      opened = (ciphers[1 - sender]?.[sender] as CipherState).decrypt(none, delivered());
    }
    if (opened === undefined || toHex(opened) !== message.payload) {
      throw new SttError("CRYPTO", `cannot read message ${i}: it does not verify`);
    }
    messages.push({ ciphertext: toHex(sealed) });
  }
  return { messages, handshake_hash: toHex(parties[0].handshakeHash) };
}
