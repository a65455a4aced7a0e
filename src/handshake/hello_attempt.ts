/**
 * One HELLO of a dial and the handshake that hangs on its nonce.
 *
 * @module
 */
import type { SttValue } from "../codec/values.ts";
import { NONCE_BYTES, VERSION } from "../constants.ts";
import type { NoiseHandshake } from "../crypto/noise.ts";
import type { CryptoProvider } from "../crypto/provider.ts";
import { maskTicketId } from "../crypto/tickets.ts";
import { SttError } from "../errors.ts";
import { concat, sameBytes } from "./bytes.ts";
import { encodeMessage, type MessageFields, messageValue, type Response } from "./messages.ts";
import { fieldsOf, startNoise, withoutNonce, xorSessionId } from "./noise_suite.ts";
import { setResumptionPsk } from "./resumption.ts";
import type { InitiatorConfig } from "./types.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
/** Fields that HELLO gets elsewhere. */
const HANDSHAKE_FIELDS: readonly string[] = ["commitment", "cookie", "ticket"];

/** Noise messages 1 to 3 from the initiator's side, tied to the STT messages that carry them. */
export class HelloAttempt {
  /** Our ephemeral public key: what finds RESPONSE and RETRY. */
  readonly nonce: Uint8Array;
  /** The suite of this HELLO. */
  readonly suite: number;
  readonly #noise: NoiseHandshake;
  readonly #fields: MessageFields;

  /** @param suites in the order that this HELLO names them */
  constructor(config: InitiatorConfig, suites: readonly number[], timestamp: number) {
    const { provider, injection, seedKeys } = config;
    const ephemeral = injection?.ephemeral?.() ?? provider.x25519();
    this.suite = suites[0] as number;
    this.nonce = ephemeral.publicKey.slice();
    const fields = fieldsOf({
      type: "HELLO",
      node_id: injection?.nodeIdAlias?.() ?? provider.randomBytes(NONCE_BYTES),
      nonce: this.nonce,
      timestamp,
      version: VERSION,
      suites: [...suites],
      seed_id: seedKeys.seedId(this.nonce),
      capabilities: config.parameters.capabilities,
    });
    addExtra(fields, config.helloExtra);
    const { ticket } = config;
    if (ticket !== undefined) {
      fields.set("ticket", maskTicketId(provider, seedKeys.ticketKey, this.nonce, ticket.id));
    }
    this.#noise = startNoise({
      provider,
      suite: this.suite,
      role: "initiator",
      hello: fields,
      staticKey: config.staticKey,
      ephemeral,
      psk: seedKeys.psk,
      pairPsk: config.pairKey ?? seedKeys.psk,
    });
    fields.set("commitment", withoutNonce(this.#noise.writeMessage(EMPTY)));
    this.#fields = fields;
  }

  /** The complete HELLO frame; a cookie changes nothing else, as the prologue leaves it out. */
  hello(cookie?: Uint8Array): Uint8Array {
    if (cookie === undefined) return encodeMessage(this.#fields);
    return encodeMessage(new Map(this.#fields).set("cookie", cookie));
  }

  /** True when a RESPONSE of this id and nonce answers this HELLO. */
  matches(response: Response): boolean {
    // SPEC 6: an id of 0 is never one, so our own nonce sent back does not match either.
    if (response.sessionId.every((byte) => byte === 0)) return false;
    return sameBytes(response.sessionId, xorSessionId(this.nonce, response.nonce));
  }

  /** The payload of message 2, or undefined when RESPONSE does not verify. */
  read(response: Response): Uint8Array | undefined {
    return this.#noise.readMessage(
      concat(response.nonce, response.challenge),
      messageValue(response.fields, "nonce", "challenge"),
    );
  }

  /** From here on the session is one that resumes with the ticket; `psk` is what would stand in its place. */
  resume(provider: CryptoProvider, secret: Uint8Array, psk: Uint8Array): void {
    setResumptionPsk(provider, this.#noise, secret, psk);
  }

  /** The responder's static key, once {@link HelloAttempt.read} succeeded. */
  get remoteStatic(): Uint8Array {
    return this.#noise.remoteStatic as Uint8Array;
  }

  /**
   * The complete AUTH_PROOF frame.
   *
   * @throws {SttError} `CRYPTO` when a key agreement is all zero.
   */
  prove(sessionId: Uint8Array, payload: Uint8Array, timestamp: number): Uint8Array {
    const fields = fieldsOf({
      type: "AUTH_PROOF",
      session_id: sessionId,
      proof_metadata: EMPTY,
      timestamp,
    });
    fields.set("proof", this.#noise.writeMessage(payload, messageValue(fields)));
    return encodeMessage(fields);
  }

  /** The three outputs of Split and the handshake hash. */
  finish(): { outputs: Uint8Array[]; handshakeHash: Uint8Array } {
    return { outputs: this.#noise.split(3), handshakeHash: this.#noise.handshakeHash };
  }

  /** Erases the keys. */
  destroy(): void {
    this.#noise.destroy();
  }
}

function addExtra(
  fields: Map<string, SttValue>,
  extra: ReadonlyMap<string, SttValue> | undefined,
): void {
  for (const [name, value] of extra ?? []) {
    if (fields.has(name) || HANDSHAKE_FIELDS.includes(name)) {
      throw new SttError("CONFIG", `cannot use helloExtra: HELLO has a field ${name} of its own`);
    }
    fields.set(name, value);
  }
}
