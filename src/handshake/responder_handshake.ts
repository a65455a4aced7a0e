/**
 * Noise messages 1 to 3 from the responder's side, tied to the STT messages that carry them.
 *
 * @module
 */
import { NONCE_BYTES, VERSION } from "../constants.ts";
import { confirmation, type SeedKeys, sessionSecrets } from "../crypto/key_schedule.ts";
import type { NoiseHandshake } from "../crypto/noise.ts";
import type { X25519PrivateKey } from "../crypto/provider.ts";
import { concat } from "./bytes.ts";
import { identityError } from "./identity.ts";
import { type AuthProof, encodeMessage, type Hello, messageValue } from "./messages.ts";
import { fieldsOf, PAIR_PSK, startNoise, withoutNonce, xorSessionId } from "./noise_suite.ts";
import { encodeParameters, negotiation } from "./parameters.ts";
import { judgePayload } from "./peer_payload.ts";
import type { AcceptorConfig, HandshakeSession, PendingSession } from "./types.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
const SESSION_ID_TRIES = 8;

/** What a HELLO was found to ask for. */
export interface HelloChoice {
  readonly hello: Hello;
  readonly suite: number;
  readonly seedIndex: number;
}

/** True when HELLO's sender holds the seed. Costs no key agreement (SPEC 6.2). */
export function commitmentVerifies(config: AcceptorConfig, choice: HelloChoice): boolean {
  const noise = readHello(config, choice);
  noise?.destroy();
  return noise !== undefined;
}

function readHello(
  config: AcceptorConfig,
  choice: HelloChoice,
  ephemeral?: X25519PrivateKey,
  onRemoteStatic?: (publicKey: Uint8Array) => void,
): NoiseHandshake | undefined {
  const { hello, suite, seedIndex } = choice;
  const noise = startNoise({
    provider: config.provider,
    suite,
    role: "responder",
    hello: hello.fields,
    staticKey: config.staticKey,
    psk: (config.seeds[seedIndex] as SeedKeys).psk,
    ...(ephemeral === undefined ? {} : { ephemeral }),
    ...(onRemoteStatic === undefined ? {} : { onRemoteStatic }),
  });
  const payload = noise.readMessage(concat(hello.nonce, hello.commitment));
  if (payload?.length === 0) return noise;
  noise.destroy();
  return undefined;
}

/** The keys of one half-open handshake. */
export class ResponderHandshake {
  readonly sessionId: Uint8Array;
  readonly #config: AcceptorConfig;
  readonly #choice: HelloChoice;
  readonly #nonce: Uint8Array;
  readonly #psk: Uint8Array;
  readonly #noise: NoiseHandshake;
  #usedPairKey = false;
  #pairKeyError: { readonly error: unknown } | undefined;

  private constructor(
    config: AcceptorConfig,
    choice: HelloChoice,
    sessionId: Uint8Array,
    ephemeral: X25519PrivateKey,
  ) {
    this.sessionId = sessionId;
    this.#config = config;
    this.#choice = choice;
    this.#nonce = ephemeral.publicKey.slice();
    this.#psk = (config.seeds[choice.seedIndex] as SeedKeys).psk;
    // The commitment verified before, so that reading it again cannot fail.
    this.#noise = readHello(
      config,
      choice,
      ephemeral,
      (nodeId) => this.#choosePairKey(nodeId),
    ) as NoiseHandshake;
  }

  /**
   * Picks our nonce for a HELLO whose commitment verified.
   *
   * @param taken true for session ids in use
   * @returns undefined when no free session id was found
   */
  static start(
    config: AcceptorConfig,
    choice: HelloChoice,
    taken: (sessionId: Uint8Array) => boolean,
  ): ResponderHandshake | undefined {
    for (let tries = 0; tries < SESSION_ID_TRIES; tries++) {
      const ephemeral = config.injection?.ephemeral?.() ?? config.provider.x25519();
      const sessionId = xorSessionId(choice.hello.nonce, ephemeral.publicKey);
      // SPEC 6: never 0, which HANDSHAKE frames carry, and never one that routes elsewhere.
      if (sessionId.some((byte) => byte !== 0) && !taken(sessionId)) {
        return new ResponderHandshake(config, choice, sessionId, ephemeral);
      }
      ephemeral.destroy();
    }
    return undefined;
  }

  /**
   * The complete RESPONSE frame.
   *
   * @throws {SttError} `CRYPTO` when a key agreement is all zero.
   */
  respond(timestamp: number): Uint8Array {
    const { provider, injection, parameters, resetToken, suites } = this.#config;
    const { suite } = this.#choice;
    const reset = resetToken?.(this.sessionId) ?? parameters.reset;
    const payload = encodeParameters(
      reset === undefined ? parameters : { ...parameters, reset },
      negotiation(suite, suites),
    );
    const fields = fieldsOf({
      type: "RESPONSE",
      node_id: injection?.nodeIdAlias?.() ?? provider.randomBytes(NONCE_BYTES),
      challenge_metadata: EMPTY,
      timestamp,
      suite,
      session_id: this.sessionId,
    });
    const challenge = withoutNonce(this.#noise.writeMessage(payload, messageValue(fields)));
    return encodeMessage(fields.set("nonce", this.#nonce).set("challenge", challenge));
  }

  /** The session that AUTH_PROOF proves, or undefined when it does not verify; the genuine one may still follow. */
  readProof(message: AuthProof): PendingSession | undefined {
    const payload = this.#readPayload(message);
    if (payload === undefined) return undefined;
    const { provider, staticKey, allowSelf, parameters: ours, suites } = this.#config;
    const { suite, seedIndex } = this.#choice;
    const nodeId = this.#noise.remoteStatic as Uint8Array;
    const { parameters, error } = judgePayload(
      { role: "responder", suite, version: VERSION, suites, app: ours.app },
      payload,
    );
    const refusal = identityError({
      provider,
      self: staticKey.publicKey,
      allowSelf: allowSelf ?? false,
    }, nodeId) ?? error;
    const secrets = sessionSecrets(provider, this.#noise.split(3), this.#noise.handshakeHash);
    const session: HandshakeSession = {
      role: "responder",
      sessionId: this.sessionId,
      suite,
      version: VERSION,
      secrets,
      // The accept hook is the listener's pin; it decides later.
      peer: { nodeId, parameters, pinned: false, pairKey: this.#usedPairKey, seedIndex },
    };
    return refusal === undefined ? { session } : { session, refusal };
  }

  /** Erases the handshake's keys. */
  destroy(): void {
    this.#noise.destroy();
  }

  #readPayload(message: AuthProof): Uint8Array | undefined {
    this.#pairKeyError = undefined;
    try {
      return this.#noise.readMessage(message.proof, messageValue(message.fields, "proof"));
    } catch (error) {
      // A lookup that throws must neither end the listener nor let the peer in without its pair key.
      if (this.#pairKeyError === undefined) throw error;
      return undefined;
    }
  }

  // SPEC 5: a pair key replaces the seed's psk; it is looked up by the static key that message 3 carries.
  #choosePairKey(nodeId: Uint8Array): void {
    const { pairKey } = this.#config;
    try {
      const found = typeof pairKey === "function" ? pairKey(nodeId) : pairKey;
      this.#noise.setPsk(PAIR_PSK, found ?? this.#psk);
      this.#usedPairKey = found !== undefined;
    } catch (error) {
      this.#pairKeyError = { error };
      throw error;
    }
  }
}

/** The complete FINAL frame of an accepted session. */
export function encodeFinal(
  config: AcceptorConfig,
  session: HandshakeSession,
  timestamp: number,
): Uint8Array {
  const { sessionId, secrets } = session;
  const fields = fieldsOf({ type: "FINAL", session_id: sessionId, timestamp });
  const value = messageValue(fields);
  return encodeMessage(
    fields.set(
      "confirmation",
      confirmation(config.provider, secrets.final, secrets.handshakeHash, value),
    ),
  );
}
