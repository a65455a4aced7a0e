/**
 * The initiator, message by message: what it sends, and with which of the data's verdicts it refuses (SPEC 6.2, 6.3). A
 * refused message leaves the state as it was.
 *
 * @module
 */
import { hex, Refusal, same, unhex } from "./bytes.ts";
import {
  confirmationOf,
  NOISE_NAMES,
  prologueOf,
  schedule,
  seedId,
  seedKeys,
  sessionIdOf,
  staticSecret,
} from "./handshake.ts";
import {
  bytesOf,
  encodeFields,
  type Fields,
  intOf,
  readMessage,
  toTypedDict,
  without,
} from "./messages.ts";
import { TwinNoise } from "./noise.ts";
import {
  appOf,
  FatalRefusal,
  frameOf,
  judge,
  type Outcome,
  type TwinSession,
  VERSIONS,
} from "./outcome.ts";
import { readParameters } from "./parameters.ts";
import { publicKey } from "./primitives.ts";
import { retryMac } from "./retry.ts";
import { maskedId, resumedPsk, type ScriptTicket } from "./tickets.ts";
import { encodeValue } from "./values.ts";

export interface TwinInitiatorConfig {
  readonly shared_seed: string;
  readonly pair_key?: string | null;
  readonly node_seed: string;
  readonly alias: string;
  readonly ephemeral: string;
  readonly suites: readonly number[];
  readonly payload: Fields;
  readonly capabilities: number;
  readonly hello_extra?: Fields;
  /** A pinned nodeId. */
  readonly expect?: string | null;
  readonly hello_ms: string;
  /** Resumes with it. */
  readonly ticket?: ScriptTicket;
}

export class TwinInitiator {
  readonly #config: TwinInitiatorConfig;
  readonly #nonce: Uint8Array;
  readonly #noise: TwinNoise;
  readonly #hello: Fields;
  #proven: { session: TwinSession } | undefined;
  #retries = 0;
  #failed = false;
  done = false;

  constructor(config: TwinInitiatorConfig) {
    this.#config = config;
    const seed = unhex(config.shared_seed);
    const secret = unhex(config.ephemeral);
    this.#nonce = publicKey(secret);
    const head: Fields = {
      ...config.hello_extra,
      type: { text: "HELLO" },
      node_id: { bytes: config.alias },
      nonce: { bytes: hex(this.#nonce) },
      timestamp: { int: config.hello_ms },
      version: { int: "1" },
      suites: { list: config.suites.map((id) => ({ int: String(id) })) },
      seed_id: { bytes: hex(seedId(seed, this.#nonce)) },
      capabilities: { int: String(config.capabilities) },
      ...(config.ticket === undefined ? {} : {
        ticket: { bytes: hex(maskedId(seed, this.#nonce, unhex(config.ticket.id))) },
      }),
    };
    const { psk } = seedKeys(seed);
    this.#noise = new TwinNoise({
      protocolName: NOISE_NAMES[config.suites[0] as number] as string,
      initiator: true,
      prologue: prologueOf(head),
      staticSecret: staticSecret(unhex(config.node_seed)),
      ephemeralSecret: secret,
      psks: [psk, config.pair_key ? unhex(config.pair_key) : psk],
    });
    const first = this.#noise.write(new Uint8Array(0));
    this.#hello = { ...head, commitment: { bytes: hex(first.slice(32)) } };
  }

  get hello(): string {
    return frameOf(this.#hello);
  }

  get session(): TwinSession | undefined {
    return this.#proven?.session;
  }

  receive(frame: Uint8Array, nowMs: string): Outcome {
    const outcome = judge(() => {
      const message = readMessage(frame);
      if (this.#failed) throw new Refusal("type");
      if (message.type === "RESPONSE" && this.#proven === undefined) {
        return this.#response(message.fields, nowMs);
      }
      if (message.type === "RETRY" && this.#proven === undefined) {
        return this.#retry(message.fields);
      }
      if (message.type === "FINAL" && this.#proven !== undefined) {
        return this.#final(message.fields);
      }
      throw new Refusal("type");
    });
    this.#failed ||= outcome.fatal === true;
    return outcome;
  }

  #response(fields: Fields, nowMs: string): Omit<Outcome, "verdict"> {
    const config = this.#config;
    const nonce = bytesOf(fields, "nonce");
    const sessionId = bytesOf(fields, "session_id");
    const named = same(sessionIdOf(this.#nonce, nonce), sessionId);
    // SPEC 6.0.5: never zero, which an initiator's own key sent back would make.
    if (!named || sessionId.every((byte) => byte === 0)) throw new Refusal("attempt");
    const suite = Number(intOf(fields, "suite"));
    if (suite !== config.suites[0]) throw new Refusal("suite");
    const noise = this.#noise.clone();
    noise.mixHash(encodeFields(without(fields, "nonce", "challenge")));
    const payload = noise.read(Uint8Array.from([...nonce, ...bytesOf(fields, "challenge")]));
    if (payload === undefined) throw new Refusal("crypto");
    const peer = hex(noise.remoteStatic as Uint8Array);
    const own = hex(publicKey(staticSecret(unhex(config.node_seed))));
    let parameters: Fields;
    let resumed = false;
    try {
      if (peer === own) throw new Refusal("self");
      if (config.expect && peer !== config.expect) throw new Refusal("identity");
      parameters = readParameters(payload, {
        suite,
        version: 1,
        ownSuites: config.suites,
        ownVersions: VERSIONS,
        ownApp: appOf(config.payload),
        fromInitiator: false,
        onResumed: (value) => resumed = value,
      });
      // SPEC 15.2.4
      const { ticket } = config;
      if (ticket === undefined && resumed) throw new Refusal("parameter", "resumed");
      if (ticket !== undefined && ticket.node_id !== peer) throw new Refusal("identity");
      if (ticket !== undefined && !resumed && ticket.required !== false) {
        throw new Refusal("ticket");
      }
    } catch (error) {
      if (error instanceof Refusal) throw new FatalRefusal(error.code);
      throw error;
    }
    const head: Fields = {
      type: { text: "AUTH_PROOF" },
      session_id: { bytes: hex(sessionId) },
      proof_metadata: { bytes: "" },
      timestamp: { int: nowMs },
    };
    noise.mixHash(encodeFields(head));
    if (config.ticket !== undefined && resumed) {
      const psk = config.pair_key
        ? unhex(config.pair_key)
        : seedKeys(unhex(config.shared_seed)).psk;
      noise.setPsk(1, resumedPsk(unhex(config.ticket.secret), psk));
    }
    const proof = noise.write(encodeValue(toTypedDict(config.payload)));
    const secrets = schedule(noise.split(3), noise.hash);
    this.#proven = {
      session: { sessionId, suite, hash: noise.hash, secrets, peer, parameters, resumed },
    };
    return { sent: frameOf({ ...head, proof: { bytes: hex(proof) } }) };
  }

  #retry(fields: Fields): Omit<Outcome, "verdict"> {
    const mac = retryMac(unhex(this.#config.shared_seed), fields);
    const genuine = same(bytesOf(fields, "nonce"), this.#nonce) &&
      same(mac, bytesOf(fields, "mac"));
    if (!genuine) throw new Refusal("retry");
    // Codes 2 and 3 start over with fresh keys, which a script of fixed keys cannot follow.
    if (intOf(fields, "code") === 4n) throw new FatalRefusal("busy");
    if (intOf(fields, "code") !== 1n || this.#retries === 2) throw new Refusal("retry");
    this.#retries++;
    return { sent: frameOf({ ...this.#hello, cookie: fields.cookie as { bytes: string } }) };
  }

  #final(fields: Fields): Omit<Outcome, "verdict"> {
    const { sessionId, secrets, hash } = (this.#proven as { session: TwinSession }).session;
    if (!same(sessionId, bytesOf(fields, "session_id"))) throw new Refusal("attempt");
    const expected = confirmationOf(secrets.final, hash, fields);
    if (!same(expected, bytesOf(fields, "confirmation"))) throw new Refusal("confirmation");
    this.done = true;
    return {};
  }
}
