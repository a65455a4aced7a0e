/**
 * Noise messages 1 to 3 from the responder's side, tied to the STT messages that carry them.
 *
 * @module
 */
import { NONCE_BYTES, VERSION } from "../constants.ts";
import { confirmation, type SeedKeys, sessionSecrets } from "../crypto/key_schedule.ts";
import type { NoiseHandshake } from "../crypto/noise.ts";
import type { X25519PrivateKey } from "../crypto/provider.ts";
import { wipe } from "../crypto/secret.ts";
import { maskTicketId } from "../crypto/tickets.ts";
import { SttError } from "../errors.ts";
import { concat } from "./bytes.ts";
import { identityError } from "./identity.ts";
import { type AuthProof, encodeMessage, type Hello, messageValue } from "./messages.ts";
import { fieldsOf, PAIR_PSK, startNoise, withoutNonce, xorSessionId } from "./noise_suite.ts";
import { encodeParameters, negotiation } from "./parameters.ts";
import { judgePayload } from "./peer_payload.ts";
import { setResumptionPsk, ticketError } from "./resumption.ts";
import type { AcceptorConfig, HandshakeSession, HeldTicket, PendingSession } from "./types.ts";

const EMPTY: Uint8Array = new Uint8Array(0);
const SESSION_ID_TRIES = 8;
/** What a ticket's seed is named by. */
const NO_NONCE: Uint8Array = new Uint8Array(NONCE_BYTES);

/** What a HELLO was found to ask for. */
export interface HelloChoice {
  readonly hello: Hello;
  readonly suite: number;
  readonly seedIndex: number;
}

/** Who is told the static key that message 3 carries. */
interface RemoteStaticSink {
  told: (publicKey: Uint8Array) => void;
}

/** A HELLO whose commitment verified. */
export interface VerifiedHello {
  readonly choice: HelloChoice;
  /** Before message 2. */
  readonly noise: NoiseHandshake;
  readonly remoteStatic: RemoteStaticSink;
}

/**
 * Undefined when HELLO's sender does not hold the seed. Costs no key agreement (SPEC 6.2). Who does not go on with it
 * destroys its `noise`.
 */
export function verifyHello(
  config: AcceptorConfig,
  choice: HelloChoice,
): VerifiedHello | undefined {
  const { hello, suite, seedIndex } = choice;
  const remoteStatic = sinkOfNobody();
  const noise = startNoise({
    provider: config.provider,
    suite,
    role: "responder",
    hello: hello.fields,
    staticKey: config.staticKey,
    psk: (config.seeds[seedIndex] as SeedKeys).psk,
    onRemoteStatic: teller(remoteStatic),
  });
  const payload = noise.readMessage(concat(hello.nonce, hello.commitment));
  if (payload?.length === 0) return { choice, noise, remoteStatic };
  noise.destroy();
  return undefined;
}

function sinkOfNobody(): RemoteStaticSink {
  return { told: () => undefined };
}

/** Apart, as a closure keeps all that it could see: HELLO would be held for as long as the handshake. */
function teller(sink: RemoteStaticSink): (publicKey: Uint8Array) => void {
  return (publicKey) => sink.told(publicKey);
}

/** The keys of one half-open handshake. */
export class ResponderHandshake {
  readonly sessionId: Uint8Array;
  readonly #config: AcceptorConfig;
  readonly #suite: number;
  readonly #seedIndex: number;
  readonly #nonce: Uint8Array;
  readonly #psk: Uint8Array;
  readonly #noise: NoiseHandshake;
  /** HELLO's ticket, where it is one of ours. */
  readonly #ticket: (HeldTicket & { readonly id: Uint8Array }) | undefined;
  #usedPairKey = false;
  #pairKeyError: { readonly error: unknown } | undefined;

  private constructor(
    config: AcceptorConfig,
    verified: VerifiedHello,
    sessionId: Uint8Array,
    ephemeral: X25519PrivateKey,
    unixMs: number,
  ) {
    const { choice, noise } = verified;
    this.sessionId = sessionId;
    this.#config = config;
    this.#suite = choice.suite;
    this.#seedIndex = choice.seedIndex;
    this.#nonce = ephemeral.publicKey.slice();
    this.#psk = (config.seeds[choice.seedIndex] as SeedKeys).psk;
    this.#ticket = findTicket(config, choice, unixMs);
    this.#noise = noise;
    noise.setEphemeral(ephemeral);
    verified.remoteStatic.told = (nodeId) => this.#choosePairKey(nodeId);
  }

  /**
   * Picks our nonce for a HELLO whose commitment verified, and takes over its `noise`.
   *
   * @param taken true for session ids in use
   * @param unixMs Unix milliseconds, for the life of HELLO's ticket
   * @returns undefined when no free session id was found
   */
  static start(
    config: AcceptorConfig,
    verified: VerifiedHello,
    taken: (sessionId: Uint8Array) => boolean,
    unixMs: number,
  ): ResponderHandshake | undefined {
    for (let tries = 0; tries < SESSION_ID_TRIES; tries++) {
      const ephemeral = config.injection?.ephemeral?.() ?? config.provider.x25519();
      const sessionId = xorSessionId(verified.choice.hello.nonce, ephemeral.publicKey);
      // SPEC 6: never 0, which HANDSHAKE frames carry, and never one that routes elsewhere.
      if (sessionId.some((byte) => byte !== 0) && !taken(sessionId)) {
        return new ResponderHandshake(config, verified, sessionId, ephemeral, unixMs);
      }
      ephemeral.destroy();
    }
    verified.noise.destroy();
    return undefined;
  }

  /**
   * The complete RESPONSE frame.
   *
   * @throws {SttError} `CRYPTO` when a key agreement is all zero.
   */
  respond(timestamp: number): Uint8Array {
    const { provider, injection, parameters, resetToken, suites } = this.#config;
    const suite = this.#suite;
    const reset = resetToken?.(this.sessionId) ?? parameters.reset;
    const payload = encodeParameters(
      reset === undefined ? parameters : { ...parameters, reset },
      negotiation(suite, suites, this.#ticket !== undefined),
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
  readProof(message: AuthProof, unixMs: number): PendingSession | undefined {
    const payload = this.#readPayload(message);
    if (payload === undefined) return undefined;
    const { provider, staticKey, allowSelf, parameters: ours, suites } = this.#config;
    const [suite, seedIndex] = [this.#suite, this.#seedIndex];
    const nodeId = this.#noise.remoteStatic as Uint8Array;
    const { parameters, error } = judgePayload(
      { role: "responder", suite, version: VERSION, suites, app: ours.app },
      payload,
    );
    // First: a ticket whose secret was proved is used up, whatever comes of the session.
    const ticketFault = this.#useTicket(nodeId, unixMs);
    const refusal = identityError({
      provider,
      self: staticKey.publicKey,
      allowSelf: allowSelf ?? false,
    }, nodeId) ?? ticketFault ?? error;
    const secrets = sessionSecrets(provider, this.#noise.split(3), this.#noise.handshakeHash);
    const session: HandshakeSession = {
      role: "responder",
      sessionId: this.sessionId,
      suite,
      version: VERSION,
      secrets,
      // The accept hook is the listener's pin; it decides later.
      peer: { nodeId, parameters, pinned: false, pairKey: this.#usedPairKey, seedIndex },
      ...(this.#ticket === undefined
        ? {}
        : { resumed: { id: this.#ticket.id, owner: this.#ticket.owner } }),
    };
    return refusal === undefined ? { session } : { session, refusal };
  }

  /** Erases the handshake's keys. */
  destroy(): void {
    this.#noise.destroy();
    wipe(this.#ticket?.secret);
  }

  /** SPEC 15.2: takes the ticket, once. */
  #useTicket(nodeId: Uint8Array, unixMs: number): SttError | undefined {
    const { provider, tickets } = this.#config;
    if (this.#ticket === undefined) return undefined;
    const fresh = tickets?.take(this.#ticket.id, unixMs) === true;
    if (!provider.equal(nodeId, this.#ticket.nodeId)) {
      return new SttError("PEER_IDENTITY", "cannot resume: the ticket is another node's");
    }
    return fresh ? undefined : ticketError("the ticket was used or has expired");
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
    const { pairKey, provider } = this.#config;
    try {
      const found = typeof pairKey === "function" ? pairKey(nodeId) : pairKey;
      if (this.#ticket === undefined) this.#noise.setPsk(PAIR_PSK, found ?? this.#psk);
      else setResumptionPsk(provider, this.#noise, this.#ticket.secret, found ?? this.#psk);
      this.#usedPairKey = found !== undefined;
    } catch (error) {
      this.#pairKeyError = { error };
      throw error;
    }
  }
}

function findTicket(
  config: AcceptorConfig,
  { hello, seedIndex }: HelloChoice,
  unixMs: number,
): (HeldTicket & { readonly id: Uint8Array }) | undefined {
  if (hello.ticket === undefined || config.tickets === undefined) return undefined;
  const seedKeys = config.seeds[seedIndex] as SeedKeys;
  const id = maskTicketId(config.provider, seedKeys.ticketKey, hello.nonce, hello.ticket);
  const found = config.tickets.find(id, unixMs);
  // SPEC 15.1: seeds may stand for tenants, so one's ticket is unknown under another.
  const named = seedKeys.seedId(NO_NONCE);
  if (found === undefined || !config.provider.equal(named, found.seed)) return undefined;
  // Copies: the table erases its own when the ticket is used.
  const { secret, nodeId, seed, owner } = found;
  return { id, secret: secret.slice(), nodeId: nodeId.slice(), seed, owner };
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
