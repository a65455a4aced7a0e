/** The operations of README.md, answered by the twin: where expected results come from. @module */
import { concat, hex, Refusal, unhex } from "./bytes.ts";
import { TWIN_FOLDER_OPS } from "./folders.ts";
import { decodeFrame, encodeFrame, type FrameFields, MAX_BODY, splitFrames } from "./frame.ts";
import {
  confirmationOf,
  epochKeys,
  exportSecret,
  resetToken,
  schedule,
  seedId,
  seedKeys,
  staticSecret,
} from "./handshake.ts";
import { encodeFields, type Fields, handshakeFrame, readMessage, toFields } from "./messages.ts";
import { patternOf, TwinNoise, TwinTransport } from "./noise.ts";
import { readParameters } from "./parameters.ts";
import { passphraseSeed, publicKey } from "./primitives.ts";
import { openFrame, type PlainFrame, sealFrame, TwinReceiver } from "./protection.ts";
import {
  decodeRecords,
  decodeStreamPayload,
  encodeRecord,
  encodeStreamPayload,
  type RecordFields,
  type StreamPayload,
} from "./records.ts";
import { TWIN_REQUEST_OPS } from "./requests.ts";
import { TWIN_CONTINUITY_OPS } from "./continuity.ts";
import { cookieOf, makeRetry } from "./retry.ts";
import { runInitiator, runResponder } from "./scripts.ts";
import { type PeerFrame, runSession, type SessionSetup } from "./session.ts";
import { TWIN_STORAGE_OPS } from "./storage_ops.ts";
import { maskedId, resumedPsk, ticketId, ticketSecret } from "./tickets.ts";
import { TWIN_TOPIC_OPS } from "./topics.ts";
import { decodeValue, encodeValue, type Typed } from "./values.ts";
import { decodeVarint, encodeVarint } from "./varint.ts";

/** What JSON gives; the casts below name the shapes that README.md documents. */
type Arguments = ReturnType<typeof JSON.parse>;
type Result = Record<string, unknown>;

export const TWIN_OPS: Readonly<Record<string, (a: Arguments) => Result>> = {
  "varint.encode": (a) => ({ hex: hex(encodeVarint(BigInt(a.value))) }),
  "varint.size": (a) => ({ size: encodeVarint(BigInt(a.value)).length }),
  "varint.decode": (a) => {
    const { value, size } = decodeVarint(unhex(a.hex), a.offset ?? 0);
    return { value: value.toString(), size };
  },
  "value.encode": (a) => ({ hex: hex(encodeValue(a.value as Typed)) }),
  "value.decode": (a) => ({
    value: decodeValue(unhex(a.hex), {
      canonical: a.canonical === true,
      ...(a.max_depth === undefined ? {} : { maxDepth: a.max_depth }),
      ...(a.max_entries === undefined ? {} : { maxEntries: a.max_entries }),
    }),
  }),
  "frame.encode": (a) => ({ hex: hex(encodeFrame(a.frame as FrameFields)) }),
  "frame.decode": (a) => {
    const { frame, consumed } = decodeFrame(unhex(a.hex));
    return { frame, consumed };
  },
  "frame.assemble": (a) => {
    const bytes = concat(...(a.chunks as string[]).map(unhex));
    const { frames, refused, pending } = splitFrames(bytes, a.max_body ?? MAX_BODY);
    return refused === undefined ? { frames, pending } : { frames, pending, error: refused };
  },
  "message.encode": (a) => ({ hex: hex(encodeFields(a.fields as Fields)) }),
  "message.decode": (a) => ({ fields: toFields(decodeValue(unhex(a.hex))) }),
  "message.frame": (a) => ({ frame: hex(handshakeFrame(encodeFields(a.fields as Fields))) }),
  "message.parse": (a) => {
    const { type, fields } = readMessage(unhex(a.frame));
    return { type, fields };
  },
  "parameters.decode": (a) => {
    const parameters = readParameters(unhex(a.hex), {
      suite: a.suite,
      version: 1,
      ownSuites: a.own_suites,
      ownVersions: [1],
      ownApp: a.own_app ?? "",
      fromInitiator: a.from_initiator,
    });
    return { parameters };
  },
  "record.encode": (a) => ({ hex: hex(encodeRecord(a as RecordFields)) }),
  "records.decode": (a) => {
    const { records, refused } = decodeRecords(unhex(a.hex));
    return refused ? { records, error: "PROTOCOL" } : { records };
  },
  "stream.encode": (a) => ({ hex: hex(encodeStreamPayload(a as StreamPayload)) }),
  "stream.decode": (a) => ({ ...decodeStreamPayload(unhex(a.hex)) }),
  ...TWIN_STORAGE_OPS,
  ...TWIN_CONTINUITY_OPS,
  ...TWIN_REQUEST_OPS,
  ...TWIN_FOLDER_OPS,
  ...TWIN_TOPIC_OPS,
  "noise.run": runNoise,
  "seed.keys": (a) => {
    const seed = unhex(a.seed);
    if (seed.length < 32) throw new Refusal("SEED");
    const keys = seedKeys(seed);
    return {
      psk: hex(keys.psk),
      seed_id_key: hex(keys.seedIdKey),
      retry_key: hex(keys.retryKey),
      ...(a.nonce === undefined ? {} : { seed_id: hex(seedId(seed, unhex(a.nonce))) }),
    };
  },
  "ticket.keys": (a) => ({
    id: hex(ticketId(unhex(a.exporter), a.number)),
    secret: hex(ticketSecret(unhex(a.exporter), a.number)),
  }),
  "ticket.mask": (a) => ({
    ticket: hex(maskedId(unhex(a.seed), unhex(a.nonce), unhex(a.ticket_id))),
  }),
  "ticket.psk": (a) => ({ psk: hex(resumedPsk(unhex(a.secret), unhex(a.psk))) }),
  "node.key": (a) => {
    const seed = unhex(a.node_seed);
    if (seed.length < 32) throw new Refusal("SEED");
    return { node_id: hex(publicKey(staticSecret(seed))) };
  },
  "reset.token": (a) => ({ token: hex(resetToken(unhex(a.node_seed), unhex(a.session_id))) }),
  "passphrase.seed": (a) => ({ seed: hex(passphraseSeed(a.passphrase, a.network)) }),
  "key.schedule": (a) => {
    const secrets = schedule((a.outputs as string[]).map(unhex), unhex(a.handshake_hash));
    return {
      traffic_i2r: hex(secrets.traffic_i2r),
      traffic_r2i: hex(secrets.traffic_r2i),
      final: hex(secrets.final),
      exporter: hex(secrets.exporter),
    };
  },
  "key.export": (a) => {
    if (a.length > 8160) throw new Refusal("INTERNAL");
    const { exporter } = schedule((a.outputs as string[]).map(unhex), unhex(a.handshake_hash));
    return { output: hex(exportSecret(exporter, a.label, unhex(a.context), a.length)) };
  },
  "key.epochs": (a) => ({
    epochs: Array.from({ length: a.count }, (_, epoch) => {
      const { secret, key, iv } = epochKeys(unhex(a.secret), epoch);
      return { epoch, secret: hex(secret), key: hex(key), iv: hex(iv) };
    }),
  }),
  "key.confirmation": (a) => ({
    confirmation: hex(confirmationOf(unhex(a.final), unhex(a.handshake_hash), a.fields as Fields)),
  }),
  "cookie.make": (a) => ({ cookie: hex(cookieOf(a, unhex(a.nonce), a.minute)) }),
  "retry.make": (a) => ({
    frame: makeRetry(unhex(a.seed), {
      nonce: unhex(a.nonce),
      code: a.code,
      cookie: unhex(a.cookie ?? ""),
      versions: a.versions ?? [],
      suites: a.suites ?? [],
    }).frame,
  }),
  "frame.seal": (a) => ({ frame: sealFrame(a.suite, unhex(a.secret), a as PlainFrame).frame }),
  "frame.open": (a) => {
    const plain = openFrame(a.suite, unhex(a.secret), unhex(a.frame));
    if (plain === undefined) throw new Refusal("CRYPTO");
    return { ...plain };
  },
  "session.receive": (a) => {
    const receiver = new TwinReceiver(a.suite, unhex(a.secret), a.session_id, a.reliable);
    return {
      results: (a.frames as string[]).map((frame) => {
        try {
          const { plaintext, epoch } = receiver.receive(unhex(frame));
          return { plaintext, epoch };
        } catch (error) {
          if (error instanceof Refusal) return { refused: error.code };
          throw error;
        }
      }),
    };
  },
  "session.run": (a) => runSession(a as SessionSetup, a.frames as PeerFrame[]),
  "initiator.run": (a) => runInitiator(a),
  "responder.run": (a) => runResponder(a),
};

function runNoise(a: Arguments): Result {
  const side = (prefix: "init" | "resp"): TwinNoise => {
    const key = (name: string): Uint8Array | undefined =>
      a[`${prefix}_${name}`] === undefined ? undefined : unhex(a[`${prefix}_${name}`]);
    return new TwinNoise({
      protocolName: a.protocol_name,
      initiator: prefix === "init",
      prologue: key("prologue") ?? new Uint8Array(0),
      staticSecret: key("static"),
      ephemeralSecret: key("ephemeral"),
      remoteStatic: key("remote_static"),
      psks: (a[`${prefix}_psks`] as string[] | undefined)?.map(unhex),
    });
  };
  const { oneWay } = patternOf(a.protocol_name);
  const parties = [side("init"), side("resp")] as const;
  const ciphers: [TwinTransport, TwinTransport][] = [];
  const messages: { ciphertext: string }[] = [];
  for (const [i, message] of (a.messages as { payload: string; deliver?: string }[]).entries()) {
    const sender = oneWay ? 0 : i % 2;
    const writer = parties[sender as 0 | 1];
    const reader = parties[(1 - sender) as 0 | 1];
    let ciphertext: Uint8Array;
    let payload: Uint8Array | undefined;
    if (!writer.finished) {
      ciphertext = writer.write(unhex(message.payload));
      payload = reader.read(message.deliver === undefined ? ciphertext : unhex(message.deliver));
    } else {
      if (ciphers.length === 0) {
        for (const key of writer.split()) {
          const pair = () => new TwinTransport(a.protocol_name, key);
          ciphers.push([pair(), pair()]);
        }
      }
      const [seal, open] = ciphers[sender] as [TwinTransport, TwinTransport];
      ciphertext = seal.seal(unhex(message.payload));
      payload = open.open(message.deliver === undefined ? ciphertext : unhex(message.deliver));
    }
    if (payload === undefined || hex(payload) !== message.payload.toLowerCase()) {
      throw new Refusal("CRYPTO");
    }
    messages.push({ ciphertext: hex(ciphertext) });
  }
  return { messages, handshake_hash: hex(parties[0].hash) };
}

/** Answers one request; throws only for requests that make no sense. */
export function twinCall(request: { op: string }): { ok: Result } | { error: string } {
  const op = TWIN_OPS[request.op];
  if (op === undefined) throw new Error(`the twin has no operation ${request.op}`);
  try {
    return { ok: op(request) };
  } catch (error) {
    if (error instanceof Refusal) return { error: error.code };
    throw error;
  }
}
